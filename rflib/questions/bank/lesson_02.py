"""Questions of lesson 02: tasks with a needed distance, and networks that do or do not reach it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Interval, Number, Option

DISTANCE = 6
_FIVE = [Layer(3, padding=1, name=f"conv{number}") for number in range(1, 6)]
_SHORT, _LONG = 3, 6  # layers of two networks that are trained
_WIDE, _NARROW_INPUT = [Layer(31, padding=15)], 16


def _centered(depth: int) -> list[Layer]:
    return [Layer(3, padding=1)] * depth


def _causal(depth: int) -> list[Layer]:
    return [Layer(3, padding=(2, 0))] * depth


def _least_depth(stack: Callable[[int], list[Layer]]) -> int:
    """The fewest layers with which unit 0 reads as far to the left as the answer lies."""
    return next(n for n in count(1) if -rf.receptive_field(stack(n)).interval(0)[0] >= DISTANCE)


def _least_kernel() -> int:
    """The smallest odd kernel, centered, that reads as far to the left as the answer lies."""
    return next(k for k in count(1, 2) if -Layer(k, padding=k // 2).reads(0)[0] >= DISTANCE)


def _trained(depth: int) -> float:
    from rflib.experiments import run_copy_task  # training needs torch; looking at one's progress does not

    return run_copy_task(DISTANCE, depths=(depth,), progress=False).runs[0].accuracy


def _bracket(accuracy: float) -> str:
    return "chance" if accuracy < 0.6 else "good" if accuracy > 0.9 else "between"


def _reveal_trained() -> str:
    lines = [f"{depth} layers: accuracy {_trained(depth):.2f}" for depth in (_SHORT, _LONG)]
    return "\n".join([*lines, "Chance is 0.50. What a unit cannot read, it cannot learn."])


def _wide_field() -> str:
    field = rf.receptive_field(_WIDE)
    read = field.positions(_NARROW_INPUT // 2, input_size=_NARROW_INPUT)
    return "hangs" if field.size > _NARROW_INPUT and len(read) == _NARROW_INPUT else "cut"


def _reveal_wide() -> list[Any]:
    size = rf.receptive_field(_WIDE).size
    said = f"The window has {size} positions. Unit {_NARROW_INPUT // 2} reads all {_NARROW_INPUT} that exist."
    return [said, rf.draw_stack(_WIDE, unit=_NARROW_INPUT // 2, input_size=_NARROW_INPUT)]


LESSON = Lesson(
    "02",
    "Why it matters",
    "lessons/02_why_it_matters.ipynb",
    (
        Choice(
            f"The copy task: at each position, say the sign of the sample {DISTANCE} positions to the "
            "left. A network of "
            f"{_SHORT} layers with kernel 3 is trained on random signs. Which share of the signs does it get right?",
            id="02-short",
            prediction=True,
            truth=lambda: _bracket(_trained(_SHORT)),
            reveal=_reveal_trained,
            options=[
                Option("chance", text="About a half: chance."),
                Option(
                    "between",
                    f"You expect half of the reach to give half of the answer. The sample {DISTANCE} "
                    "positions away says nothing about those in between.",
                    "A2",
                    "About three quarters.",
                ),
                Option(
                    "good",
                    "You expect training to make up for it. No weight leads from the sample to the unit, "
                    "so there is nothing to train.",
                    "A2",
                    "Nearly all, if the training is long enough.",
                ),
            ],
        ),
        Number(
            "A stack of convolutions with kernel 3, stride 1 and padding 1. How many layers does it "
            "need, at least, to see "
            f"the sample {DISTANCE} positions to the *left*?",
            id="02-depth",
            unit="layers",
            truth=lambda: _least_depth(_centered),
            reveal=lambda: rf.draw_stack(_centered(_least_depth(_centered)), unit=8, input_size=17),
            hints=(
                "How far to the left does one such layer reach?",
                "The window grows on both sides. Only one of them leads to the sample.",
                "Each layer reaches one position further to the left.",
            ),
            mistakes=[
                (lambda: DISTANCE // 3, "A7", "You let each layer reach as far as its kernel is wide."),
                (
                    lambda: DISTANCE // 2,
                    None,
                    f"You counted both sides: a window of {DISTANCE + 1} reaches only {DISTANCE // 2} to the left.",
                ),
                (
                    lambda: DISTANCE + 1,
                    "M15",
                    "You counted one layer too many: the unit itself stands above its own position already.",
                ),
                (lambda: 2 * DISTANCE, None, "You doubled the distance. That would be the window, less its center."),
            ],
        ),
        Number(
            "Instead of a stack you take *one* convolution, with an odd kernel and the padding that "
            "keeps it centered. How large must the "
            f"kernel be, at least, to see the sample {DISTANCE} positions to the left?",
            id="02-kernel",
            unit="taps",
            truth=_least_kernel,
            reveal=lambda: rf.draw_stack([Layer(_least_kernel(), padding=_least_kernel() // 2)], unit=8, input_size=17),
            hints=(
                "A centered kernel has as many taps on the left as on the right.",
                "How many taps do you need on the left? Then on the right?",
                "Taps on the left, taps on the right, and the one in the middle.",
            ),
            mistakes=[
                (
                    lambda: DISTANCE,
                    "M2",
                    "You took the distance for the kernel. A centered kernel reaches half of its size.",
                ),
                (
                    lambda: DISTANCE + 1,
                    None,
                    "You counted the taps on one side and the center. A centered kernel has the other side too.",
                ),
                (lambda: 2 * DISTANCE, "M15", "You forgot the tap in the middle."),
            ],
        ),
        Number(
            "A *causal* stack: kernel 3, stride 1, padding 2 on the left and none on the right, so that "
            "no unit looks ahead. How many layers "
            f"does it need, at least, to see the sample {DISTANCE} positions to the left?",
            id="02-causal",
            unit="layers",
            truth=lambda: _least_depth(_causal),
            reveal=lambda: rf.draw_stack(_causal(_least_depth(_causal)), unit=8, input_size=12),
            hints=(
                "Where does the window of such a layer begin, seen from its unit?",
                "The window still has three taps. All of them lie at the unit or to its left.",
                "Each layer reaches two positions further to the left.",
            ),
            mistakes=[
                (
                    lambda: _least_depth(_centered),
                    "M8",
                    "You counted as for a centered stack. The padding moves the window: here all of it "
                    "lies on the left.",
                ),
                (
                    lambda: DISTANCE // 3,
                    "A7",
                    "You let each layer reach as far as its kernel is wide. One of its three taps is the "
                    "unit's own position.",
                ),
                (lambda: _least_depth(_causal) + 1, "M15", "You counted one layer too many."),
            ],
        ),
        Interval(
            "Five convolutions, each with kernel 3, stride 1 and padding 1. From where to where does "
            "unit 20 of the last one see?",
            id="02-window",
            truth=lambda: rf.receptive_field(_FIVE).interval(20),
            reveal=lambda: rf.draw_stack(_FIVE, unit=20, input_size=41),
            hints=(
                "With this padding, unit 20 is centered on position 20.",
                "How far to each side does one layer reach? And five?",
                "Five positions to each side.",
            ),
            mistakes=[
                ((19, 21), "M2", "You took the last kernel alone."),
                (
                    lambda: (20 - rf.receptive_field(_FIVE).size, 20 + rf.receptive_field(_FIVE).size),
                    None,
                    "You took the whole size for the reach to each side.",
                ),
                (
                    lambda: rf.receptive_field(_wrong.without_padding(_FIVE)).interval(20),
                    "M8",
                    "You left the padding out. It does not resize the window, it moves it.",
                ),
                ((5, 35), "A7", "You let each layer add its whole kernel to each side."),
            ],
        ),
        Choice(
            f"A network has a field of {rf.receptive_field(_WIDE).size} positions. Its input has "
            f"{_NARROW_INPUT}. What does that mean?",
            id="02-wider-than-the-input",
            truth=_wide_field,
            reveal=_reveal_wide,
            options=[
                Option(
                    "error",
                    "You hold that a field cannot exceed its input. The window hangs over the border; "
                    "what lies out there is padding.",
                    "M12",
                    "The number is wrong: a field is never larger than the input.",
                ),
                Option(
                    "cut",
                    "You let the input set the field. The size belongs to the network; what a unit "
                    "*really reads* is cut at the border.",
                    "M12",
                    f"The field of this network is {_NARROW_INPUT}, then.",
                ),
                Option(
                    "hangs", text="The window hangs over the border, and the unit in the middle reads the whole input."
                ),
            ],
        ),
    ),
)
