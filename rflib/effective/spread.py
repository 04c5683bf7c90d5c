"""The map of an effective receptive field, and four measures of its size; NumPy only.

None of them depends on the scale of the gradient: the map is divided by its sum first, in double precision. Taking
log10(x + 1) of the raw gradient instead, as is often done, makes every area a function of that scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index

import numpy as np
import numpy.typing as npt

from rflib.errors import ModelError, UnitError

__all__ = ["EffectiveReceptiveField", "GaussianFit"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GaussianFit:
    """A Gaussian fitted to a map: height * exp(-sum over axes of (x - center)^2 / (2 sigma^2)).

    Attributes:
        center: Its middle along each axis, in input positions.
        sigma: Its standard deviation along each axis, in input positions; 0.0 along an axis where a single position
            holds everything.
        height: Its value at the center; the map sums to 1.
        r_squared: 1 - (sum of squared residuals) / (sum of squares about the map's mean), over all input positions.
            1 is a perfect fit; far below 1 the map is not a bell, and `sigma` says little.
    """

    center: tuple[float, ...]
    sigma: tuple[float, ...]
    height: float
    r_squared: float


@dataclass(frozen=True, eq=False, repr=False)
class EffectiveReceptiveField:
    """How much each input position contributes to one unit, for these weights and these inputs.

    Example:
        >>> erf = EffectiveReceptiveField(np.array([0, 1, 2, 1, 0]))
        >>> erf.map.tolist(), erf.center
        ([0.0, 0.25, 0.5, 0.25, 0.0], (2.0,))
        >>> erf.size(), erf.area_ratio(0.5)
        (3.0, 0.2)

    Args:
        map: The contributions, non-negative, one axis for each axis of the input; any scale.
        unit: The unit, as indices of its own feature map; None where it is not known.
        layer: The layer of the unit, by its module path; None is the model's output.
        inputs: The number of inputs averaged.
        total: The sum of the contributions before the division, averaged over the inputs; by default that of `map`.
        convention: What a contribution is, in words.
        notes: What a reader of the result ought to know about it.

    Raises:
        ModelError: The map is a single number, is not finite, has a negative entry, or is zero everywhere.
    """

    map: Floats
    unit: tuple[int, ...] | None = None
    layer: str | None = None
    inputs: int = 1
    total: float = math.nan
    convention: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        raw = np.array(self.map, dtype=np.float64)  # a copy, so that the division and the lock below stay here
        if not raw.ndim:
            raise ModelError("The map of an effective receptive field needs at least one axis; got a single number.")
        if not np.isfinite(raw).all() or (raw < 0).any():
            raise ModelError("The map of an effective receptive field must be finite and non-negative.")
        if not raw.any():
            raise ModelError("The map is zero everywhere, so it has no shape. Nothing was measured.")
        if math.isnan(self.total):
            object.__setattr__(self, "total", float(raw.sum()))
        raw /= raw.max()  # first the largest, so that the sum can neither overflow nor vanish
        raw /= raw.sum()
        raw.setflags(write=False)
        object.__setattr__(self, "map", raw)

    def profile(self, axis: int = 0) -> Floats:
        """The map summed over all axes but one: what each position along that axis contributes.

        Args:
            axis: An axis of the input.

        Returns:
            Shape (input length along the axis,); sums to 1.
        """
        axes = range(self.map.ndim)
        if axis not in axes:
            raise ModelError(f"`axis` must be one of {list(axes)}; got {axis!r}.")
        return np.asarray(self.map.sum(axis=tuple(a for a in axes if a != axis)))

    @property
    def center(self) -> tuple[float, ...]:
        """The mean position along each axis, in input positions."""
        return tuple(float(np.arange(n) @ self.profile(axis)) for axis, n in enumerate(self.map.shape))

    @property
    def sigma(self) -> tuple[float, ...]:
        """The standard deviation of the map along each axis, in input positions (by moments; no shape is assumed)."""
        return tuple(math.sqrt(self._central_moment(axis, 2)) for axis in range(self.map.ndim))

    @property
    def kurtosis(self) -> tuple[float, ...]:
        """Fourth central moment over squared variance along each axis: 3 for a Gaussian, NaN for a single position."""
        moments = [(self._central_moment(axis, 2), self._central_moment(axis, 4)) for axis in range(self.map.ndim)]
        return tuple(fourth / second**2 if second else math.nan for second, fourth in moments)

    def _central_moment(self, axis: int, order: int) -> float:
        profile = self.profile(axis)
        distance = np.arange(len(profile)) - self.center[axis]
        return float(distance**order @ profile)

    def size(self, threshold: float = 0.0455) -> float:
        """The side of a cube with as many positions as rise above a share of the map's highest value.

        On a map shaped as a Gaussian the default counts what lies within 2.49 sigma of the center (not within 2 sigma,
        from where the paper has its 95.45 %): the side is 4.97 sigma on one axis and 4.41 sigma on two. The paper
        compares with the center's value; the center of a real network's map may hold a zero, so its maximum is taken.

        Example:
            >>> EffectiveReceptiveField(np.exp(-(np.arange(-50, 51) ** 2) / 200)).size()  # sigma = 10
            49.0

        Args:
            threshold: The share of the highest value, from 0 up to but not including 1; by default 1 - 95.45 %.

        Returns:
            (the number of positions above it) ** (1 / number of axes), in input positions.

        Raises:
            ModelError: The threshold is not from 0 up to 1.

        Reference:
            W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional
            Neural Networks", NeurIPS 2016, arXiv:1701.04128, section 3.
        """
        if not 0 <= threshold < 1:
            raise ModelError(f"`threshold` must be at least 0 and below 1; got {threshold!r}.")
        return float(np.count_nonzero(self.map > threshold * self.map.max()) ** (1 / self.map.ndim))

    def area_ratio(self, fraction: float = 0.5, center: int | Sequence[int] | None = None) -> float:
        """The share of the input that the smallest centered square holding a fraction of all contributions takes up.

        Example:
            >>> flat = EffectiveReceptiveField(np.ones((100, 100)))
            >>> flat.area_ratio(0.2), flat.area_ratio(0.99)
            (0.2025, 1.0)

        Args:
            fraction: The fraction of the contributions, above 0 and at most 1.
            center: The position in the square's middle, one index an axis; by default the one next to the map's mean.
                The paper takes the middle of the input, n // 2: the same for a map that lies there, larger for others
                (the middle unit of a ResNet-50 at 224 x 224 looks at position 96, not 112).

        Returns:
            (positions in the square) / (positions of the input). The square has an odd side and is cut at the border;
            on one axis it is an interval, on three a cube.

        Raises:
            ModelError: The fraction is not above 0 and at most 1.
            UnitError: The center is not an input position.

        Reference:
            X. Ding, X. Zhang, J. Han, G. Ding, "Scaling Up Your Kernels to 31x31: Revisiting Large Kernel Design in
            CNNs", CVPR 2022, arXiv:2203.06717 (there with log10(x + 1) of the summed gradient, here without).
        """
        if not 0 < fraction <= 1:
            raise ModelError(f"`fraction` must be above 0 and at most 1; got {fraction!r}.")
        middle = self._middle(center)
        reach = np.zeros(self.map.shape, dtype=np.intp)  # how far the square must reach to hold a position
        for axis, (m, n) in enumerate(zip(middle, self.map.shape, strict=True)):
            line = np.abs(np.arange(n) - m).reshape([-1 if a == axis else 1 for a in range(self.map.ndim)])
            reach = np.maximum(reach, line)
        held = np.cumsum(np.bincount(reach.ravel(), weights=self.map.ravel()))
        # The sum of a million rounded shares may miss 1 by a little; without the slack fraction = 1 could find nothing.
        radius = int(np.argmax(held >= min(fraction, held[-1]) - 1e-12))
        return float(np.count_nonzero(reach <= radius) / self.map.size)

    def _middle(self, center: int | Sequence[int] | None) -> tuple[int, ...]:
        shape = self.map.shape
        if center is None:
            # Halves go up, as n // 2 does; the hair more keeps a rounding error from deciding.
            return tuple(math.floor(c + 0.5 + 1e-9) for c in self.center)
        middle = tuple(index(c) for c in (center if isinstance(center, Sequence) else (center,)))
        if len(middle) != len(shape) or not all(0 <= m < n for m, n in zip(middle, shape, strict=True)):
            raise UnitError(f"`center` must be a position of the input, whose shape is {shape}; got {center!r}.")
        return middle

    def gaussian(self) -> GaussianFit:
        """The Gaussian, one width an axis, with the least squared distance from the map.

        Example:
            >>> x = np.arange(64)
            >>> fit = EffectiveReceptiveField(np.exp(-((x - 30.5) ** 2) / (2 * 4.0**2))).gaussian()
            >>> round(fit.center[0], 6), round(fit.sigma[0], 6), round(fit.r_squared, 6)
            (30.5, 4.0, 1.0)

        Returns:
            A `GaussianFit`; its axes are those of the input, so a slanted bell is fitted by an upright one.
        """
        wide = [axis for axis, sigma in enumerate(self.sigma) if sigma > 0]
        flat = self.map.sum(axis=tuple(a for a in range(self.map.ndim) if a not in wide))
        starts = [self._start(wide, by_peak=False), self._start(wide, by_peak=True)] if wide else []
        fits = [_fit(flat, start) for start in starts]
        height, center, sigma, residual = min(fits, key=lambda f: f[3]) if fits else (1.0, [], [], 0.0)
        about_mean = float(((self.map - self.map.mean()) ** 2).sum())
        centers, sigmas = list(self.center), [0.0] * self.map.ndim
        for place, axis in enumerate(wide):
            centers[axis], sigmas[axis] = center[place], sigma[place]
        r_squared = (
            1 - residual / about_mean if about_mean else math.nan
        )  # a map with equal values has nothing to explain
        return GaussianFit(tuple(centers), tuple(sigmas), height, r_squared)

    def _start(self, wide: list[int], by_peak: bool) -> tuple[list[float], list[float]]:
        """A center and a width for each axis to start the fit from: the moments, or the peak and its width."""
        if not by_peak:
            return [self.center[axis] for axis in wide], [self.sigma[axis] for axis in wide]
        peak = np.unravel_index(int(self.map.argmax()), self.map.shape)
        area = max(np.count_nonzero(self.map > self.map.max() / 2) ** (1 / len(wide)), 1.0)
        return [float(peak[axis]) for axis in wide], [area / 2.355] * len(wide)  # 2.355: full width at half height

    def __repr__(self) -> str:
        """Three lines: whose map, its measures, its notes."""
        whose = "" if self.unit is None else f"unit {self.unit} of "
        whose += "the output" if self.layer is None else f"layer {self.layer!r}"
        shape = " x ".join(map(str, self.map.shape))
        sigma = " x ".join(f"{s:.2f}" for s in self.sigma)
        return "\n".join(
            [
                f"Effective receptive field of {whose}; {self.inputs} input{'s' * (self.inputs != 1)} of {shape}",
                f"  sigma {sigma}, size {self.size():.1f}, half of it in {self.area_ratio(0.5):.1%} of the input",
                *(f"  note: {note}" for note in self.notes),
            ]
        )


def _fit(
    values: Floats, start: tuple[list[float], list[float]], steps: int = 200
) -> tuple[float, list[float], list[float], float]:
    """Levenberg-Marquardt over center and log(sigma); the height is linear and solved for at each step."""
    axes = len(start[0])
    scale = float(values.max())
    target = (values / scale).ravel()
    grid = [g.ravel().astype(np.float64) for g in np.indices(values.shape)]
    sides = np.array(values.shape, dtype=np.float64)
    lower, upper = np.r_[-sides, np.full(axes, math.log(0.05))], np.r_[2 * sides, np.log(100 * sides)]
    point = np.clip(np.r_[start[0], np.log(start[1])], lower, upper)
    bell, height, residual = _bell(grid, point, target)
    damping = 1e-3
    for _ in range(steps):
        sigma = np.exp(point[axes:])
        shift = [(g - c) / s for g, c, s in zip(grid, point[:axes], sigma, strict=True)]
        slopes = np.stack(
            [height * bell * z / s for z, s in zip(shift, sigma, strict=True)] + [height * bell * z**2 for z in shift]
        )
        # Variable projection (Kaufman): take out what a change of height would explain anyway.
        slopes -= np.outer(slopes @ bell / (bell @ bell), bell)
        normal, gradient = slopes @ slopes.T, slopes @ (target - height * bell)
        while damping < 1e12:
            diagonal = np.diag(damping * np.diag(normal) + 1e-300)
            trial = np.clip(point + np.linalg.lstsq(normal + diagonal, gradient, rcond=None)[0], lower, upper)
            new = _bell(grid, trial, target)
            if new[2] <= residual:
                break
            damping *= 10
        else:
            break
        moved, (bell, height, residual) = np.abs(trial - point).max(), new
        point, damping = trial, max(damping / 10, 1e-12)
        if moved < 1e-12:
            break
    return height * scale, point[:axes].tolist(), np.exp(point[axes:]).tolist(), residual * scale**2


def _bell(grid: list[Floats], point: Floats, target: Floats) -> tuple[Floats, float, float]:
    """The bell of height 1, the height that fits best, and the sum of squared residuals."""
    axes = len(grid)
    exponent = sum(((g - c) / s) ** 2 for g, c, s in zip(grid, point[:axes], np.exp(point[axes:]), strict=True))
    bell = np.asarray(np.exp(-0.5 * exponent))
    norm = float(bell @ bell)
    height = float(bell @ target) / norm if norm > 0 else 0.0
    return bell, height, float(((target - height * bell) ** 2).sum())
