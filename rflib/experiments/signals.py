"""Random signs on a line, tasks that ask for signs at known distances, and the networks that try.

Because the signs are independent, a network that does not read a marked position can only guess: half of its answers
are right, whatever it learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rflib.arithmetic import Layer, receptive_field
from rflib.effective.effective import effective_receptive_field
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError

__all__ = ["LENGTH", "SignTask", "SignalNetwork", "effective_field", "flipped"]

LENGTH = 256  # of a training signal, in positions


@dataclass(frozen=True)
class SignTask:
    """At every position, predict a product of the input's signs at some offsets.

    Example:
        >>> copy = SignTask(((-6,),))         # the sign six positions to the left
        >>> puzzle = SignTask(((-6, 6),))     # the product of two signs
        >>> signs, positive = puzzle.batch(torch.Generator().manual_seed(0), 2, 64)
        >>> signs.shape, positive.shape
        (torch.Size([2, 1, 64]), torch.Size([2, 1, 52]))

    Args:
        marks: For each output channel, the offsets whose signs are multiplied, in input positions.
    """

    marks: tuple[tuple[int, ...], ...]

    @property
    def margins(self) -> tuple[int, int]:
        """Positions at the left and the right end that have no target, since a mark would lie outside."""
        offsets = [offset for channel in self.marks for offset in channel]
        return max(0, -min(offsets)), max(0, max(offsets))

    def batch(self, generator: torch.Generator, count: int, length: int = LENGTH) -> tuple[Tensor, Tensor]:
        """Signs (count, 1, length) and whether each product is positive (count, channels, length - margins)."""
        left, right = self.margins
        if length <= left + right:
            raise ModelError(
                f"Signals of {length} positions are too short for marks at {-left} and {right}; "
                f"use marks closer than {length // 2} positions."
            )
        signs = torch.randint(0, 2, (count, 1, length), generator=generator).float() * 2 - 1
        channels = []
        for offsets in self.marks:
            product = torch.ones(count, length - left - right)
            for offset in offsets:
                product = product * signs[:, 0, left + offset : length - right + offset]
            channels.append(product > 0)
        return signs, torch.stack(channels, dim=1).float()

    def cut(self, outputs: Tensor) -> Tensor:
        """The outputs at the positions that have a target."""
        left, right = self.margins
        return outputs[..., left : outputs.shape[-1] - right]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy at the positions that have a target."""
        return functional.binary_cross_entropy_with_logits(self.cut(outputs), targets)

    def correct(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """For each channel, the share of positions whose sign is predicted right."""
        return ((self.cut(outputs) > 0) == (targets > 0)).float().mean((0, 2))

    def accuracy(self, model: nn.Module, generator: torch.Generator, count: int = 64) -> tuple[float, ...]:
        """`correct` of the model in eval mode, on fresh signals."""
        signs, targets = self.batch(generator, count)
        model.eval()
        with torch.no_grad():
            return tuple(self.correct(model(signs), targets).tolist())


class SignalNetwork(nn.Module):
    """A stack of 1-D convolutions, each followed by ReLU, that keeps the length; then one 1x1 convolution.

    Args:
        dilations: One for each layer.
        kernel_size: Odd, the same in every layer.
        channels: Of every hidden layer.
        outputs: Channels of the result.
        norm: Whether batch norm stands before each ReLU.
        skip: Whether each layer but the first adds its input to its output.
        output_scale: The result is multiplied by this number.
    """

    def __init__(
        self,
        dilations: Sequence[int],
        kernel_size: int = 3,
        channels: int = 16,
        outputs: int = 1,
        norm: bool = False,
        skip: bool = False,
        output_scale: float = 1.0,
    ) -> None:
        super().__init__()
        widths = [1, *[channels] * len(dilations)]
        self.layers = [Layer(kernel_size, padding=d * (kernel_size // 2), dilation=d) for d in dilations]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, channels, kernel_size, padding=layer.left, dilation=layer.dilation)
            for width, layer in zip(widths, self.layers, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) if norm else nn.Identity() for _ in dilations)
        self.head = nn.Conv1d(channels, outputs, 1)
        self.skip = skip
        self.output_scale = output_scale

    @property
    def field(self) -> int:
        """Size of the receptive field of one output, in input positions."""
        return receptive_field(self.layers).size

    @property
    def reach(self) -> int:
        """How far to the left an output reads, in input positions."""
        return self.reaches[-1]

    @property
    def reaches(self) -> tuple[int, ...]:
        """How far to the left the ReLUs of each layer read, in input positions."""
        depths = range(1, len(self.layers) + 1)
        return tuple(-receptive_field(self.layers[:depth]).interval(0)[0] for depth in depths)

    def activations(self, signal: Tensor) -> tuple[list[Tensor], Tensor]:
        """What each ReLU returns, each (B, channels, length), and what the head receives."""
        found = []
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            active = torch.relu(norm(convolution(signal)))
            found.append(active)
            signal = signal + active if self.skip and number else active
        return found, signal

    def set_statistics(self, signal: Tensor) -> None:
        """Set batch norm's running statistics to those of this batch; without it, eval mode would not normalize yet."""
        norms = [norm for norm in self.norms if isinstance(norm, nn.BatchNorm1d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = 1.0
        self.train()
        with torch.no_grad():
            self(signal)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def forward(self, signal: Tensor) -> Tensor:
        """Signal (B, 1, length) to logits (B, outputs, length)."""
        result: Tensor = self.head(self.activations(signal)[1]) * self.output_scale
        return result


def effective_field(model: nn.Module, signs: Tensor) -> EffectiveReceptiveField:
    """The effective field of the middle output: mean absolute gradient over the signals, as shares that sum to 1."""
    was_training = model.training
    model.eval()
    try:
        return effective_receptive_field(model, signs, batch_size=len(signs), progress=False)
    finally:
        model.train(was_training)


def flipped(model: nn.Module, signs: Tensor, offsets: Sequence[int]) -> tuple[float, ...]:
    """For each offset: flip that one sign; the share of signals whose middle output changes sign."""
    middle = signs.shape[-1] // 2
    was_training = model.training
    model.eval()
    shares = []
    with torch.no_grad():
        before = model(signs)[:, 0, middle] > 0
        for offset in offsets:
            poked = signs.clone()
            poked[..., middle + offset] *= -1
            shares.append(float(((model(poked)[:, 0, middle] > 0) != before).float().mean()))
    model.train(was_training)
    return tuple(shares)
