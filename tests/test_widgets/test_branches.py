"""The branch explorer: its graph, its settings, its picture, and its JavaScript against rflib's graph."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import rflib as rf
from rflib.widgets.branches import BranchExplorer, checked_branches

from . import cases_branches
from .test_javascript import count, node

SCRIPT = Path(__file__).resolve().parents[1] / "javascript" / "branches_against_python.js"
POOL2 = {"kind": "pool", "kernel_size": 2, "stride": 2}
NEAREST2 = {"kind": "nearest", "stride": 2}
TRANSPOSED2 = {"kind": "transposed", "kernel_size": 2, "stride": 2}
SAME3 = rf.Layer(3, padding=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("branches") / "cases.json"
    cases_branches.write(path)
    return path


@pytest.mark.needs("node")
def test_the_javascript_says_what_the_graph_says(written: Path) -> None:
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_CASES=str(written))
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert count(done.stdout, "pass") == 9
    assert count(done.stdout, "fail") == count(done.stdout, "skipped") == count(done.stdout, "todo") == 0


@pytest.mark.needs("node")
def test_a_wrong_verdict_is_found(written: Path, tmp_path: Path) -> None:
    cases = json.loads(written.read_text(encoding="utf-8"))
    cases[7]["aligned"] = not cases[7]["aligned"]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(cases), encoding="utf-8")
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_CASES=str(broken))
    assert done.returncode != 0
    assert "not ok" in done.stdout
    assert "the verdict is Python's" in done.stdout


def test_the_verdict_in_words_is_that_of_the_graph(written: Path) -> None:
    for case in json.loads(written.read_text(encoding="utf-8"))[: cases_branches.COUNT]:
        assert case["aligned"] != case["verdict"].startswith("Not aligned")


class UNetLevel(nn.Module):
    """Down by a pool, one convolution, up again, and the skip."""

    def __init__(self, up: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.MaxPool1d(2), nn.Conv1d(1, 1, 3, padding=1), up)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.inner(x), x], dim=1)


@pytest.mark.parametrize(
    ("up", "spec"), [(nn.Upsample(scale_factor=2), NEAREST2), (nn.ConvTranspose1d(1, 1, 2, stride=2), TRANSPOSED2)]
)
def test_a_u_net_level_has_the_windows_of_the_real_one(up: nn.Module, spec: dict[str, Any]) -> None:
    explorer = BranchExplorer([[POOL2, SAME3, spec], []], "concatenate")
    found = rf.analyze(UNetLevel(up), input_size=(1, 1, 32)).output
    for unit in range(8, 24):
        assert explorer.window(unit) == found.interval(unit)[0]
        assert explorer.positions(unit) == tuple(found.positions(unit)[0])
    assert explorer.aligned is bool(found.aligned) is True


def test_windows_lines_and_verdict_of_valid_convolutions_beside_a_skip() -> None:
    explorer = BranchExplorer([[rf.Layer(3), rf.Layer(3)], []])
    assert explorer.windows(4) == ((4, 8), (4, 4))
    assert explorer.lines == ((Fraction(1), Fraction(2)), (Fraction(1), Fraction(0)))
    assert explorer.aligned is False
    assert repr(explorer) == (
        "BranchExplorer: Not aligned: branch 2 has center 0 where branch 1 has 2, 2 positions too far left."
    )
    graph = explorer.graph
    assert graph.window(len(graph.nodes) - 1).interval(4) == explorer.window(4) == (4, 8)


def test_a_branch_with_units_that_read_nothing_takes_no_part() -> None:
    explorer = BranchExplorer([[{"kind": "transposed", "kernel_size": 1, "stride": 2}], [NEAREST2]])
    assert explorer.lines[0] is None
    assert explorer.windows(1) == (None, (0, 0))
    assert explorer.verdict == (
        "Nothing to compare: only 1 of 2 branches reads something at every unit. "
        "Branch 1 has units that read nothing: it takes no part."
    )
    assert "branch 1 nothing" in BranchExplorer(explorer.branches, unit=1).picture().alt


def test_layers_are_taken_in_several_forms_and_kept_in_one() -> None:
    wanted = {"kind": "conv", "kernel_size": 3, "stride": 1, "dilation": 1, "padding": (1, 1)}
    forms = (SAME3, {"kernel_size": 3, "padding": 1}, {"kind": "conv", "kernel_size": 3, "padding": [1, 1]})
    for form in forms:
        assert checked_branches([[form], []]) == ((wanted,), ())
    assert checked_branches([[NEAREST2], []])[0][0] == {
        **wanted,
        "kind": "nearest",
        "kernel_size": 1,
        "stride": 2,
        "padding": (0, 0),
    }
    explorer = BranchExplorer()
    explorer.set_state({"branches": [[{**wanted, "padding": [1, 1]}], []]})
    assert explorer.branches == ((wanted,), ())


EXAMPLE = '{"kind": "conv", "kernel_size": 3, "stride": 1, "padding": 1, "dilation": 1}'


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("branches", [[]], "`branches` must be two or three lists of layers; an empty list is the identity."),
        ("branches", 3, "`branches` must be two or three lists of layers; an empty list is the identity."),
        ("branches", [[], 3], "Branch 2 must be a list of layers; got 3."),
        ("branches", [[SAME3] * 7, []], "Branch 1 has 7 layers; the explorer draws at most 6."),
        (
            "branches",
            [[SAME3, 3], []],
            f"Layer 2 of branch 1 must be a Layer, or a dictionary such as {EXAMPLE}; got 3.",
        ),
        (
            "branches",
            [[{"kernel": 3}], []],
            f"Layer 1 of branch 1 must be a Layer, or a dictionary such as {EXAMPLE}; got {{'kernel': 3}}.",
        ),
        (
            "branches",
            [[], [{"kind": "dense"}]],
            "`kind` of layer 1 of branch 2 must be one of 'conv', 'pool', 'transposed', 'nearest'; got 'dense'.",
        ),
        (
            "branches",
            [[], [{"kernel_size": 0}]],
            "`kernel_size` of layer 1 of branch 2 must be an integer from 1 to 15; got 0.",
        ),
        (
            "branches",
            [[], [{"padding": "same"}]],
            "`padding` of layer 1 of branch 2 must be an integer from -32 to 200, or two of them, (left, right); "
            "got 'same'.",
        ),
        (
            "branches",
            [[NEAREST2] * 5, []],
            "Branch 1 upsamples by 32 in all; the explorer follows at most 16.",
        ),
        ("meeting", "multiply", "`meeting` must be 'add' or 'concatenate'; got 'multiply'."),
        ("unit", 32, "`unit` must be an integer from 0 to 31; got 32."),
        ("unit", 1.5, "`unit` must be an integer from 0 to 31; got 1.5."),
    ],
)
def test_a_setting_that_cannot_be_changes_nothing(name: str, value: Any, message: str) -> None:
    for from_browser in (False, True):
        explorer = BranchExplorer()
        before = explorer.get_state()
        with pytest.raises(rf.ReceptiveFieldError, match=f"^{re.escape(message)}$"):
            explorer.set_state({name: value}) if from_browser else setattr(explorer, name, value)
        assert explorer.get_state() == before


def test_the_picture_states_the_finding() -> None:
    drawing = BranchExplorer([[POOL2, SAME3, NEAREST2], []], "concatenate").picture()
    assert drawing.alt == (
        "Aligned: every branch moves 1 position a unit, and unit 0 looks at position 0. "
        "Unit 2 reads: branch 1 positions 0 to 5; branch 2 positions 2 to 2; together positions 0 to 5."
    )
    assert [text.get_text() for text in drawing.figure.axes[0].get_yticklabels()] == [
        "branch 1\npool 2, conv 3, nearest 2",
        "branch 2\nidentity",
        "union",
    ]


def test_there_are_at_least_300_branchings_and_they_are_the_same_every_time(written: Path) -> None:
    cases = json.loads(written.read_text(encoding="utf-8"))
    assert sum(case["kind"] == "branches" for case in cases) >= 300
    assert json.loads(json.dumps(cases_branches.all_cases(20))) == cases[:20]
