"""The command line: `python -m rflib package.module:factory --input 1,3,224,224`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import rflib as rf
from rflib import zoo
from rflib.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
MODELS = """
import torch
from torch import nn


def stack():
    return nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.ReLU(), nn.Conv2d(2, 1, 3))


instance = stack()


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3)

    def forward(self, x):
        y = self.conv(x)
        return y * y.mean(2, keepdim=True)


class Two(nn.Module):
    def forward(self, left, right):
        return left[..., :4] + nn.functional.max_pool1d(right, 2)


class Family:
    class Member(nn.Identity):
        pass


def broken():
    raise ValueError("no weights\\nhere")


def number():
    return 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_models.py").write_text(MODELS, encoding="utf-8")
    (tmp_path / "bad_syntax.py").write_text("def f(:\n", encoding="utf-8")
    (tmp_path / "bad_import.py").write_text("import not_there_at_all\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    for name in ("my_models", "bad_syntax", "bad_import"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of the command line, in this process."""
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else 1
    out, err = capsys.readouterr()
    return code, out, err


def in_a_process(*arguments: str, folder: Path, **how: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-m", "rflib", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, **how)


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "my_models:stack", "--input", "1,1,16,16")
    assert (code, err) == (0, "")
    analysis = rf.analyze(__import__("my_models").stack(), input_size=(1, 1, 16, 16))
    assert out == f"{analysis!r}\n"


@pytest.mark.parametrize("name", ["my_models:instance", "my_models:stack"])
def test_factories_and_instances(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(capsys, name, "--input", "1x1x16x16")[1].splitlines()[1].split()[:4] == [
        *("(model)", "Sequential", "1x1x6x6", "7"),
    ]


def test_classes_and_names_with_dots(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "my_models:Family.Member", "--input", "1,1,8")[:1] == (0,)
    assert run(capsys, "torch.nn:Identity", "--input", "1,1,8")[0] == 0


def test_the_model_is_analyzed_in_evaluation_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert "(whole)" not in run(capsys, "rflib.zoo:resnet18", "--input", "2,3,64,64", "--layer", "layer4")[1]


def test_plain_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "rflib.zoo:dqn", "--input", "1,4,84,84", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == rf.analyze(zoo.dqn(), input_size=(1, 4, 84, 84)).to_dict()


def test_one_layer(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "rflib.zoo:dqn", "--input", "1,4,84,84", "--layer", "conv2")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["conv2", "Conv2d", "1x64x9x9", "20", "8", "0", "9.5", "1", "32,832", "2,654,208", "yes"],
    ]
    (row,) = json.loads(run(capsys, "rflib.zoo:dqn", "--input", "1,4,84,84", "--layer", "conv2", "--json")[1])
    assert (row["layer"], row["size"], row["center"]) == ("conv2", [20, 20], [9.5, 9.5])


def test_a_layer_that_changes_nothing_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, "my_models:stack", "--input", "1,1,16,16", "--layer", "1")[1].splitlines()[1].split()[1] == "ReLU"
    )
    model = run(capsys, "my_models:stack", "--input", "1,1,16,16", "--layer", "")[1].splitlines()
    assert [line.split()[0] for line in model] == ["layer", "(model)"]


def test_several_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "my_models:Two", "--input", "1,1,8", "--input", "1,1,8")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()[1:3]] == ["(model) of left", "(model) of right"]


def test_dimensions_of_space(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(run(capsys, "torch.nn:Identity", "--input", "1,8,9,3", "--spatial", "1,2", "--json")[1])
    assert rows["inputs"] == {"input": {"shape": [1, 8, 9, 3], "spatial": [1, 2]}}
    assert rows["layers"][0]["units"] == [8, 9]


def test_local(capsys: pytest.CaptureFixture[str]) -> None:
    whole = run(capsys, "my_models:Gated", "--input", "1,1,12")[1].splitlines()[1]
    local = run(capsys, "my_models:Gated", "--input", "1,1,12", "--local")[1].splitlines()[1]
    assert "12 (whole)" in whole
    assert local.split()[3:6] == ["3", "1", "0"]


def test_verifying(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "my_models:stack", "--input", "1,1,12,12", "--verify")
    assert code == 0
    assert "Analysis and poking agree" in out
    code, out, err = run(capsys, "my_models:stack", "--input", "1,1,12,12", "--verify", "--json")
    assert code == 0
    assert json.loads(out)["layers"], "plain data alone on standard output"
    assert "Analysis and poking agree" in err
    code, out, _ = run(capsys, "my_models:Two", "--input", "1,1,8", "--input", "1,1,8", "--verify")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines() if "agree:" in line] == [
        *("Input 0", "Input 1"),
    ]
    code, out, _ = run(capsys, "torch.nn:Identity", "--input", "1,6,7,2", "--spatial", "1,2", "--verify")
    assert code == 0
    assert "Analysis and poking agree" in out


def test_a_disagreement_is_exit_code_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import rflib.measuring.verifying

    class Disagrees:
        def __bool__(self) -> bool:
            return False

        def __str__(self) -> str:
            return "DISAGREE"

    monkeypatch.setattr(rflib.measuring.verifying, "verify", lambda *args, **kwargs: Disagrees())
    code, out, _ = run(capsys, "my_models:stack", "--input", "1,1,12,12", "--verify")
    assert code == 1
    assert out.splitlines()[-1] == "DISAGREE"


ERRORS = {
    "no colon": (
        ("my_models", "--input", "1"),
        "`model` must be package.module:name, like rflib.zoo:resnet50; got 'my_models'.",
    ),
    "no module": (
        ("nowhere.models:net", "--input", "1"),
        "Cannot import 'nowhere.models': No module named 'nowhere'. Run from the folder that holds it.",
    ),
    "no name": (
        ("my_models:stak", "--input", "1"),
        "There is no name 'stak'. It was looked for in 'my_models'. Nearest: 'stack', 'instance'.",
    ),
    "a syntax error": (
        ("bad_syntax:f", "--input", "1"),
        "Cannot import 'bad_syntax': SyntaxError: invalid syntax (bad_syntax.py, line 1).",
    ),
    "an import error": (
        ("bad_import:f", "--input", "1"),
        "Cannot import 'bad_import': No module named 'not_there_at_all'. Run from the folder that holds it.",
    ),
    "a factory that fails": (
        ("my_models:broken", "--input", "1"),
        "'my_models:broken' makes no model when called without arguments: ValueError: no weights here.",
    ),
    "a class that wants arguments": (
        ("torch.nn:ReflectionPad1d", "--input", "1,1,8"),
        "'torch.nn:ReflectionPad1d' makes no model when called without arguments: TypeError: "
        "ReflectionPad1d.__init__() missing 1 required positional argument: 'padding'.",
    ),
    "no model": (("my_models:number", "--input", "1"), "'my_models:number' gives int, not a torch.nn.Module."),
    "no shape": (
        ("my_models:stack", "--input", "1,1,a,16"),
        "`--input` must be whole numbers with commas, like 1,3,224,224; got '1,1,a,16'.",
    ),
    "a shape of nothing": (
        ("my_models:stack", "--input", "1,1,0,16"),
        "`input_size` must be a tuple of whole numbers >= 1, batch and channels first, like (1, 3, 224, 224), or a "
        "list of such tuples; got (1, 1, 0, 16).",
    ),
    "too small": (
        ("my_models:stack", "--input", "1,1,2,2"),
        "Layer '2' (Conv2d) cannot take an input of shape (1, 2, 1, 1): Calculated padded input size per channel: "
        "(1 x 1). Kernel size: (3 x 3). Kernel size can't be greater than actual input size. Check the input size and "
        "the number of channels that reach it.",
    ),
    "no layer": (
        ("rflib.zoo:dqn", "--input", "1,4,84,84", "--layer", "conv9"),
        "There is no layer 'conv9'. Nearest: 'conv3', 'conv2', 'conv1'.",
    ),
    "no dimension": (
        ("torch.nn:Identity", "--input", "1,1,8", "--spatial", "5"),
        "`spatial` must name dimensions of input 'input', which has shape (1, 1, 8); got (5,).",
    ),
    "no input": (
        ("my_models:stack",),
        "the following arguments are required: --input. See python -m rflib --help.",
    ),
    "no option": (
        ("my_models:stack", "--input", "1", "--lyer", "x"),
        "unrecognized arguments: --lyer x. See python -m rflib --help.",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_exit_code_2_and_one_line(capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, message = ERRORS[name]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err == f"rflib: {message}\n"


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--help")
    assert (code, err) == (0, "")
    for option in ("model", "--input SHAPE", "--layer PATH", "--spatial DIMS", "--local", "--verify", "--json"):
        assert option in out
    example = out[out.index("Example: python -m rflib") :].split()[4:]
    assert run(capsys, *example)[0] == 0, "the example of the help works"


def test_in_a_process_of_its_own(folder: Path) -> None:
    done = in_a_process("my_models:stack", "--input", "1,1,16,16", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("layer    kind        output shape")
    wrong = in_a_process("my_models:stack", "--input", "1,2,16,16", folder=folder)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    """`| head -1`: the table is longer than a pipe holds, and its reader goes away."""
    command = [sys.executable, "-m", "rflib", "rflib.zoo:resnet101", "--input", "1,3,64,64", "--json"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0
