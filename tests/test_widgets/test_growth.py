"""The growth explorer in Python, and its JavaScript against Python."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import rflib as rf
from rflib.design import WAYS, Design, growth
from rflib.widgets.growth import KERNELS, GrowthExplorer, way_rows
from tools import preflight

from . import cases_growth

ROOT = Path(__file__).resolve().parents[2]


def run_node(name: str, cases: Path | None) -> subprocess.CompletedProcess[str]:
    """The node tests of a file, with the file of cases."""
    known = {key: value for key, value in os.environ.items() if not key.startswith(("NODE_", "RFLIB_"))}
    named = {} if cases is None else {"RFLIB_DESIGN_CASES": str(cases)}
    command = [preflight.find("node") or "node", "--test", "--test-reporter=tap", str(ROOT / "tests/javascript" / name)]
    return subprocess.run(
        command, cwd=ROOT, env={**known, **named}, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


def passed(output: str) -> int:
    return next(int(line.split()[-1]) for line in output.splitlines() if line.startswith("# pass "))


@pytest.mark.needs("node")
def test_the_javascript_says_what_python_says(tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases_growth.write(cases)
    done = run_node("growth.test.js", cases)
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert passed(done.stdout) == passed(run_node("growth.test.js", None).stdout) + 3
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace('"compared": {"depth": [', '"compared": {"depth": [1', 1), encoding="utf-8")
    broken = run_node("growth.test.js", cases)
    assert broken.returncode != 0
    assert "not ok 3 - the cursor" in broken.stdout


def test_the_five_ways_are_those_of_growth() -> None:
    for way in WAYS:
        designs = growth(way, steps=6, channels=16, input_size=224).designs
        explorer = GrowthExplorer(depth=16, channels=16, way=way)
        for step, design in enumerate(designs, start=1):
            explorer.step = step
            assert explorer.design == design
            assert [(k.kernel_size, k.stride, k.dilation) for k in design.layers] == [
                row[:3] for row in way_rows(way, step)
            ]


def test_other_kernels_change_what_a_step_is_made_of() -> None:
    assert way_rows("depth", 2, 5) == [(5, 1, 1, "conv")] * 2
    assert way_rows("large kernels", 3, 5) == [(13, 1, 1, "conv")]
    assert way_rows("pooling", 3, 5) == [(5, 1, 1, "conv"), (2, 2, 1, "pool"), (5, 1, 1, "conv")]
    assert way_rows("dilation", 2, 7) == [(7, 1, 1, "conv"), (7, 1, 2, "conv")]


def test_the_numbers_are_those_of_stack_cost_and_receptive_field() -> None:
    explorer = GrowthExplorer(axis="multiply_adds", channels=24, input_size=100, kernels=5, step=6)
    for way, design in explorer.compared.items():
        assert design is not None
        layers = [
            replace(layer, name=f"{kind} {n}")
            for n, (layer, kind) in enumerate(zip(design.layers, design.kinds, strict=True))
        ]
        pooling = [layer.name for layer in layers if layer.name.startswith("pool")]
        assert design.cost == rf.stack_cost(layers, 24, 100, separable=way == "depthwise", pooling=pooling)
        assert design.field == rf.receptive_field(design.layers)


@pytest.mark.parametrize("axis", ["parameters", "multiply_adds"])
def test_a_way_gets_as_far_as_the_price_allows_and_no_farther(axis: str) -> None:
    explorer = GrowthExplorer(axis=axis, depth=8, input_size=64, step=5)
    most = getattr(explorer.design.cost, axis)
    for way, design in explorer.compared.items():
        assert design is not None
        step = next(n for n in range(1, 200) if made(explorer, way, n).layers == design.layers)
        assert getattr(design.cost, axis) <= most
        assert design.field.size >= 127 or getattr(made(explorer, way, step + 1).cost, axis) > most


def made(explorer: GrowthExplorer, way: str, step: int) -> Design:
    return explorer._design(way, step)


def test_curves_end_where_the_window_holds_the_input() -> None:
    explorer = GrowthExplorer(depth=16, input_size=20, way="dilation", step=16)
    assert explorer.design.field.size == 63  # the first one of at least 39
    explorer.way = "pooling"
    assert (explorer.design.field.size, explorer.design.output_size) == (46, 1)
    assert GrowthExplorer(depth=16, input_size=8, way="pooling", step=16).design.field.size == 18


def test_a_way_that_is_too_dear_for_the_chart() -> None:
    explorer = GrowthExplorer(axis="parameters", depth=1, kernels={"large kernels": 11}, way="large kernels")
    assert explorer.design is None
    assert explorer.compared["large kernels"] is None
    assert explorer.sentence == (
        "large kernels: already its first step lies beyond the right end of the chart. For the same parameters "
        "depthwise gets farthest: 15."
    )
    assert "large kernels: already its first step" in explorer.picture().alt


def test_traits_take_what_is_right_and_keep_it_when_something_is_wrong() -> None:
    explorer = GrowthExplorer(kernels={"dilation": 5})
    assert explorer.kernels == (3, 3, 3, 5, 3)
    explorer.kernels = 7
    assert explorer.kernels == (7,) * 5
    wrong = {
        "depth": (0, "`depth` must be an integer from 1 to 16; got 0."),
        "channels": (2.5, "`channels` must be an integer from 1 to 512; got 2.5."),
        "input_size": (5000, "`input_size` must be an integer from 8 to 1,024; got 5000."),
        "step": (None, "`step` must be an integer from 1 to 2,048; got None."),
        "log": (1, "`log` must be True or False; got 1."),
        "kernels": (
            [3, 3, 4, 3, 3],
            "`kernels` must be one of 3, 5, 7, 9, 11 for each of the 5 ways; got [3, 3, 4, 3, 3].",
        ),
    }
    for name, (value, message) in wrong.items():
        before = getattr(explorer, name)
        with pytest.raises(rf.ModelError) as caught:
            setattr(explorer, name, value)
        assert str(caught.value) == message
        assert getattr(explorer, name) == before
    for name, value, kind in (("axis", "flops", "horizontal axis"), ("way", "deep", "way to grow")):
        with pytest.raises(rf.UnknownNameError, match=f"There is no {kind} '{value}'"):
            setattr(explorer, name, value)
    with pytest.raises(rf.UnknownNameError, match="There is no way to grow 'width'"):
        explorer.kernels = {"width": 3}


def test_what_the_browser_sends_is_checked_too() -> None:
    explorer = GrowthExplorer()
    explorer.set_state({"way": "pooling", "step": 2, "kernels": [3, 5, 3, 3, 3]})
    assert (explorer.way, explorer.step, explorer.kernels) == ("pooling", 2, (3, 5, 3, 3, 3))
    explorer.set_state({"channels": -1})
    assert explorer.channels == 64
    assert explorer.problem == "`channels` must be an integer from 1 to 512; got -1."


@pytest.mark.parametrize("axis", ["steps", "parameters", "multiply_adds"])
@pytest.mark.parametrize("log", [False, True])
def test_the_picture_states_what_the_explorer_shows(axis: str, log: bool) -> None:
    explorer = GrowthExplorer(axis=axis, log=log, input_size=64, channels=8)
    drawing = explorer.picture()
    last = explorer._last("depthwise", explorer._end())
    assert f"depthwise: {explorer._design('depthwise', last).field.size}" in drawing.alt
    assert explorer.sentence in drawing.alt
    axes = drawing.figure.axes[0]
    assert len(axes.get_lines()) == 5
    assert axes.get_yscale() == ("log" if log else "linear")


def test_every_number_stays_where_javascript_counts_exactly() -> None:
    explorer = GrowthExplorer(
        depth=16, channels=512, input_size=1024, kernels=KERNELS[-1], way="large kernels", step=16
    )
    assert explorer.design.cost.multiply_adds < 2**53
