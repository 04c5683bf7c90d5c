"""What an analysis prints: golden tables, and arithmetic that must hold in every table."""

from __future__ import annotations

import html
import json
import re
from fractions import Fraction
from typing import Any

import pytest
import torch
from architectures import ARCHITECTURES, build
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import rflib as rf
from rflib import reporting, zoo


class Net(nn.Module):
    """Nested, with a layer called twice, an uneven kernel, two outputs, one of which reads everything."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.pool, self.same, self.head = nn.MaxPool2d(2), nn.Conv2d(4, 4, (3, 1), padding=(1, 0)), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y = self.same(self.same(self.pool(self.stem(x))))
        return {"map": y, "class": self.head(y.mean((2, 3)))}


GOLDEN = """\
layer              kind        output shape  size             stride  padding  center of unit 0  density  parameters  multiply-adds  aligned
(model) [map]      Net         1x4x4x5       21 x 5           4       9 x 1    1                 1        197         10,580         yes
(model) [class]    Net         1x5           33 x 21 (whole)  -       -        7 x 9             1        197         10,580         yes
stem               Sequential  1x4x8x10      3                2       1        0                 1        120         8,640          yes
  stem.0           Conv2d      1x4x8x10      3                2       1        0                 1        112         8,640          yes
pool               MaxPool2d   1x4x4x5       5                4       1        1                 1        0           0              yes
same, call 1 of 2  Conv2d      1x4x4x5       13 x 5           4       5 x 1    1                 1        52          960            yes
same, call 2 of 2  Conv2d      1x4x4x5       21 x 5           4       9 x 1    1                 1        52          960            yes
head               Linear      1x5           33 x 21 (whole)  -       -        7 x 9             1        25          20             yes
Sizes, strides, paddings and centers are in input positions; one number stands for all axes alike.
2 pointwise layers are left out: they read what the layer before them reads."""  # noqa: E501


@pytest.fixture(scope="module")
def analysis() -> rf.Analysis:
    return rf.analyze(Net(), input_size=(1, 3, 16, 20))


def test_the_table_of_a_small_network(analysis: rf.Analysis) -> None:
    assert repr(analysis) == GOLDEN
    assert str(analysis) == GOLDEN


def test_the_numbers_of_the_golden_table_by_hand(analysis: rf.Analysis) -> None:
    convs = {"stem.0": (4 * 8 * 10) * 27, "same": (4 * 4 * 5) * 4 * 3}
    assert convs == {"stem.0": 8640, "same": 960}
    assert 8640 + 2 * 960 + 4 * 5 == 10580
    rows = [rf.Layer(3, 2, 1), rf.Layer(2, 2), rf.Layer(3, padding=1), rf.Layer(3, padding=1)]
    assert [row.size for row in rf.layer_table(rows)] == [3, 5, 13, 21]


def test_what_must_be_said_stands_below_the_table() -> None:
    class Misaligned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv1d(1, 1, 2, 2), nn.Conv1d(1, 1, 1, 2)

        def forward(self, x: Tensor) -> Tensor:
            y = torch.relu(self.a(x) + self.b(x))
            return y if float(y.sum()) >= 0 else y * 2

    lines = repr(rf.analyze(Misaligned(), input_size=(1, 1, 8))).splitlines()
    assert [line.split()[-1] for line in lines[1:4]] == ["NO", "yes", "yes"]
    assert lines[4:] == [
        "Sizes, strides, paddings and centers are in input positions; one number stands for all axes alike.",
        "Paths into 'add' are misaligned on axis 0: via 'a' stride 2, center 0.5; via 'b' stride 2, center 0. Change a "
        "kernel size so that the centers agree.",
        "Note: the model computes with values in Python: this answer holds for the path that these values took.",
    ]


def test_one_layer_that_is_left_out_is_one() -> None:
    lines = repr(rf.analyze(nn.Sequential(nn.Conv1d(1, 1, 3), nn.ReLU()), input_size=(1, 1, 8))).splitlines()
    assert lines[-1] == "1 pointwise layer is left out: it reads what the layer before it reads."
    assert [line.split()[0] for line in lines[1:-2]] == ["(model)", "0"]


def test_fractions_ranges_holes_and_nothing_at_all_are_shown() -> None:
    model = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv1d(1, 1, 2), nn.Conv1d(1, 1, 3, dilation=4), nn.ReLU())
    text = repr(rf.analyze(model, input_size=(1, 1, 12)))
    assert re.search(r"^0 +Upsample +1x1x24 +1 +1/2 +0 +0 +1 ", text, re.MULTILINE)
    assert re.search(r"^1 +Conv1d +1x1x23 +1 to 2 +1/2 +0 +0 +1 ", text, re.MULTILINE)
    assert re.search(r"^2 +Conv1d +1x1x15 +5 to 6 +1/2 +0 +2 +1 ", text, re.MULTILINE)

    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(1)

    assert re.search(
        r"^\(model\) +Constant( +-){6} +0 +0 +-$", repr(rf.analyze(Constant(), input_size=(1, 2, 3))), re.M
    )


def test_a_layer_that_reads_several_inputs_has_a_line_for_each() -> None:
    class Stereo(nn.Module):
        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return left[..., :4] + torch.max_pool1d(right, 2)

    analysis = rf.analyze(Stereo(), input_size=[(1, 1, 8), (1, 1, 8)])
    lines = [re.split("  +", line) for line in repr(analysis).splitlines()[1:3]]
    assert [line[:5] for line in lines] == [
        ["(model) of left", "Stereo", "1x1x4", "1", "1"],
        ["(model) of right", "Stereo", "1x1x4", "2", "2"],
    ]
    assert set(analysis.to_dict()["layers"][0]["inputs"]) == {"left", "right"}


# --- arithmetic that holds in every table -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_model_row_counts_every_parameter_once(name: str) -> None:
    model, inputs = build(name)
    rows = rf.analyze(model, *inputs).rows()
    assert rows[0]["layer"] == ""
    assert rows[0]["parameters"] == sum(p.numel() for p in model.parameters())
    own = {path: sum(p.numel() for p in m.parameters(recurse=False)) for path, m in model.named_modules()}
    for row in rows:
        inside = [n for path, n in own.items() if not row["layer"] or f"{path}.".startswith(f"{row['layer']}.")]
        assert row["parameters"] == sum(inside), row["layer"]


def multiply_adds(model: nn.Module, *inputs: Tensor) -> int:
    """What torch's own counter says; it counts a multiply-add as two operations."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs)
    return counter.get_total_flops() // 2


MODELS = {
    "vgg16": (lambda: zoo.vgg16(1 / 16), (1, 3, 64, 64)),
    "resnet50": (lambda: zoo.resnet50(1 / 16), (1, 3, 64, 64)),
    "mobilenet, grouped": (lambda: zoo.mobilenet_v1(1 / 8), (1, 3, 64, 64)),
    "unet, transposed": (lambda: zoo.unet(1 / 16, 2), (1, 1, 32, 32)),
    "convnext, linear": (lambda: zoo.convnext_like(1 / 16), (1, 3, 64, 64)),
    "generator": (lambda: zoo.dcgan_generator(1 / 16), (1, 100, 4, 4)),
    "three axes": (lambda: zoo.shape_encoder(1 / 16), (1, 1, 64, 64, 64)),
    "one axis": (lambda: zoo.tcn(), (1, 1, 60)),
    "a batch": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3)), (4, 1, 8, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_multiply_adds_are_half_of_what_torch_counts(name: str) -> None:
    make, shape = MODELS[name]
    model = make().eval()
    rows = rf.analyze(model, input_size=shape).rows()
    assert rows[0]["multiply_adds"] == multiply_adds(model, torch.rand(shape))


def test_the_rows_of_leaves_add_up_to_the_model() -> None:
    rows = rf.analyze(zoo.resnet18(1 / 16), input_size=(1, 3, 64, 64)).rows()
    leaves = [row for row in rows if row["leaf"]]
    assert len(leaves) > 50
    for column in ("parameters", "multiply_adds"):
        assert sum(row[column] for row in leaves) == rows[0][column] > 0


def test_a_module_under_two_names_counts_in_each_call() -> None:
    shared = nn.Conv1d(2, 2, 3, padding=1)
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared, nn.Conv1d(2, 2, 1)))
    rows = {(row["layer"], row["call"]): row for row in rf.analyze(model, input_size=(1, 2, 10)).rows()}
    assert rows["", 0]["parameters"] == sum(p.numel() for p in model.parameters()) == 20
    assert rows["", 0]["multiply_adds"] == 2 * 120 + 40
    assert rows["0", 0]["multiply_adds"] == 120
    assert rows["1", 0]["multiply_adds"] == 120 + 40


def test_columns_agree_with_the_answers(analysis: rf.Analysis) -> None:
    for row in analysis.rows():
        found = analysis.calls(row["layer"])[row["call"]] if row["layer"] else analysis.outputs[row["output"]]
        for column in ("size", "sizes", "stride", "padding", "whole_input", "aligned"):
            assert row[column] == getattr(found, column), (row["layer"], column)
        assert row["output_shape"] == found.shape
        assert row["units"] == found.unit_shape


# --- HTML and plain data ----------------------------------------------------------------------------------------------


def test_html_has_the_same_cells_as_the_text(analysis: rf.Analysis) -> None:
    shown = analysis._repr_html_()
    body = re.findall(r"<tr>(.*?)</tr>", shown)
    cells = [[html.unescape(cell).strip() for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)] for row in body]
    lines = [re.split(r"  +", line.strip()) for line in GOLDEN.splitlines()[:9]]
    assert cells == lines
    assert "<td>\u2003stem.0</td>" in shown
    assert re.findall("<p>(.*?)</p>", shown) == GOLDEN.splitlines()[9:]


def test_html_is_escaped() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add_module("<script>alert(1)</script>", nn.Conv1d(1, 1, 3))

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            y = next(iter(self.children()))(x)
            return {"<b>": y, "&": y}

    shown = rf.analyze(Odd(), input_size=(1, 1, 8))._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "(model) [&lt;b&gt;]" in shown
    assert "(model) [&amp;]" in shown
    assert set(re.findall(r"<(/?\w+)", shown)) <= {
        *("table", "/table", "thead", "/thead", "tbody", "/tbody", "tr", "/tr", "th", "/th", "td", "/td", "p", "/p"),
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_plain_data_is_json_and_complete(name: str) -> None:
    model, inputs = build(name)
    analysis = rf.analyze(model, *inputs)
    data = analysis.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data, "nothing changes on the way: lists, not tuples"
    assert list(data["inputs"]) == list(analysis.input_names)
    assert [row["layer"] for row in data["layers"]] == [row["layer"] for row in analysis.rows()]
    assert {row["layer"] for row in data["layers"]} == set(analysis.paths)
    assert data["notes"] == list(analysis.notes)
    wanted = {"units", "size", "sizes", "stride", "padding", "center", "density", "whole_input", "aligned"}
    for row in data["layers"]:
        for answer in row.get("inputs", {"": row}).values():
            assert "output_shape" not in row or wanted <= set(answer)


def test_fractions_are_strings_in_plain_data() -> None:
    data = rf.analyze(nn.Upsample(scale_factor=4), input_size=(1, 1, 8)).to_dict()
    assert data["layers"][0]["stride"] == ["1/4"]
    assert Fraction(data["layers"][0]["stride"][0]) == Fraction(1, 4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [((1, Fraction(1, 2)), [1, "1/2"]), ({1: (2,)}, {"1": [2]}), (None, None), ([(1, 2)], [[1, 2]]), ("a", "a")],
)
def test_values_as_json_knows_them(value: Any, expected: Any) -> None:
    assert reporting.plain(value) == expected


def test_local_is_another_table() -> None:
    model = nn.Sequential(nn.Conv1d(2, 4, 3), nn.GroupNorm(1, 4), nn.Conv1d(4, 4, 3))
    analysis = rf.analyze(model, input_size=(1, 2, 12))
    assert "(whole)" in repr(analysis)
    assert "(whole)" not in repr(analysis.local)
    assert analysis.local.to_dict()["layers"][0]["size"] == [5]
