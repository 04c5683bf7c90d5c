"""The spread of the effective receptive field of linear networks, in closed form; standard library only.

Follow a path from a unit down to the input. Every layer makes one step: it picks one of its taps. With equal weights
all taps are equally likely, the steps are independent, and the gradient of the unit is the law of their sum. The
receptive field is the RANGE of that walk, the effective receptive field its SPREAD. One axis; fractions throughout,
nothing is rounded before the end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import TypeAlias

from rflib.arithmetic import Layer, shown
from rflib.errors import LayerError

__all__ = ["Parallel", "effective_sigma"]


@dataclass(frozen=True)
class Parallel:
    """Branches that read the same map and whose outputs are added; an empty branch is the identity.

    Example:
        >>> block = Parallel([[], [Layer(3, padding=1)]])  # a residual block: y = x + f(x)
        >>> round(effective_sigma([block] * 48), 12), effective_sigma([Layer(3)] * 24)  # a step every other time
        (4.0, 4.0)

    Args:
        branches: One sequence of layers (or of further `Parallel`s) for each branch, first layer first.
        weights: The factor of each branch in the sum, its layers averaging (weights that sum to 1); by default 1 each.
            Positive. For the expected squared gradient of random weights give squared gains: the factor squared times,
            for each layer of the branch, taps * channels read * variance. Paths are counted without weights.

    Raises:
        LayerError: No branch, a weight too many or too few, a weight that is not positive.
    """

    branches: Sequence[Sequence[Layer | Parallel]]
    weights: Sequence[float | Fraction] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", tuple(checked_branches(branch, empty=True) for branch in self.branches))
        if not self.branches:
            raise LayerError("`Parallel` needs at least one branch; got none. An empty branch, [], is the identity.")
        weights = tuple(self.weights) if self.weights is not None else (1,) * len(self.branches)
        if len(weights) != len(self.branches):
            raise LayerError(f"`Parallel` got {len(self.branches)} branches but {len(weights)} weights; give one each.")
        if not all(math.isfinite(w) and w > 0 for w in weights):
            raise LayerError(f"The weights of `Parallel` must be positive and finite; got {weights}.")
        object.__setattr__(self, "weights", weights)


Stack: TypeAlias = Sequence[Layer | Parallel]


def effective_sigma(layers: Stack) -> float:
    """The standard deviation of the effective receptive field of a linear stack with uniform weights, in closed form.

    The variance is the sum over the layers of (jump before the layer)^2 * dilation^2 * (kernel_size^2 - 1) / 12: a step
    picks one of `kernel_size` equally spaced taps. It holds for convolutions whose weights are all equal and for
    average pooling, and for inner units (no padding in their field).

    For weights drawn independently, with mean zero and the same variance within a layer, it is the spread of the
    EXPECTED SQUARED gradient: two different paths differ in at least one weight, so their products are uncorrelated
    and only the squares remain, one for each path.

    In a residual block, y = x + w * f(x) with f averaging, the walk is lazy: it steps with probability w / (1 + w), and
    a centered f adds w / (1 + w) times its own variance. `Parallel` says such blocks: the law is the mixture of the
    branches' laws.

    Example:
        >>> effective_sigma([Layer(3)] * 24)  # sqrt(24 * 8 / 12)
        4.0
        >>> effective_sigma([Layer(3)] * 96)  # four times the depth, twice the width
        8.0

    Args:
        layers: The layers, first layer first, `Layer`s or `Parallel`s. Padding moves the field; it widens nothing
            unless branches disagree about it.

    Returns:
        The standard deviation along one axis, in input positions; 0.0 where every kernel has size 1.

    Raises:
        LayerError: The stack is empty, or the branches of a `Parallel` have different strides.

    Reference:
        W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural
        Networks", NeurIPS 2016, arXiv:1701.04128 (stride 1 and one kernel size; strides, dilations and branches follow
        the same way).
    """
    return math.sqrt(checked_law(checked_branches(layers)).variance)


@dataclass(frozen=True)
class _Law:
    """The law of a walk: its weight, mean offset and variance; unit j ends at jump * j + offset."""

    mass: Fraction = Fraction(1)
    mean: Fraction = Fraction(0)
    variance: Fraction = Fraction(0)
    jump: int = 1

    def __add__(self, later: _Law) -> _Law:
        """One walk after the other: `later` runs in the output's units, each `jump` input positions wide."""
        return _Law(
            self.mass * later.mass,
            self.mean + self.jump * later.mean,
            self.variance + self.jump**2 * later.variance,
            self.jump * later.jump,
        )


def _step(item: Layer | Parallel) -> _Law:
    if not isinstance(item, Parallel):
        mean = Fraction(item.dilation * (item.kernel_size - 1), 2) - item.left
        # A uniform choice among k equally spaced taps has variance (k^2 - 1) / 12 times the squared spacing.
        return _Law(Fraction(1), mean, Fraction(item.dilation**2 * (item.kernel_size**2 - 1), 12), item.stride)
    laws = [checked_law(branch) for branch in item.branches]
    if len({law.jump for law in laws}) > 1:
        raise LayerError(
            f"The branches of `Parallel` have strides {[law.jump for law in laws]}, so their outputs cannot be added; "
            "give all branches the same product of strides."
        )
    masses = [Fraction(weight) * law.mass for weight, law in zip(item.weights or (), laws, strict=True)]
    mass = sum(masses, Fraction(0))
    mean = sum((m * law.mean for m, law in zip(masses, laws, strict=True)), Fraction(0)) / mass
    second = sum((m * (law.variance + law.mean**2) for m, law in zip(masses, laws, strict=True)), Fraction(0)) / mass
    return _Law(mass, mean, second - mean**2, laws[0].jump)


def checked_branches(layers: Stack, empty: bool = False) -> tuple[Layer | Parallel, ...]:
    """The stack as a tuple; an error if it is empty, or holds anything but `Layer` and `Parallel`."""
    layers = tuple(layers)
    if not layers and not empty:
        raise LayerError("The stack is empty. Give at least one layer: [Layer(3)].")
    for number, item in enumerate(layers, start=1):
        if not isinstance(item, Layer | Parallel):
            raise LayerError(f"Entry {number} of the stack must be a `Layer` or a `Parallel`; got {shown(item)}.")
    return layers


def checked_law(layers: Stack) -> _Law:
    """The law of the walk; an error if branches that meet have different strides."""
    return reduce(_Law.__add__, map(_step, layers), _Law())
