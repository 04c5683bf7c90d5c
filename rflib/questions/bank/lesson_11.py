"""Questions of lesson 11: paths, the walk of random steps, its spread, and where the theory ends."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_HUNDRED = [Layer(3)] * 100
_MOST = 0.95  # of all that counts
_THREE = [Layer(3)] * 3
_DOUBLING = [Layer(3, dilation=2**number) for number in range(3)]
_DEPTH, _TWICE = 24, 2
_STRIDED = [Layer(3, stride=2), Layer(3)]
_STAYS, _ROOT, _LINEAR, _GROWS = "stays", "root", "linear", "grows"


def _all_paths(layers: Sequence[Layer]) -> Counter[int]:
    """Where each path from unit 0 ends, one after the other: no rule is used."""
    ends: Counter[int] = Counter()
    for steps in itertools.product(*(range(layer.kernel_size) for layer in layers)):
        place = 0
        for layer, tap in zip(reversed(layers), reversed(steps), strict=True):
            place = place * layer.stride + tap * layer.dilation - layer.left
        ends[place] += 1
    return ends


def _from_the_middle(layers: Sequence[Layer]) -> int:
    """The number of paths from the middle position of the window."""
    return _all_paths(layers)[receptive_field(layers).size // 2]


def _middle(shares: Sequence[float], most: float = _MOST) -> int:
    """How many positions in the middle hold at least that much of the whole."""
    half = len(shares) // 2
    reach = next(n for n in range(half + 1) if sum(shares[half - n : half + n + 1]) >= most * sum(shares))
    return 2 * reach + 1


def _middle_of_hundred() -> int:
    return _middle(rf.path_counts(_HUNDRED).shares.tolist())


def _middle_of_a_triangle() -> int:
    """A5: shares that fall in a straight line, as those of two layers of one large kernel do."""
    size = receptive_field(_HUNDRED).size
    return _middle([min(i, size - 1 - i) + 1 for i in range(size)])


def _middle_of_a_block() -> int:
    """A5: all positions of the window weigh the same."""
    return _middle([1] * receptive_field(_HUNDRED).size)


def _layers_for_twice_the_sigma() -> int:
    wanted = _TWICE * rf.effective_sigma([Layer(3)] * _DEPTH)
    return next(n for n in itertools.count(1) if rf.effective_sigma([Layer(3)] * n) >= wanted * (1 - 1e-12))


def _part(depth: int) -> float:
    """Sigma over the size of the window, for dilations that double."""
    layers = [Layer(3, dilation=2**number) for number in range(depth)]
    return float(rf.effective_sigma(layers)) / receptive_field(layers).size


def _what_doubling_does() -> str:
    """Which of the four stories fits the measured change from four layers to eight."""
    change = _part(8) / _part(4)
    windows = (2**9 - 1) / (2**5 - 1)
    stories = {_STAYS: 1.0, _ROOT: (4 / 8) ** 0.5, _LINEAR: 1 / windows, _GROWS: 2.0}
    return min(stories, key=lambda name: abs(stories[name] - change))


def _mean_square() -> int:
    """The mean squared gradient next to the middle, over all networks whose weights are 1 or -1: all are added up."""
    total = 0
    for weights in itertools.product((-1, 1), repeat=9):
        gradient: Counter[int] = Counter()
        for taps in itertools.product(range(3), repeat=3):
            gradient[sum(taps)] += weights[taps[0]] * weights[3 + taps[1]] * weights[6 + taps[2]]
        total += gradient[4] ** 2
    return total // 2**9


def _variance(layers: Sequence[Layer]) -> float:
    return float(rf.effective_sigma(layers)) ** 2


def _small_for_a_large_kernel() -> int:
    return round(_variance([Layer(7)]) / _variance([Layer(3)]))


def _second_over_first() -> int:
    first = _variance(_STRIDED[:1])
    return round((_variance(_STRIDED) - first) / first)


def _spread_or_range() -> str:
    """Which quantity of two layers of kernel 3 is 5 positions wide."""
    layers = [Layer(3)] * 2
    widths = {"range": float(receptive_field(layers).size), "spread": 2 * rf.effective_sigma(layers)}
    return next(name for name, width in widths.items() if width == 5)


def _uniform(layers: Sequence[Layer], kernel: Sequence[float] | None = None) -> Any:
    """Real layers; by default all weights of a layer are equal."""
    import torch  # here and not above: looking at one's progress needs no torch
    from torch import nn

    convs = []
    for layer in layers:
        numbers: dict[str, Any] = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
        conv = nn.Conv1d(1, 1, layer.kernel_size, bias=False, dtype=torch.float64, **numbers)
        with torch.no_grad():
            values = kernel or [1 / layer.kernel_size] * layer.kernel_size
            conv.weight.copy_(torch.tensor(values, dtype=torch.float64)[None, None])
        convs.append(conv)
    return nn.Sequential(*convs)


def _errors() -> dict[str, float]:
    """How far the closed form is from the measured sigma in each of the four cases, relative to the measured one."""
    import torch

    strided = [Layer(5, stride=2), Layer(3, dilation=4), Layer(3, stride=2), Layer(4)]
    padded = [Layer(3, padding=1)] * 64
    cases: dict[str, tuple[list[Layer], Any, int]] = {
        "mixed": (strided, None, receptive_field(strided).size),
        "border": (padded, None, 17),
        "loaded": ([Layer(3)] * 20, (0.1, 0.1, 0.8), 41),
        "signs": ([Layer(3)] * 20, (-0.5, 1.0, 0.5), 41),
    }
    errors = {}
    for name, (layers, kernel, length) in cases.items():
        inputs = torch.zeros(1, 1, length, dtype=torch.float64)
        measured = rf.effective_receptive_field(_uniform(layers, kernel), inputs, progress=False).sigma[0]
        errors[name] = abs(rf.effective_sigma(layers) / measured - 1)
    return errors


def _where_it_holds() -> str:
    [name] = [name for name, error in _errors().items() if error < 1e-9]
    return name


def _reveal_errors() -> str:
    errors = {name: f"off by {error:.0%}" if error > 1e-9 else "rounding only" for name, error in _errors().items()}
    return "\n".join(
        [
            f"strides, dilations, kernels of several sizes, no padding read: {errors['mixed']}",
            f"window far larger than the input: {errors['border']}",
            f"weights 0.1, 0.1, 0.8: {errors['loaded']}",
            f"weights -0.5, 1, 0.5: {errors['signs']}",
        ]
    )


def _reveal_doubling() -> str:
    return "\n".join(f"{depth} layers: {_part(depth):.3f} of the window" for depth in (4, 5, 6, 7, 8))


def _reveal_counts(layers: Sequence[Layer]) -> str:
    ends = _all_paths(layers)
    counts = " ".join(str(ends[place]) for place in range(receptive_field(layers).size))
    return f"Paths from each position of the window: {counts}. Together {sum(ends.values())}."


def _reveal_depths() -> str:
    depths = (_DEPTH, 2 * _DEPTH, _layers_for_twice_the_sigma())
    return "\n".join(f"{n} layers: sigma {rf.effective_sigma([Layer(3)] * n):.2f}" for n in depths)


LESSON = Lesson(
    "11",
    "The effective field: a walk of random steps",
    "lessons/11_effective_theory.ipynb",
    (
        Choice(
            "A stack of 100 layers of kernel 3, stride 1, all weights equal, sees 201 positions. How many positions "
            "in the middle of the window hold 95 % of all that counts?",
            id="11-middle",
            prediction=True,
            truth=_middle_of_hundred,
            reveal=lambda: f"{_middle_of_hundred()} of {receptive_field(_HUNDRED).size} positions.",
            unit="positions",
            options=[
                Option(
                    lambda: receptive_field(_HUNDRED).size,
                    "That is the whole window: everything that *can* count. You took the theoretical field for the "
                    "effective one.",
                    "M18",
                ),
                Option(
                    _middle_of_a_block,
                    "So it would be if all positions of the window weighed the same.",
                    "A5",
                ),
                Option(
                    _middle_of_a_triangle,
                    "So it would be if the weight fell in a straight line from the middle to the ends. It falls much "
                    "faster.",
                ),
                Option(_middle_of_hundred, ""),
            ],
        ),
        Number(
            "Three layers of kernel 3 with stride 1 see 7 positions. Along how many paths does the *middle* "
            "position of the window reach the unit?",
            id="11-paths",
            unit="paths",
            prediction=True,
            truth=lambda: _from_the_middle(_THREE),
            reveal=lambda: _reveal_counts(_THREE),
            mistakes=[
                (
                    1,
                    "A5",
                    "You gave every position the same number of paths. The one straight path is not the only one.",
                ),
                (
                    lambda: _from_the_middle(_THREE[:2]),
                    None,
                    "You stopped one layer early: that is the middle of two layers.",
                ),
                (
                    lambda: _THREE[0].kernel_size ** 2,
                    None,
                    "You chose freely in two layers and let the third one lead home. It can take you back by one step "
                    "only, and from some places that is not enough.",
                ),
                (lambda: sum(_all_paths(_THREE).values()), None, "You counted all paths, from all positions together."),
            ],
        ),
        Number(
            f"A stack of {_DEPTH} layers of kernel 3, stride 1, all weights equal, has an effective field of a certain "
            "width. How many layers must the stack have in all for an effective field *twice* as wide?",
            id="11-deeper",
            unit="layers",
            prediction=True,
            truth=_layers_for_twice_the_sigma,
            reveal=_reveal_depths,
            mistakes=[
                (
                    2 * _DEPTH,
                    "A11",
                    "You doubled the depth. That doubles the window; the effective field grows like the square root "
                    "of the depth.",
                ),
                (
                    lambda: round(_DEPTH * 2**0.5),
                    None,
                    "You took the root the wrong way round: the width is the root of the depth, so the depth is the "
                    "square of the width.",
                ),
                (
                    _DEPTH**2,
                    None,
                    "You squared the depth. Square the factor: twice as wide.",
                ),
            ],
        ),
        Choice(
            "Layers of kernel 3 whose dilation doubles from layer to layer: 1, 2, 4, and so on. From four layers to "
            "eight the window grows from 31 to 511 positions. What happens to the part of the window that the "
            "effective field takes up?",
            id="11-doubling",
            prediction=True,
            truth=_what_doubling_does,
            reveal=_reveal_doubling,
            options=[
                Option(
                    _ROOT,
                    "That is the law for steps that are all alike. Here every step is twice as long as the one before.",
                    "A11",
                    "It falls like one over the root of the depth, to about 0.7 of what it was.",
                ),
                Option(
                    _LINEAR,
                    "Then the effective field itself would not grow at all. It does: each layer brings a longer step.",
                    "A11",
                    "It falls as the window grows, to about a sixteenth of what it was.",
                ),
                Option(_STAYS, text="It stays about the same."),
                Option(
                    _GROWS,
                    "The window doubles with each layer as well, so nothing is gained on it.",
                    None,
                    "It doubles.",
                ),
            ],
        ),
        Number(
            "Three layers of kernel 3 with the dilations 1, 2 and 4 see 15 positions, all of them. There are 27 paths. "
            "How many of them begin at the *middle* position?",
            id="11-center",
            unit="paths",
            prediction=True,
            truth=lambda: _from_the_middle(_DOUBLING),
            reveal=lambda: _reveal_counts(_DOUBLING),
            mistakes=[
                (
                    lambda: _from_the_middle(_THREE),
                    "A5",
                    "That is the middle of three layers without dilation. With steps of 1, 2 and 4 hardly anything "
                    "adds up to nothing.",
                ),
                (
                    lambda: max(_all_paths(_DOUBLING).values()),
                    "A5",
                    "That is the largest count of this window, and it does not stand in the middle.",
                ),
                (2, None, "You let the longest step be undone by the two others. 1 and 2 make 3, one short of 4."),
            ],
        ),
        Number(
            "Three layers of kernel 3. From the position next to the middle of the window, 6 paths lead to the unit. "
            "Now toss a coin for every weight, 1 or -1. Over all such networks, what is the mean of the *squared* "
            "gradient at this position?",
            id="11-random",
            prediction=True,
            truth=_mean_square,
            reveal=lambda: f"The mean over all 512 networks is {_mean_square()}: one for each path.",
            mistakes=[
                (
                    0,
                    None,
                    "That is the mean of the gradient itself: as often above 0 as below. Squares cannot cancel.",
                ),
                (
                    lambda: _mean_square() ** 2,
                    None,
                    "So it would be if all paths always had the same sign. They rarely do.",
                ),
                (1, None, "That is the square of one path alone. The others do not take it away."),
            ],
        ),
        Number(
            "One layer of kernel 7 sees as much as three layers of kernel 3. How many layers of kernel 3 does it take "
            "for the same sigma as that of the one layer of kernel 7, all weights equal?",
            id="11-kernel",
            unit="layers",
            truth=_small_for_a_large_kernel,
            reveal=lambda: (
                f"Variance: kernel 7 has {_variance([Layer(7)]):.2f}, kernel 3 has {_variance([Layer(3)]):.2f}."
            ),
            hints=(
                "What does a layer of kernel k add to the variance?",
                "It adds the square of k, less one, over 12.",
                "48 / 12 for the one, 8 / 12 for each of the others.",
            ),
            mistakes=[
                (3, "M18", "You made the two windows equal. The spread is another thing."),
                (
                    lambda: round(_variance([Layer(7)])),
                    None,
                    "That is the variance of the layer of kernel 7. Divide it by that of a layer of kernel 3.",
                ),
                (
                    lambda: _small_for_a_large_kernel() ** 2,
                    None,
                    "You squared once too often: variances add up as they are.",
                ),
            ],
        ),
        Number(
            "A layer of kernel 3 with stride 2, then a layer of kernel 3 with stride 1. How many times as much as the "
            "first does the second layer add to the variance?",
            id="11-stride",
            unit="times",
            truth=_second_over_first,
            reveal=lambda: f"Variance of the first: {_variance(_STRIDED[:1]):.2f}, of both: {_variance(_STRIDED):.2f}.",
            hints=(
                "How long is a step of the second layer, in input positions?",
                "The jump before it is 2, so each of its steps is twice as long.",
                "A variance is a mean of squares.",
            ),
            mistakes=[
                (
                    lambda: receptive_field(_STRIDED[:1]).stride,
                    None,
                    "That is how much longer its steps are. The variance is made of their squares.",
                ),
                (
                    1,
                    "M7",
                    "You left the first stride out. It sets the units further apart that the second layer reads.",
                ),
            ],
        ),
        Choice(
            "A paper from 2014 says that two layers of 3 by 3 have an *effective* receptive field of 5 by 5. Which "
            "quantity does it speak of?",
            id="11-names",
            truth=_spread_or_range,
            reveal=lambda: (
                f"Two layers of kernel 3: window {receptive_field([Layer(3)] * 2).size}, "
                f"sigma {rf.effective_sigma([Layer(3)] * 2):.2f}."
            ),
            options=[
                Option("range", text="The window: the range of the walk."),
                Option(
                    "spread",
                    "Two sigma of these two layers are about 2.3 positions. The word is the same, the quantity is "
                    "another one; it got this name two years later.",
                    "M18",
                    "The spread: two sigma of the walk.",
                ),
                Option(
                    "parameters",
                    "Two such layers have 18 weights for each pair of channels, not 25. The paper uses that "
                    "difference, and calls the window by the name.",
                    None,
                    "The kernel: 25 weights that are really there.",
                ),
            ],
        ),
        Choice(
            "For which of these networks does the closed form for sigma hold to rounding error?",
            id="11-trust",
            truth=_where_it_holds,
            reveal=_reveal_errors,
            options=[
                Option(
                    "border",
                    "Most walks step over the border and are lost in the padding. What remains is narrower.",
                    None,
                    "64 layers of kernel 3 with padding 1, all weights equal, on 17 positions.",
                ),
                Option(
                    "mixed",
                    text="A convolution 5 with stride 2, one with dilation 4, one with stride 2, a kernel of 4; no "
                    "padding, all weights equal.",
                ),
                Option(
                    "loaded",
                    "A loaded die has another spread than a fair one. The sum of variances still holds, with this "
                    "die's own variance.",
                    "A5",
                    "20 layers of kernel 3 with the weights 0.1, 0.1 and 0.8.",
                ),
                Option(
                    "signs",
                    "With both signs the products of different paths cancel in part. There is no walk with a "
                    "probability below 0.",
                    "A5",
                    "20 layers of kernel 3 with the weights -0.5, 1 and 0.5.",
                ),
            ],
        ),
    ),
)
