"""The shift test: does the output move along when the input moves by a pixel?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from rflib.arithmetic import Layer, ReceptiveField, receptive_field
from rflib.errors import ModelError, UnknownNameError
from rflib.experiments.digits import draw_mosaics
from rflib.experiments.results import Result, mean, spread
from rflib.experiments.training import at_least, bar_over, data_generator, he_initialize, on_its_own, seeds_from

__all__ = ["SUBSAMPLINGS", "ShiftRun", "ShiftTest", "shift_inputs"]

CHANNELS = 8
DEPTH = 4  # convolutions of 3 x 3
IMAGES = 4
KEPT = 16  # pixels along each axis that are compared, at least

# What stands after the second convolution, or, for "stride", in it; "two max pools" has one after the first as well.
# Two average pools one behind the other weigh their inputs 1, 2, 1: the smallest blur.
SUBSAMPLINGS: Mapping[str, tuple[str, ...]] = {
    "none": ("conv", "conv", "conv", "conv"),
    "max pool": ("conv", "conv", "max", "conv", "conv"),
    "average pool": ("conv", "conv", "mean", "conv", "conv"),
    "blurred max pool": ("conv", "conv", "max/1", "mean/1", "mean", "conv", "conv"),
    "stride": ("conv", "conv/2", "conv", "conv"),
    "two max pools": ("conv", "max", "conv", "max", "conv", "conv"),
}
PARTS = {
    "conv": Layer(3, padding=1),
    "conv/2": Layer(3, stride=2, padding=1),
    "max": Layer(2, stride=2),
    "mean": Layer(2, stride=2),
    "max/1": Layer(2),
    "mean/1": Layer(2),
}


@dataclass(frozen=True)
class ShiftRun:
    """One network with random weights.

    Attributes:
        subsampling: A name from `SUBSAMPLINGS`.
        seed: Of the weights.
        field: Size of the receptive field along each axis, in pixels.
        stride: Pixels between neighboring units: the resolution that is left.
        changes: For each shift, the mean absolute difference between the output of the shifted image and the shifted
            output, as a share of the mean absolute output.
    """

    subsampling: str
    seed: int
    field: int
    stride: int
    changes: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class ShiftTest(Result):
    """How far outputs fail to move along with the input.

    Attributes:
        shifts: In pixels.
        runs: One for each kind of subsampling and seed.
    """

    title: ClassVar[str] = "The shift test: same depth, with and without subsampling"

    shifts: tuple[int, ...]
    runs: tuple[ShiftRun, ...]

    def changes(self, subsampling: str, shift: int) -> tuple[float, ...]:
        """Over the seeds."""
        at = self.shifts.index(shift)
        return tuple(run.changes[at] for run in self.runs if run.subsampling == subsampling)

    @property
    def finding(self) -> str:
        """Whether the output follows at exactly the multiples of the stride."""
        follows = [c for r in self.runs for s, c in zip(self.shifts, r.changes, strict=True) if s % r.stride == 0]
        fails = [c for r in self.runs for s, c in zip(self.shifts, r.changes, strict=True) if s % r.stride]
        said = f"At shifts that are multiples of the stride the output differs by at most {max(follows, default=0):.3f}"
        return said + (f", at all others by {spread(fails)} of its mean size." if fails else ".")

    def table(self) -> tuple[Sequence[str], list[Sequence[object]]]:
        """One row for each kind of subsampling: means over the seeds."""
        rows: list[Sequence[object]] = []
        for name in dict.fromkeys(run.subsampling for run in self.runs):
            first = next(run for run in self.runs if run.subsampling == name)
            means = [f"{mean(self.changes(name, shift)):.3f}" for shift in self.shifts]
            rows.append([name, first.field, first.stride, *means])
        return ("subsampling", "field", "stride", *(f"shift {shift}" for shift in self.shifts)), rows


def shift_inputs(
    subsamplings: Iterable[str] | None = None,
    *,
    shifts: Sequence[int] = (0, 1, 2, 3, 4),
    seeds: Iterable[int] = (0, 1, 2),
    progress: bool = True,
) -> ShiftTest:
    """Shift images of digits by whole pixels and compare the output with the shifted output; nothing is trained.

    Example:
        >>> result = shift_inputs(["none", "max pool"], shifts=(1, 2), seeds=(0,), progress=False)
        >>> result.changes("none", 1)[0] < 1e-6, result.changes("max pool", 1)[0] > 0.1
        (True, True)
        >>> result.changes("max pool", 2)[0] < 1e-6
        True

    Args:
        subsamplings: Names from `SUBSAMPLINGS`; by default all.
        shifts: To the right, in pixels.
        seeds: Each draws the weights of a network (He initialization) and the images.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        A `ShiftTest`.

    Raises:
        ModelError: An argument out of range.
        UnknownNameError: No kind of subsampling has that name.

    Reference:
        R. Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, arXiv:1904.11486.
    """
    names = list(SUBSAMPLINGS if subsamplings is None else subsamplings)
    for name in names:
        if name not in SUBSAMPLINGS:
            raise UnknownNameError("kind of subsampling", name, SUBSAMPLINGS)
    shifts, seeds = tuple(at_least("shifts", shift, 0) for shift in shifts), seeds_from(seeds)
    if not names or not shifts:
        raise ModelError("`subsamplings` and `shifts` each need at least one entry; leave them out for all.")
    runs = []
    with bar_over(len(names) * len(seeds), "shift test", progress) as bar:
        for name in names:
            for seed in seeds:
                with on_its_own(seed):
                    runs.append(_run(name, seed, shifts))
                bar.update()
    return ShiftTest(shifts, tuple(runs))


def _run(name: str, seed: int, shifts: Sequence[int]) -> ShiftRun:
    field = receptive_field([PARTS[part] for part in SUBSAMPLINGS[name]])
    model = _network(SUBSAMPLINGS[name])
    # Units nearer to the edge than this read padding, before or after the shift.
    edge = field.size // 2 + field.stride + max(shifts)
    width = -(-(2 * edge + KEPT) // 8) * 8
    # Views of a wider picture: what enters at one side is picture too.
    room = max(shifts)
    wide, _ = draw_mosaics(data_generator(seed), IMAGES, "test", digits=-(-(width + room) // 8))
    wide = wide[..., :width, :].double()
    still = _output(model, wide[..., room : room + width], field)
    changes = []
    for shift in shifts:
        moved = _output(model, wide[..., room - shift : room - shift + width], field)
        kept = slice(edge, width - edge)
        expected = torch.roll(still, shift, dims=-1)[..., kept, kept]
        changes.append(float((moved[..., kept, kept] - expected).abs().mean() / expected.abs().mean()))
    return ShiftRun(name, seed, field.size, field.stride, tuple(changes))


def _network(parts: Sequence[str]) -> nn.Sequential:
    modules: list[nn.Module] = []
    width = 1
    for part in parts:
        layer = PARTS[part]
        if part.startswith("conv"):
            conv = nn.Conv2d(width, CHANNELS, layer.kernel_size, stride=layer.stride, padding=layer.left)
            modules += [conv, nn.ReLU()]
            width = CHANNELS
        else:
            pool = nn.MaxPool2d if part.startswith("max") else nn.AvgPool2d
            modules.append(pool(layer.kernel_size, stride=layer.stride))
    model = nn.Sequential(*modules)
    he_initialize(model)
    return model.double().eval()


def _output(model: nn.Module, images: Tensor, field: ReceptiveField) -> Tensor:
    """The output at the input's resolution: each unit repeated over the pixels of its stride."""
    with torch.no_grad():
        found: Tensor = model(images)
    return found.repeat_interleave(field.stride, -1).repeat_interleave(field.stride, -2)
