"""Questions of lesson 03: the recursion, from the input on and from the output back, with stride and dilation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, jumps, receptive_field
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_ORDER = [Layer(3, stride=2, name="conv1"), Layer(3, name="conv2")]
_POOLED = [Layer(3, name="conv"), Layer(2, stride=2, name="pool")]
_DILATED = Layer(3, dilation=4, name="conv")
_THREE = [Layer(5, stride=2, name="conv1"), Layer(3, name="conv2"), Layer(3, stride=2, name="conv3")]
_STRIDES = [Layer(3, stride=2), Layer(3), Layer(3, stride=2), Layer(3)]
_SAMPLES = [_ORDER, [_DILATED, Layer(3)], _THREE, _STRIDES]  # enough to convict every wrong rule of the lesson
_PRINTED = 308  # what a tool printed for VGG-16


def _by_index_sets(layers: Sequence[Layer]) -> int:
    """The size without any rule: which positions does unit 0 read?"""
    read = {0}
    for layer in reversed(layers):
        read = {position for unit in read for position in layer.reads(unit)}
    return max(read) - min(read) + 1


def _holes_for_distance(layers: Sequence[Layer]) -> int:
    """M3: dilation 0 where there are no holes, put into the extent as it is."""
    kernels = ((layer.dilation - 1) * (layer.kernel_size - 1) + 1 for layer in layers)
    return receptive_field([Layer(k, layer.stride) for k, layer in zip(kernels, layers, strict=True)]).size


def _jump_too_early(layers: Sequence[Layer]) -> int:
    """M7: the jump after the layer in the place of the jump before it."""
    jump, size = 1, 1
    for layer in layers:
        jump *= layer.stride
        size += (layer.extent - 1) * jump
    return size


def _whole_kernels(layers: Sequence[Layer]) -> int:
    """A7: the whole kernel times the jump, where one less belongs."""
    return 1 + sum(layer.extent * jump for layer, jump in zip(layers, jumps(tuple(layers)), strict=True))


_CLAIMS: dict[str, Callable[[Sequence[Layer]], int]] = {
    "A7": _wrong.kernels_added,
    "M7": _wrong.own_stride,
    "A6": lambda layers: rf.receptive_field_backward(layers).size,
    "M6": _wrong.from_the_wrong_end,
    "M4": _wrong.without_dilation,
    "M3": _holes_for_distance,
}

_SLIPS: dict[str, Callable[[Sequence[Layer]], int]] = {
    "A7": _wrong.kernels_added,
    "no jump": _wrong.without_strides,
    "whole": _whole_kernels,
    "M7": _jump_too_early,
    "M6": _wrong.from_the_wrong_end,
}


def _true_claim() -> str:
    """The one rule that says what the index sets say, on every sample."""
    [name] = [name for name, rule in _CLAIMS.items() if all(rule(x) == _by_index_sets(x) for x in _SAMPLES)]
    return name


def _vgg() -> tuple[Layer, ...]:
    return network("vgg16").layers


def _guilty_slip() -> str:
    [name] = [name for name, slip in _SLIPS.items() if slip(_vgg()) == _PRINTED]
    return name


def _acquitted(name: str, slip: str, why: str) -> Callable[[], str]:
    """Feedback with the number that this slip really gives for VGG-16."""
    return lambda: f"{slip} gives {_SLIPS[name](_vgg())} for VGG-16. {why}"


def _reveal_slips() -> str:
    said = {
        "A7": "kernel sizes added",
        "no jump": "strides left out",
        "whole": "the whole kernel times the jump",
        "M7": "jump taken after the layer",
        "M6": "walked from the wrong end",
    }
    return "\n".join(f"{said[name]}: {slip(_vgg())}" for name, slip in _SLIPS.items())


def _reveal_claims() -> str:
    said = {
        "A7": "adds its kernel size",
        "M7": "its own stride",
        "A6": "the way back",
        "M6": "from either end",
        "M4": "dilation changes nothing",
        "M3": "ordinary is 0",
    }
    rows = (
        f"{said[name]} ({name}): {sum(rule(x) == _by_index_sets(x) for x in _SAMPLES)} of {len(_SAMPLES)}"
        for name, rule in _CLAIMS.items()
    )
    return "How often each rule is right on small stacks:\n" + "\n".join(rows)


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
        Choice(
            "Six sentences from articles, forums and tools, about a layer with kernel size k, stride s and "
            "dilation d. One of them is true. Which?",
            id="03-claims",
            prediction=True,
            truth=_true_claim,
            reveal=_reveal_claims,
            options=[
                Option(
                    "A7",
                    "The first of its k taps stands where the window begins already: a layer adds k less one, "
                    "times the jump before it.",
                    "A7",
                    "Each layer widens the window by its kernel size k.",
                ),
                Option(
                    "M7",
                    "Its own stride sets its own units apart. What it reads is as far apart as the layers before "
                    "it have set it: the jump before it counts.",
                    "M7",
                    "Each layer widens the window by k - 1 times its own stride s.",
                ),
                Option(
                    "M3",
                    "In this formula d is the distance of neighboring taps, which is 1 where there are no holes. With "
                    "0 every kernel would shrink to 1.",
                    "M3",
                    "A kernel spans d(k - 1) + 1, where an ordinary convolution has d = 0.",
                ),
                Option(
                    "A6",
                    text="On the way back through a layer, a window of r units becomes one of s·r + (e - s), "
                    "where e = d(k - 1) + 1.",
                ),
                Option(
                    "M4",
                    "The taps are as many as before, and they stand further apart: the window grows, and it may "
                    "have holes.",
                    "M4",
                    "Dilation does not change the size: the kernel has as many taps as before.",
                ),
                Option(
                    "M6",
                    "A stride counts for the layers after it. Turn the order round, and it counts for others.",
                    "M6",
                    "From which end you multiply the strides makes no difference, as in any product.",
                ),
            ],
        ),
        Choice(
            "A tool printed 308 for VGG-16, whose window is 212 wide. Which slip gives 308?",
            id="03-suspect",
            prediction=True,
            truth=_guilty_slip,
            reveal=_reveal_slips,
            options=[
                Option(
                    "A7",
                    _acquitted("A7", "Adding kernel sizes", "Too small: without jumps no layer adds much."),
                    "A7",
                    "It added the kernel sizes.",
                ),
                Option(
                    "no jump",
                    _acquitted(
                        "no jump",
                        "Leaving the strides out",
                        "Too small: it is the strides that widen what later layers add.",
                    ),
                    None,
                    "It left the strides out.",
                ),
                Option(
                    "whole",
                    _acquitted(
                        "whole",
                        "The whole kernel times the jump",
                        "Too large: k taps have k - 1 steps between them.",
                    ),
                    "A7",
                    "It let each layer add k times the jump, and not k - 1 times.",
                ),
                Option(
                    "M7",
                    _acquitted("M7", "Taking the jump after the layer", "Each pool then counts its own stride."),
                    "M7",
                    "It multiplied the jump one line too early, so each pool counts its own stride.",
                ),
                Option("M6", text="It walked the layers from the wrong end."),
            ],
        ),
    ),
)
