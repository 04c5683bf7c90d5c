"""Interpolation and adaptive pooling: windows given by the ratio of two lengths.

What a unit really reads is asked of torch's own kernel, because its index arithmetic rounds (exact fractions gave
another answer for 602 of 33,411 pairs of lengths). How the windows would go on beyond the border follows the formula.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Any

import torch

from rflib.graph import sets
from rflib.graph.relations import Everything, Pattern, Repeating, Rows
from rflib.graph.sets import Set
from rflib.tracing.calls import Call, Entry, all_of, edge, own


@lru_cache(maxsize=4096)
def _kernel_rows(
    func: Any,
    axes: int,
    near: int,
    far: int,
    flags: tuple[Any, ...],
    scale: float | None,
    dtype: torch.dtype,
    beside: int = 1,
) -> tuple[Set, ...]:
    """The coefficients of torch's kernel along one axis that are not zero, by sending a unit pulse through it."""
    others = [beside] * (axes - 1)
    smooth = "nearest" not in func._schema.name
    # A coefficient of zero comes out as up to 1e-13 in float64, and in float32 as more than the smallest true ones
    # (3e-9 was seen, up to 2,048 positions). Which neighbor is the nearest depends on the dtype.
    pulses = (
        torch.eye(near, dtype=torch.float64 if smooth else dtype)
        .reshape(1, near, near, *[1] * (axes - 1))
        .expand(1, near, near, *others)
    )
    scales = (scale, *[None] * (axes - 1))
    out = func(pulses.contiguous(), [far, *others], *flags, *scales).reshape(near, far, -1)[..., 0]
    return tuple(sets.from_members((column.abs() > 1e-12).nonzero().reshape(-1).tolist()) for column in out.T)


def _ratio(near: int, far: int, corners: bool, scale: float | None) -> Fraction:
    if corners:
        return Fraction(near - 1, far - 1) if far > 1 else Fraction(0)
    if scale is not None and scale > 0:
        return 1 / Fraction(scale).limit_denominator(10_000)
    return Fraction(near, far)


def _formula(name: str, ratio: Fraction, corners: bool) -> Pattern:
    """Which positions a unit reads by the formula, without borders."""
    rows = []
    for o in range(ratio.denominator):
        if "nearest_exact" in name:
            rows.append((floor((o + Fraction(1, 2)) * ratio), 1))
        elif "nearest" in name:
            rows.append((floor(o * ratio), 1))
        elif "_aa" in name:
            rows.append(_smoothed(o, ratio, 2 if "bicubic" in name else 1, corners))
        else:
            at = o * ratio if corners else (o + Fraction(1, 2)) * ratio - Fraction(1, 2)
            low = floor(at)
            reach = (1, 2) if "bicubic" in name else (0, 1)
            rows.append((low, 1) if at == low else sets.interval(low - reach[0], low + reach[1]))
    return Pattern(ratio.denominator, ratio.numerator, tuple(rows))


def _smoothed(o: int, ratio: Fraction, support: int, corners: bool) -> Set:
    """Antialiased: the filter is as wide as the step where that is more than one position."""
    width = max(ratio, Fraction(1))
    center = o * ratio + Fraction(1, 2) if corners else (o + Fraction(1, 2)) * ratio
    near = range(floor(center - support * width) - 1, ceil(center + support * width) + 1)
    far_from_zero = [j for j in near if abs(j + Fraction(1, 2) - center) < support * width]
    return sets.from_members(j for j in far_from_zero if abs(j + Fraction(1, 2) - center) != width)


def _interpolation(call: Call) -> int:
    x, shape = call.operands[0], call.shape
    axes = len(shape) - 2
    corners = bool(call.arguments.get("align_corners", False))
    flags = (corners,) if "align_corners" in call.arguments else ()
    names = ["scales"] if axes == 1 else ["scales_d", "scales_h", "scales_w"][-axes:]
    source = call.arg("self", "input")
    smoothed = "_aa" in call.name
    entries: list[Entry] = [own(0, shape[0]), own(1, shape[1])]
    for a in range(axes):
        near, far = x.shape[2 + a], shape[2 + a]
        scale = call.arguments.get(names[a])
        # torch's antialiasing kernel gives all rows the first one's coefficients where its result is one column wide
        wide = 2 if smoothed and (a == axes - 1 or shape[-1] > 1) else 1
        rows = _kernel_rows(call.func, axes, near, far, flags, scale, source.dtype, wide)
        ratio = _ratio(near, far, corners, scale)
        entries.append((2 + a, Rows(rows, near, Repeating(_formula(call.name, ratio, corners)))))
    return call.add([edge(x, entries, shape)])


def _adaptive(call: Call) -> list[int]:
    x, shape = call.operands[0], call.shape
    axes = 3 if "3d" in call.name else 2 if "2d" in call.name else 1
    lead = len(shape) - axes
    entries: list[Entry] = [own(i, n) for i, n in enumerate(x.shape[:lead])]
    for d in range(lead, len(shape)):
        near, far = x.shape[d], shape[d]
        if far == 1:
            entries.append((d, Everything(near)))
            continue
        ratio = Fraction(near, far)
        rows = tuple(sets.interval(floor(o * ratio), ceil((o + 1) * ratio) - 1) for o in range(far))
        pattern = Pattern(ratio.denominator, ratio.numerator, rows[: ratio.denominator])
        entries.append((d, Rows(rows, near, Repeating(pattern))))
    return [call.add([edge(x, entries, shape)])] * len(call.outputs)


def _sampled(call: Call) -> list[int]:
    """Places computed from data: every unit may read every position of its own channel."""
    shape = call.shape
    edges = []
    for o in call.operands:
        if "grid" in call.arguments and o.position == id(call.arg("grid")):  # (batch, *space, coordinates)
            entries: list[Entry] = [own(0, o.shape[0]), *(own(d + 1, o.shape[d]) for d in range(1, len(shape) - 1))]
            entries.append(all_of(o.shape[-1]))
        else:
            lead = len(shape) - (3 if "3d" in call.name else 2)
            entries = [own(d, n) if d < lead else (d, Everything(n, shape[d])) for d, n in enumerate(o.shape)]
        edges.append(edge(o, entries, shape))
    call.recorder.notes[f"{call.name} takes its places from data: counted as reading every position"] = None
    return [call.add(edges)] * len(call.outputs)


KERNELS = "nearest1d nearest2d nearest3d linear1d bilinear2d bicubic2d trilinear3d".split()
RULES: dict[str, Callable[[Call], int | list[int]]] = {
    **{f"upsample_{k}": _interpolation for k in KERNELS},
    **{f"_upsample_nearest_exact{n}d": _interpolation for n in (1, 2, 3)},
    "_upsample_bilinear2d_aa": _interpolation,
    "_upsample_bicubic2d_aa": _interpolation,
    **{f"{p}adaptive_{k}_pool{n}d": _adaptive for p in ("", "_") for k in ("avg", "max") for n in (1, 2, 3)},
    **dict.fromkeys(("grid_sampler_2d", "grid_sampler_3d", "max_unpool2d", "max_unpool3d"), _sampled),
}
