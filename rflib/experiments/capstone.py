"""The capstone task: find the ink in a noisy picture and name its digit, within a budget.

Telling digits apart needs a field of their size; cutting out their strokes needs full resolution; neither pooling nor
dilation nor depth alone affords both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import lcm
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from rflib.analysis import analyze
from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.capstone_networks import (
    DESIGNS,
    CapstoneNetwork,
    Stage,
    coarsest_scale,
    design_from,
    multiply_adds,
)
from rflib.experiments.capstone_results import Capstone, CapstoneRun, Score
from rflib.experiments.digits import CELL, draw_scenes
from rflib.experiments.results import picture
from rflib.experiments.training import at_least, bar_over, data_generator, on_its_own, seeds_from, train

__all__ = ["NOISE", "fit_capstone", "score", "train_capstone"]

NOISE = 0.4  # standard deviation, where ink is 1 and background 0
BATCH = 8


def train_capstone(
    designs: Iterable[str] | Mapping[str, Sequence[Stage]] | None = None,
    *,
    seeds: Iterable[int] = (0,),
    size: int = 56,
    steps: int = 300,
    batch: int = BATCH,
    progress: bool = True,
) -> Capstone:
    """Train designs on noisy scenes of digits and hold them against the three requirements.

    Example:
        >>> result = train_capstone(["mixed"], steps=2, progress=False)
        >>> [(run.design, run.field, run.multiply_adds) for run in result.runs]
        [('mixed', 50, 2816.0)]

    Args:
        designs: Names from `DESIGNS`, or designs of your own by name; by default all of `DESIGNS`.
        seeds: Each initializes a network and draws its data.
        size: Pixels of a scene along each axis, a multiple of 28 that the poolings of each design divide.
        steps: Training steps (Adam, one cycle up to a rate of 0.02).
        batch: Scenes of each step.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `Capstone`.

    Raises:
        LayerError: A design that cannot exist.
        ModelError: An argument out of range.
        UnknownNameError: No design has that name.
    """
    chosen, seeds = _chosen(designs), seeds_from(seeds)
    size, steps, batch = at_least("size", size, CELL), at_least("steps", steps, 1), at_least("batch", batch, 1)
    for name, design in chosen.items():
        _check_size(size, design, f"the design {name!r}")
    with on_its_own(0):
        image, labels = draw_scenes(data_generator(0), 1, "test", size, NOISE)
    runs = []
    with bar_over(len(chosen) * len(seeds) * steps, "capstone", progress) as bar:
        for name, design in chosen.items():
            for seed in seeds:
                with on_its_own(seed):
                    model = _fitted(design, seed, size, steps, batch, bar)
                    tested = draw_scenes(data_generator(seed + 500_000), 64, "test", size, NOISE)
                    reached = score(model, *tested)
                    shown = picture(_labels(model, image)[0])
                    field = max(analyze(model, input_size=(1, 1, 4 * size, 4 * size))["head"].size)
                runs.append(CapstoneRun(name, seed, field, float(multiply_adds(design)), reached, shown))
    return Capstone(size, steps, picture(image[0, 0]), picture(labels[0]), tuple(runs))


def fit_capstone(
    design: Iterable[Stage | Mapping[str, Any]],
    *,
    seed: int = 0,
    size: int = 56,
    steps: int = 300,
    batch: int = BATCH,
    progress: bool = True,
) -> CapstoneNetwork:
    """Train the network of one design on noisy scenes, and return it in eval mode.

    Example:
        >>> model = fit_capstone([Stage("conv", 8)], steps=2, progress=False)
        >>> model(torch.zeros(1, 1, 28, 28)).shape
        torch.Size([1, 11, 28, 28])

    Args:
        design: Stages, or plain data as `design_from` takes it.
        seed: Initializes the network and draws its data.
        size: Pixels of a scene along each axis, a multiple of 28 that the poolings of each design divide.
        steps: Training steps.
        batch: Scenes of each step.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        The network, from images (B, 1, H, W) to scores (B, 11, H, W), background first.

    Raises:
        LayerError: A design that cannot exist.
        ModelError: An argument out of range.
    """
    stages, (seed,) = design_from(design), seeds_from([seed])
    size, steps, batch = at_least("size", size, CELL), at_least("steps", steps, 1), at_least("batch", batch, 1)
    _check_size(size, stages, "this design")
    with bar_over(steps, "capstone", progress) as bar, on_its_own(seed):
        return _fitted(stages, seed, size, steps, batch, bar)


def score(model: nn.Module, images: Tensor, labels: Tensor) -> Score:
    """Ink accuracy and mask IoU of a network on scenes, as `draw_scenes` makes them.

    Example:
        >>> class Perfect(nn.Module):
        ...     def forward(self, images):
        ...         return functional.one_hot(images[:, 0].long(), 11).permute(0, 3, 1, 2)
        >>> labels = torch.tensor([[[0, 3], [3, 0]]])
        >>> score(Perfect(), labels[:, None].float(), labels)
        Score(ink_accuracy=1.0, mask_iou=1.0)

    Args:
        model: From images to scores (B, 11, H, W), background first; used in the mode it is in, so call `eval()`.
        images: Shape (B, 1, H, W).
        labels: Shape (B, H, W); 0 is background, 1 + class is ink.

    Returns:
        A `Score`; both numbers lie between 0 and 1.

    Raises:
        ModelError: The labels hold no ink, so that neither number exists.
    """
    ink = labels > 0
    if not bool(ink.any()):
        raise ModelError("The labels hold no ink, so there is nothing to score; draw more scenes.")
    found = _labels(model, images)
    right = (found == labels)[ink].double().mean()
    union = ((found > 0) | ink).sum().double()
    return Score(float(right), float(((found > 0) & ink).sum() / union))


def _chosen(designs: Iterable[str] | Mapping[str, Sequence[Stage]] | None) -> dict[str, tuple[Stage, ...]]:
    if designs is None:
        return dict(DESIGNS)
    if isinstance(designs, Mapping):
        return {name: design_from(stages) for name, stages in designs.items()}
    names = [designs] if isinstance(designs, str) else list(designs)
    for name in names:
        if name not in DESIGNS:
            raise UnknownNameError("design", name, DESIGNS)
    return {name: DESIGNS[name] for name in names}


def _check_size(size: int, design: Sequence[Stage], what: str) -> None:
    """Refuse scenes whose maps cannot be halved as often as the design pools: torch would drop their last rows."""
    by = coarsest_scale(design)
    if size % CELL == 0 and size % by:  # draw_scenes refuses what is no multiple of a cell
        raise ModelError(
            f"`size` must be a multiple of {by} pixels for {what}: its poolings leave 1/{by} of the resolution. With "
            f"cells of {CELL} pixels, take a multiple of {lcm(CELL, by)}, or fewer poolings; got {size}."
        )


def _fitted(design: Sequence[Stage], seed: int, size: int, steps: int, batch: int, bar: Any) -> CapstoneNetwork:
    model = CapstoneNetwork(design)
    # Channels last in memory: few channels on large maps train a fifth faster so, pooling and enlarging twice as fast.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    draw = partial(draw_scenes, data_generator(seed), batch, "train", size, NOISE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    cycle = OneCycleLR(optimizer, max_lr=2e-2, total_steps=steps)
    train(model, draw, functional.cross_entropy, optimizer, steps, bar, scheduler=cycle)
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return model.eval()


def _labels(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.as_tensor(model(images).argmax(1))
