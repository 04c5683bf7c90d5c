"""Questions of lesson 09: what dilated layers read, what they leave out, and how far they see without blind spots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations_with_replacement, count
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

TWOS, DOUBLING = (2, 2, 2), (1, 2, 4)
ODD = 3  # an offset inside the window of TWOS that it does not read
SCHEDULES = ((4, 2, 1), (1, 3, 6), (1, 2, 9), (1, 2, 7))
LARGEST = 12  # dilations up to here are tried; beyond it nothing is found, as the lesson proves
EIGHTS = (8,) * 10
BLOCKS = (1, 2, 4, 8)
_WAVENET = [Layer(2, name="first"), *[Layer(2, dilation=2**i, name=f"dilated {i + 1}") for i in range(10)]]
_TAPS = Layer(3, dilation=3, name="conv")
_NEXT = (1, 1, 3)
_HALVED = [Layer(3, stride=2, name="conv1"), Layer(3, name="conv2"), Layer(3, name="conv3")]


def stack(dilations: Iterable[int], kernel_size: int = 3) -> list[Layer]:
    """Layers of stride 1, padded so that unit 0 stands at position 0."""
    return [Layer(kernel_size, padding=d * (kernel_size - 1) // 2, dilation=d, name=f"dilation {d}") for d in dilations]


def _size(dilations: Sequence[int]) -> int:
    return receptive_field(stack(dilations)).size


def _reads(dilations: Sequence[int]) -> int:
    return len(receptive_field(stack(dilations)).positions(0))


def _is_whole(layers: Sequence[Layer]) -> bool:
    """Whether the unit reads every position of its window."""
    return receptive_field(layers).density == 1


def _words(dilations: Sequence[int]) -> str:
    return ", ".join(map(str, dilations))


@cache
def _at_odd() -> float:
    from rflib.experiments import read_comb  # training needs torch; looking at one's progress does not

    result = read_comb([TWOS], largest=ODD, steps=150, progress=False)
    return result.runs[0].accuracy[result.offsets.index(ODD)]


def _odd() -> str:
    return "chance" if _at_odd() < 0.6 else "good" if _at_odd() > 0.9 else "between"


def _with_holes() -> str:
    [found] = [_words(dilations) for dilations in SCHEDULES if not _is_whole(stack(dilations))]
    return found


def _reveal_schedules() -> str:
    return "\n".join(f"{_words(d)} reads {_reads(d)} of {_size(d)} positions." for d in SCHEDULES)


@cache
def _widest() -> tuple[int, ...]:
    """Of all schedules of three dilations, the one with the longest window without a hole."""
    tried = combinations_with_replacement(range(1, LARGEST + 1), 3)
    return max((d for d in tried if _is_whole(stack(d))), key=_size)


def _reveal_widest() -> list[Any]:
    said = f"Of all schedules with dilations up to {LARGEST}, {_words(_widest())} sees furthest without a hole."
    return [said, rf.draw_stack(stack(_widest()), unit=0)]


def _tcn(convolutions: int = 2) -> list[Layer]:
    """The causal convolutions of a TCN, so many in each block."""
    return [
        Layer(3, padding=(2 * d, 0), dilation=d, name=f"block {number} conv {i + 1}")
        for number, d in enumerate(BLOCKS, start=1)
        for i in range(convolutions)
    ]


def _largest_next(layers: Sequence[Layer], kernel_size: int = 3) -> int:
    """The largest dilation of one more layer that leaves no hole."""
    first = next(d for d in count(1) if not _is_whole([*layers, Layer(kernel_size, dilation=d)]))
    return first - 1


def _layers_for(size: int) -> int:
    """How many layers with doubling dilation it takes to see so far."""
    return next(n for n in count(1) if _size([2**i for i in range(n)]) >= size)


def _taps() -> str:
    """Which of the sentences describes the layer: its taps, and the step between its units."""
    first, *_ = reads = _TAPS.reads(0)
    gaps, step = reads[1] - first, _TAPS.reads(1)[0] - first
    return {(3, 1): "holes", (4, 1): "more", (1, 3): "stride"}[gaps, step]


LESSON = Lesson(
    "09",
    "Dilation",
    "lessons/09_dilation.ipynb",
    (
        Number(
            "Three convolutions with kernel 3, each with dilation 2. How many different input positions does a unit of "
            "the last one really read?",
            id="09-read",
            unit="input positions",
            prediction=True,
            truth=lambda: _reads(TWOS),
            reveal=lambda: rf.draw_stack(stack(TWOS), unit=0),
            mistakes=[
                (
                    lambda: _size(TWOS),
                    "M17",
                    "This is the window, from the first position read to the last. There are holes between them.",
                ),
                (
                    lambda: _wrong.kernels_added(stack(TWOS)),
                    "A7",
                    "You counted the taps of all layers. A tap brings all that its own unit reads, and these overlap.",
                ),
                (
                    lambda: 3 ** len(TWOS),
                    None,
                    "You counted the paths. Several of them end at the same position.",
                ),
                (
                    lambda: _wrong.last_kernel(stack(TWOS)),
                    "M2",
                    "You counted the taps of the last layer. Each of them reads several positions through the others.",
                ),
            ],
        ),
        Choice(
            "A network of three such layers, each with dilation 2, is trained to name the sign that stands "
            f"{ODD} positions to the right. This position lies well inside its window of {_size(TWOS)}. "
            "Which share of fresh signs does it get right?",
            id="09-odd",
            prediction=True,
            truth=_odd,
            reveal=lambda: f"At offset {ODD} the trained network is right in {_at_odd():.0%} of all cases.",
            options=[
                Option(
                    "good",
                    "You took the window for what is read. The unit reads every second position of it, and this one is "
                    "between two of them.",
                    "M17",
                    "Nearly all: the position lies inside the window.",
                ),
                Option(
                    "between",
                    "The neighbors on both sides are read, but the signs are drawn one by one: no neighbor "
                    "tells anything about this one.",
                    "M17",
                    "About three quarters: it sees the neighbors on both sides.",
                ),
                Option("chance", text="About a half, like a coin."),
            ],
        ),
        Choice(
            "Four schedules of dilations for three layers with kernel 3, the first layer first. One of them has blind "
            "spots. Which?",
            id="09-schedule",
            prediction=True,
            truth=_with_holes,
            reveal=_reveal_schedules,
            options=[
                Option(
                    "4, 2, 1",
                    "The coarse layer comes first, and the finer ones close its holes. A sum of steps does not mind "
                    "the order.",
                    "M17",
                ),
                Option(
                    "1, 3, 6",
                    "3 and 6 have a common factor, and it does no harm: the layers with dilation 1 and 3 read 9 "
                    "positions in a row, and copies of these that lie 6 apart overlap.",
                    "M17",
                ),
                Option("1, 2, 9"),
                Option(
                    "1, 2, 7",
                    "After 1 and 2 the window has 7 positions without a hole. Copies of it that lie 7 apart touch.",
                    "M17",
                ),
            ],
        ),
        Number(
            "Three convolutions with kernel 3 and stride 1. You choose the three dilations. How wide can the window be "
            "at most, if no position in it may be left out?",
            id="09-widest",
            unit="input positions",
            prediction=True,
            truth=lambda: _size(_widest()),
            reveal=_reveal_widest,
            mistakes=[
                (lambda: _size((1, 1, 1)), "A9", "This is what three ordinary layers see. Dilation goes further."),
                (
                    lambda: _wrong.kernels_added(stack(DOUBLING)),
                    "A7",
                    "You counted the taps. Each tap of a later layer brings all that its unit has seen.",
                ),
                (lambda: _size(DOUBLING), "A9", "You doubled the dilation. It may grow faster than that."),
                (lambda: _size((1, 2, 5)), None, "The schedule 1, 2, 5 does that, and it is not the best."),
                (
                    lambda: _size((1, 3, 6)),
                    None,
                    "The schedule 1, 3, 6 does that, and its last dilation may be larger.",
                ),
                (lambda: _size((1, 2, 9)), "M17", "A schedule such as 1, 2, 9 is as wide, and has holes."),
            ],
        ),
        Number(
            f"{len(EIGHTS)} convolutions with kernel 3, each with dilation {EIGHTS[0]}. How wide is the window?",
            id="09-constant",
            unit="input positions",
            prediction=True,
            truth=lambda: _size(EIGHTS),
            reveal=lambda: rf.draw_growth(
                {
                    "dilation 8": rf.layer_table(stack(EIGHTS)),
                    "dilation doubles": rf.layer_table(stack([2**i for i in range(len(EIGHTS))])),
                },
                log=True,
            ),
            mistakes=[
                (
                    lambda: _size([2**i for i in range(len(EIGHTS))]),
                    "A9",
                    "You let the dilation double from layer to layer. Here it stays the same, so each layer adds the "
                    "same.",
                ),
                (lambda: _wrong.without_dilation(stack(EIGHTS)), "M4", "You left the dilation out of the size."),
                (
                    lambda: _size(EIGHTS) - 1,
                    "M15",
                    "You counted the steps. The first position is there already, so there is one more.",
                ),
                (
                    lambda: 3 * sum(EIGHTS),
                    "A7",
                    "You let each layer add its kernel size times the dilation. Three taps have two gaps.",
                ),
            ],
        ),
        Number(
            "A temporal convolutional network (TCN): four blocks with kernel 3, with the dilations 1, 2, 4 and 8. Each "
            "block has two convolutions with the same dilation. How many past and present samples does the output see?",
            id="09-tcn",
            unit="samples",
            prediction=True,
            truth=lambda: receptive_field(_tcn()).size,
            reveal=lambda: rf.layer_table(_tcn()),
            mistakes=[
                (
                    lambda: receptive_field(_tcn(1)).size,
                    "M14",
                    "You counted one convolution a block. Each block has two, and each of them widens the window.",
                ),
                (
                    lambda: 2 * receptive_field(_tcn(1)).size,
                    "M14",
                    "You doubled the window of a network with one convolution a block. Only the steps double, and not "
                    "the first position.",
                ),
                (lambda: receptive_field(_tcn()).size - 1, "M15", "You counted the steps; the present is one more."),
                (
                    lambda: _wrong.without_dilation(_tcn()),
                    "M4",
                    "You left the dilations out. Two taps of block 4 are 8 samples apart.",
                ),
            ],
        ),
        Number(
            "WaveNet, as its authors drew it, begins with one ordinary causal convolution with kernel 2. After it come "
            "ten with kernel 2 and the dilations 1, 2, 4, ..., 512. How many samples does a unit after the last one "
            "see?",
            id="09-wavenet",
            unit="samples",
            prediction=True,
            truth=lambda: receptive_field(_WAVENET).size,
            reveal=lambda: rf.layer_table(_WAVENET),
            mistakes=[
                (
                    lambda: receptive_field(_WAVENET[1:]).size,
                    "M15",
                    "You left the first convolution out. It adds one step.",
                ),
                (
                    lambda: receptive_field(_WAVENET[1:]).size - 1,
                    "M15",
                    "You added the ten dilations. The present sample and the first convolution are one more each.",
                ),
                (
                    lambda: receptive_field(_WAVENET).size + 1,
                    "M15",
                    "You counted one too many: the first convolution adds one step, and not two.",
                ),
                (
                    lambda: receptive_field([Layer(3, dilation=layer.dilation) for layer in _WAVENET[1:]]).size,
                    None,
                    "You took kernel 3. Here it is 2, so each layer adds its dilation once.",
                ),
            ],
        ),
        Choice(
            "A convolution with kernel 3, stride 1 and dilation 3. Which sentence describes it?",
            id="09-taps",
            truth=_taps,
            reveal=lambda: rf.draw_stack([_TAPS], unit=0),
            options=[
                Option(
                    "stride",
                    "A stride sets the units apart. Here neighboring units still begin one position after the other; "
                    "it is the taps of one unit that are spread.",
                    "A10",
                    "Its stride is 3: the output has a third as many units as the input.",
                ),
                Option(
                    "more",
                    "You put three holes between two taps. The dilation is their distance, so there are two.",
                    "A10",
                    "Three holes lie between neighboring taps, and each position has its own unit.",
                ),
                Option("holes", text="Two holes lie between neighboring taps, and each position has its own unit."),
            ],
        ),
        Number(
            "Kernel 3, and dilations that double from 1 on. Five layers see 63 positions. How many *more* layers "
            "does it take to see at least 16 times as far?",
            id="09-further",
            unit="layers",
            truth=lambda: _layers_for(16 * _size([2**i for i in range(5)])) - 5,
            reveal=lambda: rf.layer_table(stack([2**i for i in range(9)])),
            hints=(
                "What does one more layer do to the window?",
                "One more layer makes 127 of 63: a little more than twice as far.",
                "How many doublings make 16?",
            ),
            mistakes=[
                (
                    lambda: 15 * 5,
                    "M16",
                    "You let the window grow in step with the depth, as it does without dilation. Here each layer "
                    "doubles it.",
                ),
                (
                    lambda: 16,
                    "M16",
                    "You let each layer add as much as five layers see now. Each layer adds more than the one before.",
                ),
                (lambda: _layers_for(16 * 63), "M15", "You counted all layers. Five of them are there already."),
                (
                    lambda: 16 // 2,
                    "M16",
                    "You divided by two where a layer doubles: it takes as many doublings as make 16.",
                ),
            ],
        ),
        Number(
            f"The first three layers have kernel 3 and the dilations {_words(_NEXT)}. What is the largest dilation "
            "that a fourth layer with kernel 3 may have, if no position is to be left out?",
            id="09-next",
            truth=lambda: _largest_next(stack(_NEXT)),
            reveal=lambda: rf.draw_stack(stack([*_NEXT, _largest_next(stack(_NEXT))]), unit=0),
            hints=(
                "The fourth layer reads three copies of the window of the third. When do they leave a gap?",
                "They touch as long as they are no further apart than the window is long.",
                "Add up what three layers see: 1 + 2 + 2 + 6.",
            ),
            mistakes=[
                (
                    lambda: 2 * _NEXT[-1],
                    None,
                    "You doubled the last dilation. That leaves no hole, but a larger one does not either.",
                ),
                (
                    lambda: 3 * _NEXT[-1],
                    None,
                    "You tripled the last dilation. That leaves no hole, and here there is room for more.",
                ),
                (
                    lambda: sum(_NEXT),
                    None,
                    "You added up the dilations. Each layer with kernel 3 widens the window by twice its dilation.",
                ),
                (
                    lambda: _size(_NEXT) - 1,
                    "M15",
                    "You counted the steps of the window. Copies that lie one further apart still touch.",
                ),
                (
                    lambda: _size(_NEXT) + 1,
                    "M15",
                    "One too many: between two copies of the window one position stays unread.",
                ),
            ],
        ),
        Number(
            "Three layers with kernel 3, the first of them with stride 2. Then a fourth with kernel 3 and a dilation. "
            "What is the largest dilation with which a unit still reads every *input* position of its window?",
            id="09-behind-a-stride",
            truth=lambda: _largest_next(_HALVED),
            reveal=lambda: rf.draw_stack([*_HALVED, Layer(3, dilation=_largest_next(_HALVED), name="dilated")], unit=0),
            hints=(
                "How wide are the windows of the units that the fourth layer reads, and how far apart are neighbors?",
                "The windows have 3 + 4 + 4 positions, and neighbors are 2 apart. The dilation counts in these twos.",
                "Copies of 11 positions must not be more than 11 apart.",
            ),
            mistakes=[
                (
                    lambda: receptive_field(_HALVED).size,
                    None,
                    "You took a step of the dilation for one position. Behind a stride it is one jump.",
                ),
                (
                    lambda: receptive_field(_HALVED).stride,
                    None,
                    "You took the jump. The window has to be at least as long as dilation times jump.",
                ),
                (
                    lambda: _largest_next(_HALVED) + 1,
                    "M17",
                    "One more, and the windows do not touch: they lie further apart than they are long.",
                ),
                (
                    lambda: _largest_next(stack((1, 1, 1))),
                    None,
                    "You left the stride out: it widens the windows, and spreads them even more.",
                ),
            ],
        ),
    ),
)
