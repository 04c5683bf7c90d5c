"""Designs for the capstone: a list of stages, plain data that a learner can hand in, and the network built from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from rflib.arithmetic import shown, whole_number
from rflib.errors import LayerError
from rflib.experiments.digits import CLASSES
from rflib.experiments.training import he_initialize

__all__ = ["DESIGNS", "CapstoneNetwork", "Design", "Stage", "conv", "design_from", "multiply_adds"]

KINDS = ("conv", "pool", "up", "save", "join")


@dataclass(frozen=True)
class Stage:
    """One stage of a design.

    Attributes:
        kind: "conv" (square, length kept, then batch norm and ReLU), "pool" (2 x 2 max pooling), "up" (twice as large,
            bilinear), "save" (keep the present feature map), or "join" (put the last one kept beside the present one).
        channels: Of a "conv".
        kernel_size: Of a "conv"; odd.
        dilation: Of a "conv".
    """

    kind: str
    channels: int = 0
    kernel_size: int = 3
    dilation: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LayerError(f"`kind` of a stage must be one of {', '.join(KINDS)}; got {shown(self.kind)}.")
        if self.kind != "conv":
            return
        for name in ("channels", "kernel_size", "dilation"):
            number = whole_number(getattr(self, name))
            if number is None or number < 1 or (name == "kernel_size" and number % 2 == 0):
                wanted = "an odd integer" if name == "kernel_size" else "an integer"
                raise LayerError(f"`{name}` of a conv stage must be {wanted} >= 1; got {shown(getattr(self, name))}.")
            object.__setattr__(self, name, number)


Design: TypeAlias = tuple[Stage, ...]


def conv(channels: int, kernel_size: int = 3, dilation: int = 1) -> Stage:
    """A convolution stage."""
    return Stage("conv", channels, kernel_size, dilation)


def design_from(entries: Iterable[Stage | Mapping[str, Any]]) -> Design:
    """A design from stages, or from plain data as `dataclasses.asdict` gives it.

    Example:
        >>> design_from([{"kind": "conv", "channels": 8}, {"kind": "pool"}, {"kind": "up"}])[0]
        Stage(kind='conv', channels=8, kernel_size=3, dilation=1)

    Raises:
        LayerError: No list of stages, a stage that cannot exist, more "up" than "pool" before it, a feature map joined
            to one of another resolution, or a result that is not at the input's resolution.
    """
    if isinstance(entries, str | Mapping | Stage) or not isinstance(entries, Iterable):
        raise LayerError(
            f"A design must be a list of stages, for example [conv(8), conv(8)]; got {shown(entries)}. "
            "A design of the course is DESIGNS['mixed']."
        )
    stages = []
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Mapping):
            unknown = set(entry) - {"kind", "channels", "kernel_size", "dilation"}
            if unknown or "kind" not in entry:
                raise LayerError(
                    f"Stage {number} needs `kind` and takes `channels`, `kernel_size`, `dilation`; got {dict(entry)!r}."
                )
            entry = Stage(**entry)
        if not isinstance(entry, Stage):
            raise LayerError(f"Stage {number} must be a Stage or a dict with its fields; got {shown(entry)}.")
        stages.append(entry)
    _plan(stages)
    return tuple(stages)


@dataclass(frozen=True)
class _Step:
    """A stage with the channels that reach it and the ratio of the input's resolution to its own."""

    stage: Stage
    channels: int
    scale: int


def _plan(stages: Sequence[Stage]) -> tuple[list[_Step], int]:
    """Every stage with what reaches it; and the channels at the end."""
    steps: list[_Step] = []
    saved: list[tuple[int, int]] = []
    channels, scale = 1, 1
    for number, stage in enumerate(stages, start=1):
        steps.append(_Step(stage, channels, scale))
        if stage.kind == "conv":
            channels = stage.channels
        elif stage.kind == "pool":
            scale *= 2
        elif stage.kind == "up":
            if scale == 1:
                raise LayerError(f"Stage {number}, 'up', would exceed the input's resolution; put a 'pool' before it.")
            scale //= 2
        elif stage.kind == "save":
            saved.append((channels, scale))
        elif not saved:
            raise LayerError(f"Stage {number}, 'join', finds nothing kept; put a 'save' before it.")
        else:
            kept, at = saved.pop()
            if at != scale:
                raise LayerError(
                    f"Stage {number}, 'join', would join maps of 1/{at} and 1/{scale} of the input's resolution; "
                    "put as many 'up' as 'pool' between 'save' and 'join'."
                )
            channels += kept
    if scale != 1:
        raise LayerError(f"The design ends at 1/{scale} of the input's resolution; add 'up' stages.")
    return steps, channels


def coarsest_scale(design: Sequence[Stage]) -> int:
    """The ratio of the input's resolution to that of the coarsest map: inputs must be a multiple of it.

    Example:
        >>> coarsest_scale(DESIGNS["pooling alone"])
        8
    """
    scale, coarsest = 1, 1
    for stage in design:
        scale = scale * 2 if stage.kind == "pool" else scale // 2 if stage.kind == "up" else scale
        coarsest = max(coarsest, scale)
    return coarsest


def multiply_adds(design: Sequence[Stage]) -> Fraction:
    """Multiply-adds of all convolutions, the last 1 x 1 included, for each pixel of the input.

    Batch norm is not counted, since after training it becomes part of the convolution before it; pooling and
    enlarging are not counted either.

    Example:
        >>> multiply_adds([conv(8), Stage("pool"), conv(16), Stage("up")])  # 9 * 8 + 9 * 8 * 16 / 4 + 16 * 11
        Fraction(536, 1)
    """
    steps, channels = _plan(design)
    total = Fraction(channels * (CLASSES + 1))
    for step in steps:
        if step.stage.kind == "conv":
            per_unit = step.channels * step.stage.channels * step.stage.kernel_size**2
            total += Fraction(per_unit, step.scale**2)
    return total


class CapstoneNetwork(nn.Module):
    """The network of a design, He initialization; images (B, 1, H, W) to scores (B, 11, H, W), background first."""

    def __init__(self, design: Sequence[Stage]) -> None:
        super().__init__()
        steps, channels = _plan(design)
        self.design = tuple(design)
        self.stages = nn.ModuleList(_module(step) for step in steps)
        self.head = nn.Conv2d(channels, CLASSES + 1, 1)
        he_initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Scores for every pixel."""
        saved: list[Tensor] = []
        for stage, module in zip(self.design, self.stages, strict=True):
            if stage.kind == "save":
                saved.append(x)
            elif stage.kind == "join":
                x = torch.cat([x, saved.pop()], dim=1)
            else:
                x = module(x)
        scores: Tensor = self.head(x)
        return scores


def _module(step: _Step) -> nn.Module:
    stage = step.stage
    if stage.kind == "conv":
        padding = stage.dilation * (stage.kernel_size // 2)
        layer = nn.Conv2d(step.channels, stage.channels, stage.kernel_size, padding=padding, dilation=stage.dilation)
        return nn.Sequential(layer, nn.BatchNorm2d(stage.channels), nn.ReLU())
    if stage.kind == "pool":
        return nn.MaxPool2d(2)
    if stage.kind == "up":
        return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Identity()


_POOL, _UP, _SAVE, _JOIN = (Stage(kind) for kind in KINDS[1:])

DESIGNS: Mapping[str, Design] = {
    "mixed": (
        *(conv(8), _SAVE, _POOL, conv(16), _POOL, conv(32), conv(48, dilation=2), conv(32)),
        *(_UP, _UP, _JOIN),
    ),
    "pooling alone": (conv(8), _POOL, conv(24), _POOL, conv(48), _POOL, conv(64), conv(64), _UP, _UP, _UP),
    "dilation alone": (conv(11), *(conv(11, dilation=d) for d in (2, 4, 8, 4, 1))),
    "depth alone": (conv(10),) * 7,
}
