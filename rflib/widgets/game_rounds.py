"""The rounds of the design game as data, and which stacks they allow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rflib.arithmetic import Layer, checked_stack, shown, whole_number
from rflib.design import KINDS, Requirements, assess
from rflib.design.designs import padded_layer
from rflib.errors import LayerError, ModelError

Row = tuple[int, int, int, str]  # kernel_size, stride, dilation, kind
Rows = tuple[Row, ...]

_EXACT = 2**53  # beyond, JavaScript does not count exactly


@dataclass(frozen=True)
class Round:
    """One round of the game.

    Attributes:
        name: What it is called, also in the record of the best.
        says: What it is about, a sentence.
        requirements: What has to be reached, and what it may cost.
    """

    name: str
    says: str
    requirements: Requirements


ROUNDS = (
    Round(
        "Small steps",
        "Convolutions only. Is one large kernel cheaper, or several small ones?",
        Requirements(15, strides=(1,), channels=32, input_size=64, most_layers=8, most_parameters=80_000),
    ),
    Round(
        "Sooner is cheaper",
        "Pooling may take 8 positions to 1. Where does it save the most work?",
        Requirements(
            64, by="multiply_adds", strides=(1,), pools=(2,), largest_stride=8, channels=32, input_size=128,
            most_layers=10, most_multiply_adds=40_000_000,
        ),
    ),
    Round(
        "Sharp and without holes",
        "Full resolution, and every position of the window is read. Dilation may help, or leave holes.",
        Requirements(
            45, strides=(1,), dilations=(1, 2, 4, 8), largest_stride=1, no_holes=True, channels=32, input_size=64,
            most_layers=7, most_parameters=75_000,
        ),
    ),
    Round(
        "To the position",
        "A field of exactly 50, at half the resolution, without holes.",
        Requirements(
            50, exactly=True, strides=(1, 2), dilations=(1, 2, 3, 5), pools=(2,), largest_stride=2, no_holes=True,
            channels=32, input_size=128, most_layers=8, most_parameters=80_000,
        ),
    ),
    Round(
        "Everything at once",
        "Depthwise separable convolutions are allowed, and two budgets have to be kept.",
        Requirements(
            101, by="multiply_adds", strides=(1, 2), dilations=(1, 2, 4, 8), pools=(2,), largest_stride=4,
            no_holes=True, convolutions=("conv", "separable"), channels=32, input_size=128, most_layers=8,
            most_parameters=9_000, most_multiply_adds=25_000_000,
        ),
    ),
)  # fmt: skip


def check_size(wanted: Requirements) -> None:
    """Refuse numbers that JavaScript would round."""
    kernel, dilation = max((1, *wanted.kernels)), max((1, *wanted.dilations))
    stride = max((1, *wanted.strides, *wanted.pools))
    largest = Requirements(1, channels=wanted.channels, input_size=wanted.input_size, axes=wanted.axes).design(
        [padded_layer(kernel, 1, 1, "conv")]
    )
    cost = max(largest.cost.parameters, largest.cost.multiply_adds)
    field = max((kernel - 1) * dilation, *wanted.pools, 1) * stride**wanted.most_layers
    if max(100 * 2 * cost * wanted.most_layers, 2 * field, wanted.field) >= _EXACT:
        raise ModelError(
            "The numbers of these `requirements` can grow beyond 2 ** 53, where the browser cannot count exactly. Use "
            "fewer layers or channels, a smaller input, or smaller kernels, strides and dilations."
        )


def first_stack(wanted: Requirements) -> Rows:
    """What a round begins with: one allowed layer, or none where that one would meet the requirements already."""
    row: Row
    if wanted.convolutions and wanted.kernels and wanted.strides and wanted.dilations:
        row = wanted.kernels[0], wanted.strides[0], wanted.dilations[0], wanted.convolutions[0]
    else:
        row = wanted.pools[0], wanted.pools[0], 1, "pool"
    return () if assess(wanted.design([padded_layer(*row)], [row[3]]), wanted).met else (row,)


def checked_rows(rows: Any, a_round: Round) -> Rows:
    """The rows of one stack, each an allowed layer, and together not too deep for the input."""
    wanted = a_round.requirements
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ModelError(f"A stack must be a list of layers; got {shown(rows)}.")
    checked = tuple(_checked_row(row, number, a_round) for number, row in enumerate(rows, start=1))
    if len(checked) > wanted.most_layers:
        raise ModelError(f"Round {a_round.name!r} allows at most {wanted.most_layers} layers; got {len(checked)}.")
    if checked:
        wanted.design([padded_layer(*row) for row in checked]).output_size  # noqa: B018 an input too small is refused
    return checked


def _checked_row(row: Any, number: int, a_round: Round) -> Row:
    wanted = a_round.requirements
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 4:
        raise ModelError(f"Layer {number} must be (kernel_size, stride, dilation, kind); got {shown(row)}.")
    numbers = tuple(whole_number(value) for value in row[:3])
    kernel, stride, dilation = numbers
    kind = row[3]
    if not isinstance(kind, str):
        fits = False
    elif kind == "pool":
        fits = kernel in wanted.pools and stride == kernel and dilation == 1
    else:
        fits = kind in wanted.convolutions and all(
            value in allowed
            for value, allowed in zip(numbers, (wanted.kernels, wanted.strides, wanted.dilations), strict=True)
        )
    if not fits or kernel is None or stride is None or dilation is None:
        raise LayerError(
            f"Layer {number} is {kind} with kernel_size {row[0]}, stride {row[1]}, dilation {row[2]}; "
            f"round {a_round.name!r} allows {_allowed(wanted)}."
        )
    return kernel, stride, dilation, kind


def _allowed(wanted: Requirements) -> str:
    said = []
    if wanted.convolutions and wanted.kernels and wanted.strides and wanted.dilations:
        facts = (("kernel_size", wanted.kernels), ("stride", wanted.strides), ("dilation", wanted.dilations))
        numbers = ", ".join(f"{name} {'/'.join(map(str, values))}" for name, values in facts)
        said.append(f"{' or '.join(wanted.convolutions)} with {numbers}")
    if wanted.pools:
        said.append(f"pool with kernel_size = stride {'/'.join(map(str, wanted.pools))}")
    return ", and ".join(said)


def as_layers(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers, also none at all."""
    if not isinstance(layers, Iterable):
        raise ModelError(f"`layers` must be a list of layers, such as [Layer(3, padding=1)]; got {shown(layers)}.")
    given = tuple(layers)
    return tuple(checked_stack(given)) if given else ()


def row_of(layer: Layer, wanted: Requirements, kind: str = "") -> Row:
    """A layer as the game holds it; the kind is given, or read off the layer's name or its numbers."""
    kind = kind or (layer.name or "").split(" ")[0]
    if kind not in KINDS:
        pools = layer.left == layer.right == 0 and layer.kernel_size == layer.stride > 1 and layer.dilation == 1
        kind = "pool" if pools else wanted.convolutions[0] if len(wanted.convolutions) == 1 else "conv"
    around = 0 if kind == "pool" else layer.extent - 1
    if min(layer.left, layer.right) < 0 or layer.left + layer.right != around:
        raise LayerError(
            f"{layer!r}: the game pads by its rule; the padding must be {around} in all, {around // 2} on the left and "
            f"{around - around // 2} on the right."
        )
    return layer.kernel_size, layer.stride, layer.dilation, kind


def question_id(a_round: Round) -> str:
    """The name of a round in the file of answers."""
    return f"design game: {a_round.name}"


def fingerprint(a_round: Round) -> str:
    """Of the requirements: a best belongs to these alone."""
    text = json.dumps(asdict(a_round.requirements), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
