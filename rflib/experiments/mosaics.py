"""Dense labeling: name the digit that each pixel belongs to, at equal depth and different fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from rflib.arithmetic import Layer, receptive_field
from rflib.errors import ModelError
from rflib.experiments.digits import CLASSES, draw_mosaics
from rflib.experiments.results import Picture, Result, picture, spread
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from, train

__all__ = ["MosaicLabeling", "MosaicRun", "label_mosaics"]


@dataclass(frozen=True)
class MosaicRun:
    """One trained network.

    Attributes:
        field: Size of the receptive field along each axis, in pixels.
        seed: Of the initialization and of the data.
        accuracy: Share of pixels labeled right, on digits held out; 0.1 is chance.
        prediction: The labels it gives to the result's example.
    """

    field: int
    seed: int
    accuracy: float
    prediction: Picture


@dataclass(frozen=True, repr=False)
class MosaicLabeling(Result):
    """Accuracy of dense labeling against the receptive field, at equal depth.

    Attributes:
        depth: Convolutions of every network: 3 x 3 first, 1 x 1 for the rest.
        steps: Training steps of every run.
        image: An example that no network was trained on, 0 to 1.
        labels: Its true classes.
        runs: One for each field and seed.
    """

    title: ClassVar[str] = "Dense labeling: which digit does each pixel belong to?"

    depth: int
    steps: int
    image: Picture
    labels: Picture
    runs: tuple[MosaicRun, ...]

    def accuracies(self, field: int) -> tuple[float, ...]:
        """Of all runs with that field."""
        return tuple(run.accuracy for run in self.runs if run.field == field)

    @property
    def finding(self) -> str:
        """Accuracy at every field."""
        fields = dict.fromkeys(run.field for run in self.runs)
        listed = ", ".join(f"{spread(self.accuracies(f))} with field {f}" for f in fields)
        return f"At {self.depth} layers each, the share of pixels labeled right is {listed} (chance is 0.10)."

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each field."""
        fields = dict.fromkeys(run.field for run in self.runs)
        return ("field", "layers of 3 x 3", "of 1 x 1", "accuracy", "seeds"), [
            [f, (f - 1) // 2, self.depth - (f - 1) // 2, spread(self.accuracies(f)), len(self.accuracies(f))]
            for f in fields
        ]


def label_mosaics(
    fields: Sequence[int] = (3, 7, 11, 15),
    *,
    depth: int = 7,
    seeds: Iterable[int] = (0,),
    steps: int = 300,
    channels: int = 16,
    progress: bool = True,
) -> MosaicLabeling:
    """Train networks of equal depth and different fields to label every pixel of a mosaic of 8 x 8 digits.

    Example:
        >>> result = label_mosaics(fields=(3,), steps=2, progress=False)
        >>> [run.field for run in result.runs], len(result.image)
        ([3], 32)

    Args:
        fields: Odd sizes of the receptive field in pixels, at most 1 + 2 depth.
        depth: Convolutions of every network, not counting the 1 x 1 that gives the classes.
        seeds: Each initializes a network and draws its data.
        steps: Training steps (Adam, rate 0.005, 8 mosaics of 32 x 32 pixels each).
        channels: Of every hidden layer.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `MosaicLabeling`.

    Raises:
        ModelError: An argument out of range.
    """
    depth, steps, channels = at_least("depth", depth, 1), at_least("steps", steps, 1), at_least("channels", channels, 1)
    seeds, fields = seeds_from(seeds), [at_least("fields", f, 1) for f in fields]
    for f in fields:
        if f % 2 == 0 or f > 1 + 2 * depth:
            raise ModelError(f"`fields` must be odd and at most 1 + 2 * depth = {1 + 2 * depth}; got {f}.")
    with on_its_own(0):
        image, labels = draw_mosaics(data_generator(0), 1, "test")
    runs = []
    with bar_over(len(fields) * len(seeds) * steps, "mosaics", progress) as bar:
        for wanted in fields:
            for seed in seeds:
                with on_its_own(seed):
                    sizes = [3] * (wanted // 2) + [1] * (depth - wanted // 2)
                    model = _network(sizes, channels)
                    data = data_generator(seed)
                    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
                    draw = partial(draw_mosaics, data, 8, "train")
                    train(model, draw, functional.cross_entropy, optimizer, steps, bar)
                    tested, truth = draw_mosaics(data, 64, "test")
                    right = (_predicted(model, tested) == truth).float().mean()
                    prediction = picture(_predicted(model, image)[0])
                size = receptive_field([Layer(k, padding=k // 2) for k in sizes]).size
                runs.append(MosaicRun(size, seed, float(right), prediction))
    return MosaicLabeling(depth, steps, picture(image[0, 0]), picture(labels[0]), tuple(runs))


def _network(kernel_sizes: Sequence[int], channels: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    width = 1
    for size in kernel_sizes:
        parts += [nn.Conv2d(width, channels, size, padding=size // 2), nn.ReLU()]
        width = channels
    model = nn.Sequential(*parts, nn.Conv2d(width, CLASSES, 1))
    he_initialize(model)
    return model


def _predicted(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return torch.as_tensor(model(images).argmax(1))
