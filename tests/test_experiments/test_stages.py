"""A design stage by stage: fields by poking, jumps by shapes, costs by the count of the whole."""

from __future__ import annotations

import pytest
import torch

from rflib import measure
from rflib.errors import LayerError
from rflib.experiments import BUDGET, DESIGNS, CapstoneNetwork, Stage, conv, design_from, multiply_adds
from rflib.experiments.stages import tabulate_stages


@pytest.mark.parametrize("name", DESIGNS)
def test_the_rows_add_up_to_the_whole(name: str) -> None:
    table = tabulate_stages(DESIGNS[name])
    assert table.multiply_adds == pytest.approx(float(multiply_adds(DESIGNS[name])))
    assert len(table.rows) == 1 + sum(stage.kind not in ("save", "join") for stage in DESIGNS[name])


def test_each_row_is_what_the_network_does_up_to_there() -> None:
    design = design_from([conv(4), Stage("save"), Stage("pool"), conv(6, dilation=2), Stage("up"), Stage("join")])
    model = CapstoneNetwork(design).eval()
    shapes = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _, __, out, path=path: shapes.update({path: tuple(out.shape)}))
    model(torch.zeros(1, 1, 32, 32))
    rows = tabulate_stages(design).rows
    paths = ["stages.0", "stages.2", "stages.3", "stages.4", "head"]
    assert [(row.channels, 32 // row.jump) for row in rows] == [(shapes[p][1], shapes[p][2]) for p in paths]
    for row, path in zip(rows, paths, strict=True):
        middle = 16 // row.jump
        sizes = [measure(model, (1, 1, 32, 32), unit=(u, u), layer=path).size for u in (middle, middle + 1)]
        assert row.field == max(max(size) for size in sizes)
    assert rows[-1].stage == "scores, conv 1, reads the kept map too"


def test_the_finding_says_what_is_over_the_budget() -> None:
    table = tabulate_stages([conv(30)] * 2)
    over = table.multiply_adds - BUDGET
    assert over > 0
    assert table.finding.endswith(f"of 6,500 allowed: {over:,.0f} too many.")
    assert tabulate_stages([conv(2)]).finding.endswith("of 6,500 allowed: within the budget.")
    assert tabulate_stages(DESIGNS["pooling alone"]).largest_jump == 8


def test_a_design_that_cannot_exist_is_refused() -> None:
    with pytest.raises(LayerError, match="add 'up' stages"):
        tabulate_stages([Stage("pool")])
