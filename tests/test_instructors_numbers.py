"""Numbers of INSTRUCTORS.md: the paper activity, answers for a room, moves of explorers, and the rubrics' points."""

# ruff: noqa: RUF001 - the page writes products with a times sign

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rflib as rf
from rflib import Layer, zoo
from rflib.questions.bank import _wrong
from tests.test_instructors import PAGE, WHERE, rows, sections
from tests.test_project import ROOT, blocks, examples, run

# The paper activity


def stack(word: str) -> list[Layer]:
    return [Layer(3) if letter == "c" else Layer(2, stride=2) for letter in word]


def drawn(word: str, unit: int = 1, length: int = 18) -> str:
    """The drawing, two letters a square: each unit over the middle of what it reads, # where it takes part."""
    layers, lines, read = stack(word), [], {unit}
    counts = [length, *rf.output_sizes(layers, length)]
    for depth in range(len(layers), -1, -1):
        line = [" "] * (2 * length)
        for number in range(counts[depth]):
            middle = rf.receptive_field(layers[:depth]).center(number) if depth else number
            line[int(2 * middle)] = "#" if number in read else "o"
        lines.append(f"{word[depth - 1] if depth else 'in':5}{''.join(line)}".rstrip())
        if depth:
            read = {place for number in read for place in layers[depth - 1].reads(number)}
    return "\n".join(lines)


WORDS = {"A": "cpcc", "B": "ccpc", "C": "cccp"}


def test_the_activity_prints_what_it_says(tmp_path: Path) -> None:
    ((code, output),) = examples(PAGE)
    done = run(sys.executable, "-c", code, folder=tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert done.stdout == output
    assert {rf.receptive_field(stack(word)).stride for word in WORDS.values()} == {2}  # as the solution says


def test_the_solution_is_drawn_right() -> None:
    shown = "\n\n".join(f"{name}: {' '.join(word)}\n{drawn(word)}" for name, word in WORDS.items())
    assert ("text", shown + "\n") in blocks(PAGE)
    assert sum(line.startswith("in") and line.count("#") == 12 for line in shown.splitlines()) == 1


def doubled(layers: list[Layer]) -> int:
    """A8, M1: a pool doubles what is there."""
    size, jump = 1, 1
    for layer in layers:
        size, jump = (2 * size if layer.stride == 2 else size + 2 * jump), jump * layer.stride
    return size


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("A7: the jump", _wrong.without_strides),
        ("A7: kernel", _wrong.kernels_added),
        ("M7", _wrong.own_stride),
        ("M1, A8", doubled),
        ("M6", _wrong.from_the_wrong_end),
        ("M2", _wrong.last_kernel),
    ],
)
def test_each_wrong_drawing_is_that_of_its_rule(number: str, rule: Callable[[list[Layer]], int]) -> None:
    table = rows(PAGE, "It reveals")
    assert len(table) == 6
    (row,) = [row for row in table if row["It reveals"].startswith(number)]
    assert next(iter(row.values())) == ", ".join(str(rule(stack(word))) for word in WORDS.values())


def test_the_short_variant_has_its_numbers() -> None:
    (body,) = [body for head, body in sections(PAGE).items() if head.startswith("A paper")]
    orders = [Layer(3, stride=2), Layer(3)], [Layer(3), Layer(3, stride=2)]
    assert "count: {} and {}.".format(*(rf.receptive_field(layers).size for layers in orders)) in body
    assert f"Who has {_wrong.kernels_added(orders[0])} added" in body
    assert f"who has {_wrong.without_strides(orders[0])} for both" in body
    assert f"who has {_wrong.last_kernel(orders[0])} colored" in body
    assert rf.receptive_field(orders[0]).interval(0)[1] < 9  # the squares of the sheet


# Answers for a room, and the explorers' moves


def size(*layers: Layer) -> int:
    return rf.receptive_field(layers).size


def patchgan(strides: tuple[int, ...], padding: int = 1) -> list[Layer]:
    return [Layer(4, stride=stride, padding=padding) for stride in strides]


CONV, POOL = Layer(3), Layer(2, stride=2)
TWOS = [Layer(3, dilation=2)] * 3
JUDGE, WIDE = patchgan((2, 2, 2, 1, 1)), patchgan((2, 2, 2, 2, 2, 1, 1))


def room() -> dict[int, list[object]]:
    """The numbers of each answer, computed."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        first = [rf.analyze(zoo.resnet18(), input_size=(1, 3, 64, 64))["layer1"].size[0] for _ in range(2)]
    fifty = [zoo.resnet50(width=0.0625, variant=variant, num_classes=0) for variant in ("v1.5", "v1")]
    found = [rf.analyze(net, input_size=(1, 3, 224, 224))["layer4"] for net in fifty]
    chain = [each for each in fifty[0].modules() if isinstance(each, nn.Conv2d | nn.MaxPool2d)]
    sides = [[max(n) if isinstance(n, tuple) else n for n in (each.kernel_size, each.stride)] for each in chain]
    normed = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1))
    reads = [rf.measure(normed, (1, 1, 16, 16), training=on, progress=False).mask.sum() for on in (False, True)]
    positions = [
        len(rf.receptive_field(WIDE).positions(number, 256)) for number in range(rf.output_sizes(WIDE, 256)[-1])
    ]
    sigma = rf.effective_sigma([CONV] * 100)
    line = torch.tensor([[[1.0, 4, 2, 3]]], requires_grad=True)
    nn.MaxPool1d(4)(line).sum().backward()
    assert first[0] == first[1]
    assert size(*JUDGE) == size(*patchgan((2, 2, 2, 1, 1), 0))
    assert rf.analyze(zoo.vit_like(width=0.25), input_size=(1, 3, 64, 64))["layers.0"].whole_input == (True, True)
    return {
        1: [first[0]],
        2: [2 * 224 - 1],
        3: [size(*WIDE), positions.count(256), len(positions)],
        4: [size(CONV), size(CONV, POOL), size(CONV, POOL, CONV), size(CONV, POOL, CONV) - size(CONV, POOL)],
        5: [size(*JUDGE), *(rf.output_sizes(patchgan((2, 2, 2, 1, 1), padding), 256)[-1] for padding in (1, 0))],
        6: [size(Layer(3, stride=2), CONV), size(CONV, Layer(3, stride=2))],
        7: [*reads],
        8: [*(each.size[0] for each in found), f"{size(*(Layer(k, s) for k, s in sides)):,}", found[0].stride[0]],
        9: [size(CONV, CONV)],
        10: [size(*TWOS), len(rf.receptive_field(TWOS).positions(0))],
        11: [size(*[CONV] * 100), round(4 * sigma), f"{sigma:.1f}"],
        12: [int((line.grad != 0).sum()), rf.measure(nn.MaxPool1d(4), (1, 1, 4), progress=False).size[0]],  # type: ignore[union-attr]
        13: [],
    }


def numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]*(?<![.,])", text)


def test_the_answers_for_a_room_have_their_numbers() -> None:
    body = sections(PAGE)["Questions that a room asks"]
    answers = {int(number): text for number, text in re.findall(r"^(\d+)\. (.+)$", body, flags=re.MULTILINE)}
    computed = room()
    assert list(answers) == list(computed)
    assert len(answers) >= 12
    for number, expected in computed.items():
        assert {str(each) for each in expected} <= set(numbers(answers[number])), number
    assert "224 / 7 is 32" in answers[8]


def do(cell: str) -> str:
    """What all plans say of a cell, all columns together."""
    said = [" ".join(row.values()) for row in rows(PAGE, WHERE) if f"`{cell}`" in row[WHERE]]
    assert said, cell
    return " ".join(said)


def test_the_explorers_moves_have_their_numbers() -> None:
    corner = rf.receptive_field(JUDGE)
    assert f"reads {len(corner.positions(0, 256))} × 47 of {corner.size} × 70" in do("padding-explained")
    assert [len(corner.positions(number, 256)) == 70 for number in (2, 3)] == [False, True]
    orders = size(*[POOL] * 2, *[CONV] * 3), size(*[CONV] * 3, *[POOL] * 2), size(POOL, CONV, CONV, POOL, CONV)
    words = "all pools down to the input, {}; all on top, {}; then pool, conv, conv, pool, conv: {}"
    assert words.format(*orders) in do("stack-explorer")
    strided = [Layer(3, stride=2)] * 3 + [CONV]
    assert size(*strided) == size(*[Layer(3, dilation=2**n) for n in range(4)]) == 31
    assert "first three layers: 31; undo, dilations 1, 2, 4, 8: 31" in do("myth-m11")
    fields = [rf.receptive_field([Layer(3, dilation=d) for d in s]) for s in ((2, 2, 2), (1, 2, 2), (1, 2, 4))]
    holes = [field.size - len(field.positions(0)) for field in fields]
    assert holes == [6, 0, 0]
    assert f"{holes[0]} blind spots of {fields[0].size}" in do("first-explorer")
    assert f"none, window {fields[1].size}; set the last to 4: none, window {fields[2].size}" in do("first-explorer")
    pairs = rf.growth("pooling", steps=11)[-1].field
    assert f"step 11, field {pairs.size}, stride {pairs.stride}" in do("growth-explorer")
    sigmas = [rf.effective_sigma([CONV] * depth) for depth in (6, 24)]
    assert "6 layers, sigma {:.2f}; 24 layers, {:.2f}".format(*sigmas) in do("explore")
    doubling = rf.effective_sigma([Layer(3, dilation=2**n) for n in range(5)])
    assert f"dilation doubling, 5 layers: sigma {doubling:.2f}" in do("explore")
    stem = [Layer(7, stride=2), Layer(3, stride=2)]
    assert f"how wide? {size(*stem, *[CONV] * 5)}," in do("wrong-widths")
    assert [size(*stem, Layer(k)) for k in (23, 24)] == [99, 103]
    assert "11 + 4n, so 99 or 103" in PAGE


# Marking by hand


@pytest.mark.parametrize(
    ("exercise", "column", "points"), [("07_effective", "Give them if", 5), ("08_capstone", "1 for the numbers", 8)]
)
def test_the_rubrics_give_the_points_of_the_exercises(exercise: str, column: str, points: int) -> None:
    table = rows(PAGE, column)
    assert sum(int(next(iter(row.values())).rpartition(": ")[2]) for row in table) == points
    assert f": {points} points" in next(iter(table[0]))
    text = (ROOT / "exercises" / exercise / f"{exercise}.ipynb").read_text(encoding="utf-8")
    given = re.findall(r"Rubric: (.+?)\.", text)[0]
    if exercise == "07_effective":
        assert re.findall(r"(\d) points? for|(\d) for", given) == [("2", ""), ("", "2"), ("", "1")]
        assert [next(iter(row.values()))[-1] for row in table] == ["2", "2", "1"]
    else:
        assert given == "2 points for each of the four, 1 for the numbers and 1 for what is concluded from them"
        asked = re.findall(r"^\s*\"\d\. .*?\*\*(\w+)\*\*", text, flags=re.MULTILINE)
        parts = {"field": "field", "costs": "cost", "reaches": "reach", "uses": "use"}
        assert [next(iter(row.values())) for row in table] == [f"{parts[word]}: 2" for word in asked]
