"""Questions of lesson 03: the recursion, from the input on and from the output back, with stride and dilation."""

from __future__ import annotations

from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Interval, Number, Option, Region

_ORDER = [Layer(3, stride=2, name="conv1"), Layer(3, name="conv2")]
_POOLED = [Layer(3, name="conv"), Layer(2, stride=2, name="pool")]
_DILATED = Layer(3, dilation=4, name="conv")
_THREE = [Layer(5, stride=2, name="conv1"), Layer(3, name="conv2"), Layer(3, stride=2, name="conv3")]
_PADDED = [Layer(3, stride=2, padding=1, name="conv1"), Layer(3, padding=1, name="conv2")]
_HOLES = Layer(3, dilation=2, padding=2, name="conv")
_STRIDES = [Layer(3, stride=2), Layer(3), Layer(3, stride=2), Layer(3)]


def _jump_before_the_last() -> int:
    return receptive_field(_STRIDES[:-1]).stride


def _both(layers: list[Layer], unit: int = 0) -> list[Any]:
    return [rf.layer_table(layers), rf.draw_stack(layers, unit=unit)]


def _ordinary_dilation() -> int:
    from torch import nn  # here and not above: looking at one's progress needs no torch

    return int(nn.Conv2d(1, 1, 3).dilation[0])


LESSON = Lesson(
    "03",
    "Layer by layer",
    "lessons/03_layer_by_layer.ipynb",
    (
        Number(
            "First a convolution with kernel 3 and stride 2, then one with kernel 3 and stride 1. "
            "How many input positions does the window of a unit of the *last* layer span?",
            id="03-order",
            unit="input positions",
            prediction=True,
            truth=lambda: rf.receptive_field(_ORDER).size,
            reveal=lambda: _both(_ORDER),
            mistakes=[
                (
                    lambda: _wrong.from_the_wrong_end(_ORDER),
                    "M6",
                    "You walked the layers from the wrong end, or left the stride out. The first layer's "
                    "stride counts for the second.",
                ),
                (
                    lambda: _wrong.kernels_added(_ORDER),
                    "A7",
                    "You added the kernel sizes. A layer adds its kernel size less one, times the jump before it.",
                ),
                (lambda: _wrong.last_kernel(_ORDER), "M2", "You took the last kernel for the field."),
            ],
        ),
        Number(
            "A convolution with kernel 3 and stride 1, then a max-pool with kernel 2 and stride 2. How "
            "many input positions does the "
            "window of a pooled unit span?",
            id="03-pool",
            unit="input positions",
            prediction=True,
            truth=lambda: rf.receptive_field(_POOLED).size,
            reveal=lambda: _both(_POOLED),
            mistakes=[
                (
                    lambda: 2 * _POOLED[0].kernel_size,
                    "M1",
                    "You doubled the field. The pool doubles the *jump*, so it doubles what every later layer adds.",
                ),
                (
                    lambda: _wrong.kernels_added(_POOLED),
                    "A7",
                    "You added the kernel sizes, or took the pool's own stride for the jump before it. "
                    "The two windows that the pool reads overlap.",
                ),
                (lambda: _wrong.last_kernel(_POOLED), "M2", "You took the pool's kernel for the field."),
            ],
        ),
        Number(
            "One convolution with kernel 3 and dilation 4. How many input positions are there from its "
            "first tap to its last, both included?",
            id="03-dilation",
            unit="input positions",
            truth=lambda: rf.receptive_field([_DILATED]).size,
            reveal=lambda: rf.draw_stack([_DILATED], unit=0),
            hints=(
                "How far apart are two neighboring taps?",
                "Three taps have two gaps between them.",
                "Two gaps of 4 steps each, and the first position itself.",
            ),
            mistakes=[
                (
                    lambda: _wrong.without_dilation([_DILATED]),
                    "M4",
                    "You left the dilation out of the size. That is the number of taps.",
                ),
                (
                    lambda: _DILATED.kernel_size * _DILATED.dilation,
                    "A10",
                    "You multiplied kernel and dilation. There are only two gaps between three taps.",
                ),
                (
                    lambda: (_DILATED.kernel_size - 1) * (_DILATED.dilation + 1) + 1,
                    "A10",
                    "You put four holes between two taps. A dilation of 4 means a distance of 4, so three holes.",
                ),
                (
                    lambda: (_DILATED.kernel_size - 1) * _DILATED.dilation,
                    "M15",
                    "You counted the steps. Both ends are positions, so there is one more.",
                ),
            ],
        ),
        Choice(
            "Which dilation does an ordinary convolution without holes have, in PyTorch's words?",
            id="03-ordinary",
            truth=_ordinary_dilation,
            reveal=lambda: "`nn.Conv2d(1, 1, 3).dilation` says it: dilation is the *distance* of neighboring taps.",
            options=[
                Option(0, "You counted the holes between neighboring taps. PyTorch counts their distance.", "M3"),
                Option(1),
                Option(
                    3,
                    "You took the kernel size. Dilation is the distance of neighboring taps, however many there are.",
                    "M4",
                ),
            ],
        ),
        Number(
            "Three layers, as (kernel, stride): (5, 2), (3, 1), (3, 2). You walk from the *output back*. "
            "How many units of the *first* layer's "
            "feature map does one unit of the last layer see?",
            id="03-backward",
            unit="units",
            truth=lambda: rf.receptive_field(_THREE[1:]).size,
            reveal=lambda: _both(_THREE),
            hints=(
                "Which layers lie between the first feature map and the last unit?",
                "The last layer reads 3 units of the second feature map. How wide are these in the first one?",
                "The stride of the second layer is 1: 1 * 3 + (3 - 1).",
            ),
            mistakes=[
                (
                    lambda: rf.receptive_field(_THREE).size,
                    None,
                    "You walked one layer too far: this is the window in the input.",
                ),
                (
                    lambda: rf.receptive_field(_THREE[:2]).size,
                    "M7",
                    "You walked from the input on. This is what a unit of the second layer sees of the input.",
                ),
                (
                    lambda: _wrong.from_the_wrong_end(_THREE[1:]),
                    "M6",
                    "You let the last layer's stride count for the layer below it.",
                ),
                (lambda: _wrong.kernels_added(_THREE[1:]), "A7", "You added the kernel sizes."),
                (lambda: _THREE[-1].kernel_size, "M2", "You stopped at the second feature map."),
            ],
        ),
        Interval(
            "A convolution with kernel 3, stride 2 and padding 1, then one with kernel 3, stride 1 and padding 1. "
            "Give the window of unit 4 of the last layer.",
            id="03-window",
            truth=lambda: rf.receptive_field(_PADDED).interval(4),
            reveal=lambda: _both(_PADDED, 4),
            hints=(
                "Walk back one layer at a time: which units of the first layer does unit 4 read?",
                "Units 3 to 5 of the first layer. Where does the window of unit 3 begin, and where does "
                "that of unit 5 end?",
                "Unit u of the first layer reads from 2 * u - 1 to 2 * u + 1.",
            ),
            mistakes=[
                (
                    lambda: rf.receptive_field(_wrong.without_padding(_PADDED)).interval(4),
                    "M8",
                    "You left the padding out. It does not resize the window, it moves it.",
                ),
                (
                    lambda: rf.receptive_field(_PADDED[::-1]).interval(4),
                    "M6",
                    "You walked the layers from the wrong end.",
                ),
                (
                    lambda: (_PADDED[1].reads(4)[0], _PADDED[1].reads(4)[-1]),
                    "M2",
                    "You stopped at the first feature map: these are its units, not input positions.",
                ),
            ],
        ),
        Region(
            "A convolution with kernel 3, stride 1, dilation 2 and padding 2. Choose the positions that "
            "its unit 6 reads. "
            "It stands above position 6, which is marked u.",
            id="03-taps",
            cells=(13,),
            noun="position",
            marks=((6, "u"),),
            truth=lambda: rf.receptive_field([_HOLES]).positions(6, input_size=13),
            reveal=lambda: rf.draw_stack([_HOLES], unit=6, input_size=13),
            hints=(
                "How many taps does the kernel have?",
                "The middle tap reads position 6. How far from it are the other two?",
                "Neighboring taps are two positions apart.",
            ),
            mistakes=[
                ((5, 6, 7), "M4", "You left the dilation out."),
                (
                    (4, 5, 6, 7, 8),
                    "M17",
                    "You chose the whole window. A dilated kernel reads its taps and not the holes between them.",
                ),
                (
                    (3, 6, 9),
                    "A10",
                    "You put two holes between the taps. A dilation of 2 means a distance of 2, so one hole.",
                ),
                (lambda: Layer(3, dilation=2).reads(6), "M8", "You left the padding out. It moves the window."),
            ],
        ),
        Number(
            "Four layers of kernel 3 with the strides 2, 1, 2, 1. By how many input positions does the "
            "*last* layer widen the window?",
            id="03-last-layer",
            unit="input positions",
            truth=lambda: (_STRIDES[-1].extent - 1) * _jump_before_the_last(),
            reveal=lambda: rf.layer_table(_STRIDES),
            hints=(
                "A layer adds its kernel size less one, times the jump before it.",
                "The jump before a layer is the product of all strides before it.",
                "2 * 1 * 2 positions between neighbors, and two steps from the first of three to the last.",
            ),
            mistakes=[
                (lambda: _STRIDES[-1].kernel_size, "A7", "You let the layer add its kernel size."),
                (
                    lambda: (_STRIDES[-1].extent - 1) * _STRIDES[-1].stride,
                    "M7",
                    "You took the layer's own stride. The jump before it counts.",
                ),
                (
                    lambda: (_STRIDES[-1].extent - 1) * _STRIDES[-2].stride,
                    "M7",
                    "You took the stride of the layer before it alone. All strides before it multiply.",
                ),
                (
                    lambda: _STRIDES[-1].kernel_size * _jump_before_the_last(),
                    "A7",
                    "You multiplied the jump by the kernel size. From the first of three to the last "
                    "there are two steps.",
                ),
                (lambda: (_STRIDES[-1].extent - 1) * 5, "A6", "You added the strides before it. They multiply."),
            ],
        ),
    ),
)
