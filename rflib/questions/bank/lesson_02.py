"""Questions of lesson 02: tasks with a needed distance, and networks that do or do not reach it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count, pairwise
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Interval, Number, Option

DISTANCE, FAR = 6, 9  # where the answer lies, in positions to the left
_SHORT = 5  # layers of the network that is one position short
_SHORT_LAYERS = [Layer(3, padding=1)] * _SHORT
_CAUSAL_LAYERS = [Layer(3, padding=(2, 0))] * 3
_FOUR = [Layer(5, padding=2, name=f"conv{number}") for number in range(1, 5)]
_WIDE, _NARROW_INPUT = [Layer(31, padding=15)], 16
_SIGNAL, _ACROSS = 16, 10  # a short signal, and an answer far away in it
FIELDS = (3, 7, 11, 15)


def _kernel_3(depth: int) -> list[Layer]:
    return [Layer(3, padding=1)] * depth


def _kernel_5(depth: int) -> list[Layer]:
    return [Layer(5, padding=2)] * depth


def _causal(depth: int) -> list[Layer]:
    return [Layer(3, padding=(2, 0))] * depth


def _reach(layers: list[Layer]) -> int:
    """How far to the left of its own position a unit reads."""
    return -receptive_field(layers).interval(0)[0]


def _least_depth(stack: Callable[[int], list[Layer]], distance: int = DISTANCE) -> int:
    """The fewest layers with which a unit reads as far to the left as the answer lies."""
    return next(n for n in count(1) if _reach(stack(n)) >= distance)


def _depth_by_size(stack: Callable[[int], list[Layer]], distance: int = DISTANCE) -> int:
    """The fewest layers whose whole window is longer than the distance."""
    return next(n for n in count(1) if receptive_field(stack(n)).size > distance)


def _least_kernel() -> int:
    """The smallest odd kernel, centered, that reads as far to the left as the answer lies."""
    return next(k for k in count(1, 2) if -Layer(k, padding=k // 2).reads(0)[0] >= DISTANCE)


@cache
def _trained(depth: int = _SHORT, steps: int = 100, channels: int = 16) -> float:
    from rflib.experiments import run_copy_task  # training needs torch; looking at one's progress does not

    (run,) = run_copy_task(DISTANCE, depths=(depth,), steps=steps, channels=channels, progress=False).runs
    return run.accuracy


def _bracket(accuracy: float) -> str:
    return "chance" if accuracy < 0.6 else "good" if accuracy > 0.9 else "between"


def _cures() -> dict[str, float]:
    """What each change of the short network leads to."""
    return {"longer": _trained(steps=400), "wider": _trained(channels=64), "deeper": _trained(_SHORT + 1)}


def _reveal_cures() -> str:
    names = {"longer": "four times as long", "wider": "four times as wide", "deeper": "one more layer"}
    return "\n".join(f"{names[name]}: accuracy {accuracy:.2f}" for name, accuracy in _cures().items())


def _learning() -> str:
    """Which of the two stacks read the sample that is the answer."""
    able = [-DISTANCE in receptive_field(layers).positions(0) for layers in (_SHORT_LAYERS, _CAUSAL_LAYERS)]
    return {(True, True): "both", (True, False): "A", (False, True): "B", (False, False): "none"}[able[0], able[1]]


def _reveal_sides() -> list[Any]:
    return [rf.draw_stack(layers, unit=12, input_size=24) for layers in (_SHORT_LAYERS, _CAUSAL_LAYERS)]


@cache
def _labeled() -> tuple[float, ...]:
    from rflib.experiments import label_mosaics

    return tuple(run.accuracy for run in label_mosaics(FIELDS, progress=False).runs)


def _shape() -> str:
    """Whether accuracy stays, climbs at every field, or makes most of its way at one of them."""
    steps = [after - before for before, after in pairwise(_labeled())]
    if sum(steps) < 0.1:
        return "flat"
    return "slope" if min(steps) > 0.05 and max(steps) < 0.8 * sum(steps) else "jump"


def _reveal_labeled() -> str:
    return "\n".join(f"field {f}: accuracy {a:.2f}" for f, a in zip(FIELDS, _labeled(), strict=True))


def _field_across() -> int:
    return receptive_field(_kernel_5(_least_depth(_kernel_5, _ACROSS))).size


def _largest_that_fits() -> int:
    """The largest field of such a stack that does not exceed the signal."""
    sizes = [receptive_field(_kernel_5(n)).size for n in range(1, _SIGNAL)]
    return max(size for size in sizes if size <= _SIGNAL)


def _wide_field() -> str:
    field = receptive_field(_WIDE)
    read = field.positions(_NARROW_INPUT // 2, input_size=_NARROW_INPUT)
    return "hangs" if field.size > _NARROW_INPUT and len(read) == _NARROW_INPUT else "cut"


def _reveal_wide() -> list[Any]:
    size = receptive_field(_WIDE).size
    said = f"The window has {size} positions. Unit {_NARROW_INPUT // 2} reads all {_NARROW_INPUT} that exist."
    return [said, rf.draw_stack(_WIDE, unit=_NARROW_INPUT // 2, input_size=_NARROW_INPUT)]


LESSON = Lesson(
    "02",
    "Why it matters",
    "lessons/02_why_it_matters.ipynb",
    (
        Choice(
            f"A network of {_SHORT} convolutions with kernel 3 is trained to copy the sign that lies {DISTANCE} "
            "positions to the *left*. A unit of its last layer stands in the middle of a window of "
            f"{receptive_field(_SHORT_LAYERS).size} positions. "
            "Which share of fresh signs does it get right?",
            id="02-short",
            prediction=True,
            truth=lambda: _bracket(_trained()),
            reveal=lambda: f"Accuracy {_trained():.2f}. A coin gets 0.50. The lesson now finds out why.",
            options=[
                Option(
                    "good",
                    f"You compared the distance, {DISTANCE}, with the size of the whole window. Half of that window "
                    "lies to the right of the unit, where the answer is not.",
                    "A2",
                    f"Nearly all: {receptive_field(_SHORT_LAYERS).size} positions are more than {DISTANCE}.",
                ),
                Option(
                    "between",
                    f"You expect most of the way to give most of the answer. The {_SHORT} samples in between say "
                    f"nothing about the one {DISTANCE} positions away.",
                    "A2",
                    "About three quarters: most of the way is seen.",
                ),
                Option("chance", text="About a half, like a coin."),
            ],
        ),
        Choice(
            "You may change *one* thing about that network. What brings it furthest?",
            id="02-cure",
            prediction=True,
            truth=lambda: max(_cures(), key=lambda name: _cures()[name]),
            reveal=_reveal_cures,
            options=[
                Option(
                    "longer",
                    "You expect training to make up for it. No weight leads from the answer to the unit, so there is "
                    "nothing that training could find.",
                    "A2",
                    "Train it four times as long.",
                ),
                Option(
                    "wider",
                    "You took channels for reach. More channels keep more of what is seen, and see nothing more.",
                    "A2",
                    "Make it four times as wide: 64 channels in the place of 16.",
                ),
                Option("deeper", text="Add one layer."),
            ],
        ),
        Number(
            "You take kernel 5 with padding 2 in the place of kernel 3. How many such layers, at least, does a network "
            f"need to learn the copy task with distance {DISTANCE}?",
            id="02-layers",
            unit="layers",
            prediction=True,
            truth=lambda: _least_depth(_kernel_5),
            reveal=lambda: rf.draw_stack(_kernel_5(_least_depth(_kernel_5)), unit=12, input_size=24),
            mistakes=[
                (
                    lambda: _depth_by_size(_kernel_5),
                    "A2",
                    "You counted the whole window, or the whole kernel. Only its left half leads to the answer.",
                ),
                (
                    lambda: _least_depth(_kernel_3),
                    None,
                    "That is the number for kernel 3. A layer with kernel 5 reaches two positions to each side.",
                ),
                (
                    lambda: _least_depth(_kernel_5) + 1,
                    "M15",
                    "You counted one layer too many. The unit's own position costs no layer.",
                ),
            ],
        ),
        Choice(
            f"The answer lies {DISTANCE} positions to the *left*. Network A: {_SHORT} layers with kernel 3 and padding "
            f"1 on both sides, a window of {receptive_field(_SHORT_LAYERS).size}. "
            f"Network B: {len(_CAUSAL_LAYERS)} layers with kernel 3, padding 2 on the left and none on the right, a "
            f"window of {receptive_field(_CAUSAL_LAYERS).size}. Which one can learn it?",
            id="02-sides",
            prediction=True,
            truth=_learning,
            reveal=_reveal_sides,
            options=[
                Option(
                    "A",
                    "You took the larger window. It is larger because it goes to the right as well, where the answer "
                    "is not.",
                    "A2",
                    "A alone: its window is larger.",
                ),
                Option("B", text="B alone, though its window is smaller."),
                Option(
                    "both",
                    "You compared the distance with the size of each window. Compare it with the part on the left.",
                    "A2",
                    "Both: both windows are longer than the distance.",
                ),
                Option(
                    "none",
                    "You let B reach one position to the left for each layer. All its padding is on the left, and so "
                    "are both of its other taps.",
                    "M8",
                    "Neither of them.",
                ),
            ],
        ),
        Choice(
            "Four networks label every pixel of a mosaic of digits. All have seven layers, and their fields are "
            "3, 7, 11 and 15 pixels wide. A digit is 8 pixels wide. How does the share of right labels change?",
            id="02-gradual",
            prediction=True,
            truth=_shape,
            reveal=_reveal_labeled,
            options=[
                Option(
                    "jump",
                    "You carried the step of the copy task over. There a single position holds the answer; of a digit, "
                    "each further piece tells something.",
                    None,
                    "It jumps once, where the field gets as wide as a digit.",
                ),
                Option("slope", text="It rises with every field."),
                Option(
                    "flat",
                    "You expect equal depth to give equal accuracy. These networks differ in what they see.",
                    "A2",
                    "It hardly changes: all are equally deep.",
                ),
            ],
        ),
        Number(
            f"A signal has only {_SIGNAL} positions, and the answer lies {_ACROSS} to the left. You stack layers with "
            "kernel 5 and padding 2. What size does the receptive field have, at least, when the network can learn "
            "this?",
            id="02-across",
            unit="positions",
            prediction=True,
            truth=_field_across,
            reveal=lambda: rf.draw_stack(_kernel_5(_least_depth(_kernel_5, _ACROSS)), unit=12, input_size=_SIGNAL),
            mistakes=[
                (
                    lambda: _SIGNAL,
                    "M12",
                    "You stopped at the size of the input. The window may be larger; part of it then hangs over the "
                    "border.",
                ),
                (
                    _largest_that_fits,
                    "M12",
                    "You stayed below the size of the input. The window may be larger; part of it then hangs over "
                    "the border.",
                ),
                (
                    lambda: _ACROSS + 1,
                    None,
                    "You counted the left side and the unit's own position. A centered stack has the right side too.",
                ),
                (
                    lambda: _ACROSS,
                    None,
                    "That is the reach to the left. The window also holds the unit's own position and the right side.",
                ),
                (lambda: 2 * _ACROSS, "M15", "You left out the unit's own position, between the two sides."),
            ],
        ),
        Interval(
            "Four convolutions, each with kernel 5, stride 1 and padding 2. From where to where does "
            "unit 30 of the last one see?",
            id="02-window",
            truth=lambda: receptive_field(_FOUR).interval(30),
            reveal=lambda: rf.draw_stack(_FOUR, unit=30, input_size=61),
            hints=(
                "With this padding, unit 30 is centered on position 30.",
                "How far to each side does one layer reach? And four?",
                "Two positions to each side, four times.",
            ),
            mistakes=[
                (
                    lambda: (_FOUR[-1].reads(30)[0], _FOUR[-1].reads(30)[-1]),
                    "M2",
                    "You took the last kernel alone.",
                ),
                (
                    lambda: (30 - receptive_field(_FOUR).size, 30 + receptive_field(_FOUR).size),
                    None,
                    "You took the whole size for the reach to each side.",
                ),
                (
                    lambda: receptive_field(_wrong.without_padding(_FOUR)).interval(30),
                    "M8",
                    "You left the padding out. It does not resize the window, it moves it.",
                ),
                (
                    lambda: (30 - _wrong.kernels_added(_FOUR), 30 + _wrong.kernels_added(_FOUR)),
                    "A7",
                    "You let each layer add its whole kernel to each side.",
                ),
                ((26, 34), None, "You let each layer reach one position to each side. That is kernel 3."),
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
            f"does it need, at least, to see the sample {FAR} positions to the left?",
            id="02-causal",
            unit="layers",
            truth=lambda: _least_depth(_causal, FAR),
            reveal=lambda: rf.draw_stack(_causal(_least_depth(_causal, FAR)), unit=12, input_size=16),
            hints=(
                "Where does the window of such a layer begin, seen from its unit?",
                "The window still has three taps. All of them lie at the unit or to its left.",
                "Each layer reaches two positions further to the left.",
            ),
            mistakes=[
                (
                    lambda: _least_depth(_kernel_3, FAR),
                    "M8",
                    "You counted as for a centered stack. The padding moves the window: here all of it "
                    "lies on the left.",
                ),
                (
                    lambda: FAR // 3,
                    "A7",
                    "You let each layer reach as far as its kernel is wide. One of its three taps is the "
                    "unit's own position.",
                ),
                (
                    lambda: _least_depth(_causal, FAR) - 1,
                    None,
                    "You rounded down. That many layers end one position short, and one position short is chance.",
                ),
                (lambda: _least_depth(_causal, FAR) + 1, "M15", "You counted one layer too many."),
            ],
        ),
        Choice(
            f"A network has a field of {receptive_field(_WIDE).size} positions. Its input has "
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
