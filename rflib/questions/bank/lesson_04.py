"""Questions of lesson 04: the closed form, and what it says when something else than the size is unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, permutations
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, jumps, receptive_field
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_TARGET = 101
_LAST_STAGE = 4  # VGG-16 ends with three convolutions and a pool
_THREE = (Layer(7, name="conv 7"), Layer(3, stride=2, name="conv 3 stride 2"), Layer(2, stride=2, name="pool"))
_PRINTED = 574
_BLOCK = [Layer(2, dilation=2**i) for i in range(10)]
_STEM = [Layer(7, stride=2, name="conv1"), Layer(3, stride=2, name="pool"), Layer(1, name="conv2")]
_WANTED = 67
_FAR = 1000


def _size(layers: Sequence[Layer]) -> int:
    return receptive_field(layers).size


def _fewest(reaches: Callable[[int], bool]) -> int:
    """The smallest number, from 1 on, that reaches a goal."""
    return next(n for n in count(1) if reaches(n))


def _vgg() -> tuple[Layer, ...]:
    return network("vgg16").layers


def _added_by_the_last_stage(rule: Callable[[Sequence[Layer]], int]) -> int:
    return rule(_vgg()) - rule(_vgg()[:-_LAST_STAGE])


def _reveal_share() -> list[Any]:
    whole, before = _size(_vgg()), _size(_vgg()[:-_LAST_STAGE])
    return [f"{whole} at the end, {before} before the last stage.", rf.layer_table(_vgg())]


def _named(layers: Sequence[Layer]) -> str:
    return ", then ".join(str(layer.name) for layer in layers)


def _orders() -> dict[str, int]:
    """The field of the three layers in every order."""
    return {_named(order): _size(order) for order in permutations(_THREE)}


def _widest_order() -> str:
    sizes = _orders()
    [best] = [name for name, size in sizes.items() if size == max(sizes.values())]
    return best


def _order(first: int, second: int, third: int) -> str:
    return _named([_THREE[first], _THREE[second], _THREE[third]])


def _says(order: str, why: str) -> Callable[[], str]:
    return lambda: f"This order sees {_orders()[order]} positions. {why}"


def _patchgan(halving: int, rest: int = 2) -> list[Layer]:
    """Kernels of 4: so many with stride 2, then the rest with stride 1."""
    return [Layer(4, stride=2)] * halving + [Layer(4)] * rest


def _jump_after(layers: Sequence[Layer]) -> int:
    """M7: the jump after the layer in the place of the jump before it."""
    before = jumps(tuple(layers))
    return 1 + sum((x.extent - 1) * jump * x.stride for x, jump in zip(layers, before, strict=True))


def _whole_kernels(layers: Sequence[Layer]) -> int:
    """A7: the whole kernel times the jump, where one less belongs."""
    return 1 + sum(layer.extent * jump for layer, jump in zip(layers, jumps(tuple(layers)), strict=True))


_SUSPECTS: dict[str, Callable[[], int]] = {
    "from the wrong end": lambda: _wrong.from_the_wrong_end(_patchgan(5)),
    "whole kernels": lambda: _whole_kernels(_patchgan(5)),
    "with the jump after": lambda: _jump_after(_patchgan(5)),
    "one more, stride 1": lambda: _size(_patchgan(5, rest=3)),
    "one more, stride 2": lambda: _size(_patchgan(6)),
}


def _guilty() -> str:
    [name] = [name for name, gives in _SUSPECTS.items() if gives() == _PRINTED]
    return name


def _gives(name: str, why: str) -> Callable[[], str]:
    return lambda: f"That gives {_SUSPECTS[name]()}. {why}"


_TESTS: dict[str, list[Layer]] = {
    "alike": [Layer(3, stride=2)] * 6,
    "mirrored": [Layer(3), Layer(2, stride=2), Layer(3)],
    "no stride": [Layer(3), Layer(5), Layer(7)],
    "pool first": [Layer(2, stride=2), Layer(3), Layer(3)],
}


def _telling_test() -> str:
    """The one stack on which the slip gives a wrong number."""
    [name] = [name for name, stack in _TESTS.items() if _wrong.from_the_wrong_end(stack) != _size(stack)]
    return name


def _reveal_tests() -> str:
    rows = (f"{name}: {_size(stack)}, and from the wrong end {_size(stack[::-1])}" for name, stack in _TESTS.items())
    return "\n".join(rows)


def _pairs(n: int) -> list[Layer]:
    return [Layer(3), Layer(2, stride=2)] * n


def _reveal_pairs() -> str:
    n = _fewest(lambda n: _size(_pairs(n)) >= _FAR)
    return f"{n - 1} pairs see {_size(_pairs(n - 1))} positions, {n} pairs see {_size(_pairs(n))}."


LESSON = Lesson(
    "04",
    "The closed form",
    "lessons/04_closed_form.ipynb",
    (
        Number(
            "You stack convolutions of kernel 3 with stride 1 and dilation 1, one on another. How many layers does it "
            f"take until the window is {_TARGET} positions wide?",
            id="04-layers-to-101",
            unit="layers",
            prediction=True,
            truth=lambda: _fewest(lambda n: _size([Layer(3)] * n) >= _TARGET),
            reveal=lambda: "Every layer adds 2 steps, and 100 steps are needed beside the first position.",
            mistakes=[
                (
                    lambda: _fewest(lambda n: 2**n >= _TARGET),
                    "A4",
                    "You let every layer double the field. With stride 1 and one dilation each layer adds the same.",
                ),
                (
                    lambda: _fewest(lambda n: 2 ** (n + 1) - 1 >= _TARGET),
                    "A4",
                    "You let each layer add twice as much as the one before it. That takes strides or dilations.",
                ),
                (
                    lambda: _fewest(lambda n: 3**n >= _TARGET),
                    "A4",
                    "You let every layer multiply the field by 3. The windows of neighbors overlap, so it adds 2.",
                ),
                (
                    lambda: _fewest(lambda n: 3 * n >= _TARGET),
                    "A7",
                    "You let each layer add its kernel size. It adds one less.",
                ),
                (
                    lambda: _fewest(lambda n: 2 * n >= _TARGET),
                    "M15",
                    "You forgot the one position that is there before the first layer: 1 + 2 + 2 + ...",
                ),
                (
                    lambda: _fewest(lambda n: 1 + n >= _TARGET),
                    None,
                    "You let the window grow on one side only. A kernel of 3 adds one position on each side.",
                ),
            ],
        ),
        Number(
            "VGG-16 sees 212 positions. Its last stage has three convolutions of kernel 3 and a max-pool of kernel 2 "
            "and stride 2; four such pools stand before it. How many of the 212 positions does the last stage add?",
            id="04-share",
            unit="input positions",
            prediction=True,
            truth=lambda: _added_by_the_last_stage(_size),
            reveal=_reveal_share,
            mistakes=[
                (
                    lambda: _added_by_the_last_stage(_size) - jumps(_vgg())[-1],
                    None,
                    "You counted the three convolutions and left the pool out. It adds one step too.",
                ),
                (
                    lambda: _added_by_the_last_stage(_wrong.without_strides),
                    None,
                    "You counted steps as if each were one position long. Behind four pools a step is 16 long.",
                ),
                (
                    lambda: _added_by_the_last_stage(_wrong.kernels_added),
                    "A7",
                    "You added the kernel sizes. A layer adds one less, times the jump before it.",
                ),
                (
                    lambda: _added_by_the_last_stage(_jump_after),
                    "M7",
                    "You took the jump behind the last pool. These layers read units that are 16 apart, not 32.",
                ),
                (
                    lambda: _size(_vgg()[: -_LAST_STAGE - 1 : -1]) - 1,
                    "M6",
                    "You walked from the wrong end. The strides *before* a layer count, and there are four of them.",
                ),
            ],
        ),
        Choice(
            "A convolution of kernel 7 with stride 1, a convolution of kernel 3 with stride 2, and a pool of "
            "kernel 2 with stride 2. In which order do they see the most?",
            id="04-order",
            prediction=True,
            truth=_widest_order,
            reveal=lambda: "\n".join(f"{order}: {size}" for order, size in _orders().items()),
            options=[
                Option(
                    _order(0, 1, 2),
                    _says(_order(0, 1, 2), "At the input a step of the large kernel is worth 1 position only."),
                    "M6",
                ),
                Option(
                    _order(1, 0, 2),
                    _says(_order(1, 0, 2), "The kernel of 7 stands behind one stride. Behind both it is worth more."),
                    "M6",
                ),
                Option(
                    _order(1, 2, 0),
                    _says(
                        _order(1, 2, 0),
                        "Close: both strides stand before the large kernel. Put first what adds little itself.",
                    ),
                    None,
                ),
                Option(_order(2, 1, 0)),
                Option(
                    "no matter",
                    "The *product* of all strides is the same in any order. Which of them stand before a layer is not.",
                    "M6",
                    "The order makes no difference.",
                ),
            ],
        ),
        Choice(
            "Seven layers of kernel 4, the first five with stride 2, the last two with stride 1. Their field is 286, "
            "and 574 was printed. Which change, in the layers or in the rule, makes 574?",
            id="04-printed",
            prediction=True,
            truth=_guilty,
            reveal=lambda: "\n".join(f"{name}: {gives()}" for name, gives in _SUSPECTS.items()),
            options=[
                Option(
                    "from the wrong end",
                    _gives(
                        "from the wrong end", "The strides are at the front, so the wrong end makes the field small."
                    ),
                    "M6",
                    "The strides are multiplied from the wrong end.",
                ),
                Option(
                    "whole kernels",
                    _gives("whole kernels", "Adding 4 steps for 3 makes it larger by a third only."),
                    "A7",
                    "Each layer adds its whole kernel, 4, times the jump.",
                ),
                Option(
                    "with the jump after",
                    _gives(
                        "with the jump after", "The last two layers have stride 1, so their terms stay as they are."
                    ),
                    "M7",
                    "Each layer takes the jump after it in the place of the jump before it.",
                ),
                Option(
                    "one more, stride 1",
                    _gives("one more, stride 1", "A further layer with stride 1 adds one more term of 96."),
                    "M11",
                    "There is one more layer with stride 1.",
                ),
                Option("one more, stride 2", text="There is one more layer with stride 2."),
            ],
        ),
        Number(
            "Ten causal layers of kernel 2 with the dilations 1, 2, 4, and so on up to 512, as in WaveNet. How many "
            "samples does one output see?",
            id="04-wavenet",
            unit="samples",
            prediction=True,
            truth=lambda: _size(_BLOCK),
            reveal=lambda: "The dilations sum to 1023, and the sample itself is one more.",
            mistakes=[
                (
                    lambda: _size(_BLOCK) - 1,
                    "M15",
                    "One too few: you counted the steps. A window of so many steps has one position more.",
                ),
                (
                    lambda: _size([Layer(2), *_BLOCK]),
                    "M15",
                    "One too many: that is the field of eleven layers, with an ordinary layer of kernel 2 in front.",
                ),
                (lambda: _wrong.without_dilation(_BLOCK), "M4", "You left the dilations out."),
                (lambda: _wrong.kernels_added(_BLOCK), "A7", "You added the kernel sizes, and left the dilations out."),
                (
                    lambda: 1 + sum(layer.kernel_size * layer.dilation for layer in _BLOCK),
                    "A10",
                    "You multiplied kernel and dilation. Two taps have one gap between them.",
                ),
                (lambda: _size(_BLOCK[-1:]), "M2", "You took the last layer alone."),
            ],
        ),
        Number(
            "Behind the stem of a ResNet a unit sees 11 positions, and its neighbor stands 4 positions further. One "
            f"more convolution follows, with stride 1 and no dilation. Which kernel size makes the field {_WANTED}?",
            id="04-kernel",
            unit="taps",
            truth=lambda: next(k for k in count(1) if _size([*_STEM, Layer(k)]) == _WANTED),
            reveal=lambda: rf.layer_table(
                [*_STEM[:2], Layer(next(k for k in count(1) if _size([*_STEM, Layer(k)]) == _WANTED), name="conv2")]
            ),
            hints=(
                "How many positions does the new layer have to add?",
                "It adds its kernel size less one, times the jump before it.",
                f"({_WANTED} - 11) / 4 steps, and a kernel has one tap more than it has steps.",
            ),
            mistakes=[
                (
                    lambda: (_WANTED - 11) // 4,
                    "M15",
                    "You found the number of steps. A kernel has one tap more than it has steps.",
                ),
                (
                    lambda: _WANTED - 11 + 1,
                    None,
                    "You left the jump out: a step of this layer is 4 positions long.",
                ),
                (
                    lambda: _WANTED - 11,
                    "A7",
                    "You let the layer add its kernel size. It adds one less, times the jump.",
                ),
                (
                    lambda: (_WANTED - 11) // 2 + 1,
                    "M7",
                    "You took the stride of the layer before it. The product of all strides before it counts.",
                ),
            ],
        ),
        Number(
            "A convolution of kernel 3 and a max-pool of kernel 2 with stride 2 make a pair. At least how many pairs, "
            f"one after another, reach {_FAR:,} positions?",
            id="04-pairs",
            unit="pairs",
            truth=lambda: _fewest(lambda n: _size(_pairs(n)) >= _FAR),
            reveal=_reveal_pairs,
            hints=(
                "How much does the first pair add? And the second, behind one pool?",
                "The pairs add 3, 6, 12, and so on. Together with the first position: 1 + 3 (1 + 2 + 4 + ...).",
                f"The bracket is `2**n - 1` for n pairs. How large must it be, so that 1 + 3 times it is {_FAR:,}?",
            ),
            mistakes=[
                (
                    lambda: _fewest(lambda n: _size(_pairs(n)) >= _FAR) - 1,
                    "M15",
                    lambda: (
                        f"One too few: these see {_size(_pairs(_fewest(lambda n: _size(_pairs(n)) >= _FAR) - 1))} "
                        "positions."
                    ),
                ),
                (
                    lambda: _fewest(lambda n: 2**n >= _FAR),
                    "M1",
                    "You let each pool double the field. It doubles the jump, and the convolutions add to that.",
                ),
                (
                    lambda: _fewest(lambda n: 1 + 3 * n >= _FAR),
                    "A4",
                    "You let every pair add the same 3. Behind a pool, the same layers add twice as much.",
                ),
                (
                    lambda: _fewest(lambda n: 1 + 2 * n >= _FAR),
                    "A4",
                    "You counted the convolutions as if there were no pools between them.",
                ),
            ],
        ),
        Number(
            "A WaveNet block has ten layers of kernel 2 with the dilations 1, 2, 4, up to 512. You put two such blocks "
            "one behind the other. How many samples does one output see?",
            id="04-two-blocks",
            unit="samples",
            truth=lambda: _size(_BLOCK * 2),
            reveal=lambda: f"1 + {_size(_BLOCK) - 1} + {_size(_BLOCK) - 1}: each block adds the sum of its dilations.",
            hints=(
                "Write the sum for 20 layers. How many times does it hold the 1 in front?",
                "Each block adds the sum of its dilations, `2**10 - 1`.",
                "1 + 1023 + 1023.",
            ),
            mistakes=[
                (
                    lambda: 2 * _size(_BLOCK),
                    "M15",
                    "One too many: you added two windows. The position itself is in both, and it counts once.",
                ),
                (
                    lambda: 2 * (_size(_BLOCK) - 1),
                    "M15",
                    "One too few: these are the steps. Add the position itself.",
                ),
                (
                    lambda: _size(_BLOCK) ** 2,
                    "A4",
                    "You multiplied, or went on doubling. The second block begins with dilation 1 again and adds "
                    "as much as the first.",
                ),
            ],
        ),
        Choice(
            "You want to know whether a tool multiplies the strides from the wrong end. On which of these stacks can "
            "you see it?",
            id="04-blind",
            truth=_telling_test,
            reveal=_reveal_tests,
            options=[
                Option(
                    "alike",
                    "All layers are alike, so from both ends the stack is the same. The slip stays hidden.",
                    "M6",
                    "Six convolutions of kernel 3, all with stride 2.",
                ),
                Option(
                    "mirrored",
                    "From both ends this stack is the same. The slip stays hidden.",
                    "M6",
                    "A convolution of 3, a pool of 2 with stride 2, a convolution of 3.",
                ),
                Option(
                    "no stride",
                    "Without strides every product is 1, and the order does not matter. The slip stays hidden.",
                    "M6",
                    "Convolutions of 3, 5 and 7 with stride 1.",
                ),
                Option("pool first", text="A pool of 2 with stride 2, then two convolutions of 3."),
            ],
        ),
    ),
)
