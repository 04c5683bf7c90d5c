"""The networks of the effective-field explorer: real layers, drawn at random, the input exactly as large as the field.

Convolutions without padding on such an input leave one unit, so the work shrinks from layer to layer, and no border
can disturb the map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from rflib.arithmetic import Layer, receptive_field
from rflib.effective.random_walk import Parallel, effective_sigma
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError

__all__ = ["CONTRIBUTIONS", "DEEPEST", "NONLINEARITIES", "PATTERNS", "SKIPS", "WEIGHTS"]
__all__ += ["Draws", "Settings", "deepest", "drawn", "gradients", "law", "measured", "unknown"]

WEIGHTS = ("uniform", "random, mean zero", "random, positive")
NONLINEARITIES = ("none", "ReLU")
SKIPS = ("none", "identity")
PATTERNS = ("constant", "dilation 2", "dilation doubling", "stride 2")
CONTRIBUTIONS = ("absolute", "squared")
DEEPEST, LARGEST = 30, 127  # layers, input positions
MOST_WORK = 40_000_000  # multiply-adds forward, all draws together: 20 to 40 ms there and back on one core
CHANNELS = 4  # of random layers: enough for mean values, few enough to answer at once
GAIN = 2.0  # He: the variance of a layer's weights times the number of values that it adds up


@dataclass(frozen=True)
class Settings:
    """What decides the effective field of a stack; `draws` and `seed` only how well it is measured."""

    depth: int
    kernel_size: int
    weights: str
    nonlinearity: str
    skip: str
    pattern: str
    contribution: str
    draws: int
    seed: int

    @property
    def layers(self) -> list[Layer]:
        """The stack on one axis, first layer first; without padding."""
        dilations, strides = [1] * self.depth, [1] * self.depth
        if self.pattern == "dilation 2":
            dilations = [2] * self.depth
        elif self.pattern == "dilation doubling":
            dilations = [2**number for number in range(self.depth)]
        elif self.pattern == "stride 2":
            strides = [2] * self.depth
        pairs = zip(strides, dilations, strict=True)
        return [Layer(self.kernel_size, stride=s, dilation=d) for s, d in pairs]

    @property
    def field(self) -> int:
        """The receptive field, in input positions."""
        return receptive_field(self.layers).size

    @property
    def channels(self) -> int:
        """Of the layers between; equal weights need no more than one."""
        return 1 if self.weights == "uniform" else CHANNELS

    @property
    def work(self) -> int:
        """Multiply-adds of one forward pass."""
        layers, channels = self.layers, self.channels
        sizes = [*(receptive_field(layers[number:]).size for number in range(1, self.depth)), 1]
        inner = [1, *[channels] * (self.depth - 1)]
        return sum(n**2 * self.kernel_size**2 * c * channels for n, c in zip(sizes, inner, strict=True))

    @property
    def is_random(self) -> bool:
        """Whether another draw gives another map."""
        return self.weights != "uniform" or self.nonlinearity != "none"

    @property
    def fits(self) -> bool:
        """Whether the map is there at once."""
        return self.field <= LARGEST and self.work * (self.draws if self.is_random else 1) <= MOST_WORK

    def depth_is(self, depth: int) -> Settings:
        """The same with another depth."""
        return replace(self, depth=depth)

    def expected_sigma(self) -> float | None:
        """The closed form, where there is one.

        Equal weights, or positive ones on the average: the path counts. Weights of mean zero: on the average the
        squares of the gradient are the path counts, each layer weighted with its gain.
        """
        squares = self.contribution == "squared"
        if self.nonlinearity != "none" or squares != (self.weights == "random, mean zero"):
            return None
        if self.skip == "none":
            return effective_sigma(self.layers)
        gain = GAIN if squares else 1.0
        blocks: list[Layer | Parallel] = []
        for number, layer in enumerate(self.layers):
            half = layer.dilation * (layer.kernel_size - 1) // 2
            branch = Layer(layer.kernel_size, stride=layer.stride, padding=half, dilation=layer.dilation)
            around = Layer(1, stride=layer.stride)
            # The first layer has no skip where it changes the number of channels.
            blocks.append(branch if number == 0 and self.channels > 1 else Parallel([[around], [branch]], [1.0, gain]))
        return effective_sigma(blocks)


@dataclass(frozen=True)
class Draws:
    """Weights and inputs of all draws: for every layer (draws, channels, channels read, kernel, kernel)."""

    weights: list[Tensor]
    inputs: Tensor  # (draws, field, field)


def drawn(settings: Settings) -> Draws:
    """Draw weights and inputs; where nothing is random, once."""
    generator = torch.Generator().manual_seed(settings.seed)
    draws = settings.draws if settings.is_random else 1
    weights = []
    for number in range(settings.depth):
        read, kernel = settings.channels if number else 1, settings.kernel_size
        weight = torch.empty(draws, settings.channels, read, kernel, kernel, dtype=torch.float64)
        taps = read * kernel**2
        if settings.weights == "uniform":
            weight.fill_(1 / taps)
        elif settings.weights == "random, positive":
            weight.uniform_(0, 2 / taps, generator=generator)
        else:
            weight.normal_(0, (GAIN / taps) ** 0.5, generator=generator)
        weights.append(weight)
    inputs = torch.randn(draws, settings.field, settings.field, generator=generator, dtype=torch.float64)
    return Draws(weights, inputs)


def gradients(settings: Settings, draws: Draws) -> Tensor:
    """The gradient of the one unit, its channels added up, for all draws at once: (draws, field, field).

    A group of channels for each draw, so that one pass forward and one back serve all of them. The last layer has no
    nonlinearity: a unit that is off would have no gradient. Layers that change the number of channels have no skip.
    """
    groups = len(draws.inputs)
    x = draws.inputs[None].clone().requires_grad_(True)  # (1, draws, field, field)
    y = x
    for number, (layer, weight) in enumerate(zip(settings.layers, draws.weights, strict=True)):
        z = F.conv2d(y, weight.flatten(0, 1), stride=layer.stride, dilation=layer.dilation, groups=groups)
        if settings.nonlinearity == "ReLU" and number < settings.depth - 1:
            z = z.relu()
        if settings.skip == "identity" and weight.shape[1] == weight.shape[2]:
            half = layer.dilation * (layer.kernel_size - 1) // 2
            inner = slice(half, -half, layer.stride)
            z = z + y[..., inner, inner]
        y = z  # (1, draws * channels, shorter, shorter)
    return torch.autograd.grad(y.sum(), x)[0][0]


def measured(settings: Settings) -> EffectiveReceptiveField:
    """The effective field, averaged over draws of weights and inputs; every draw counts the same.

    What `rflib.effective_receptive_field` measures on each draw; here all of them at once, so that it keeps up with a
    slider.

    Raises:
        ModelError: The gradient of every draw is zero.
    """
    with torch.enable_grad():
        return averaged(gradients(settings, drawn(settings)), settings.contribution)


def averaged(each: Tensor, contribution: str) -> EffectiveReceptiveField:
    """The effective field of the gradients of all draws, (draws, field, field).

    Raises:
        ModelError: The gradient of every draw is zero.
    """
    squares = contribution == "squared"
    maps = (each.square() if squares else each.abs()).numpy()
    sums = maps.sum(axis=(1, 2))
    heard = maps[sums > 0] / sums[sums > 0, None, None]
    silent = len(maps) - len(heard)
    if not len(heard):
        raise ModelError(
            f"The gradient of the unit is zero in all draws ({len(maps)}): all ReLUs on the way are off. Take fewer "
            "layers, or more draws."
        )
    notes = (f"For {silent} of {len(maps)} draws the gradient is zero everywhere; they add nothing.",)
    kind = "the square" if squares else "the absolute value"
    convention = f"{kind} of the gradient of the sum of the unit's channels, each draw brought to sum 1, averaged"
    return EffectiveReceptiveField(
        heard.mean(axis=0), (0, 0), inputs=len(heard), convention=convention, notes=notes if silent else ()
    )


@lru_cache(maxsize=256)
def deepest(settings: Settings) -> int:
    """The greatest depth that fits with these settings; theirs is left out of account."""
    return next((depth for depth in range(DEEPEST, 1, -1) if settings.depth_is(depth).fits), 1)


@lru_cache(maxsize=256)
def law(settings: Settings) -> list[list[float | None]]:
    """For every depth: field, sigma in closed form, and the square root of the depth times sigma of one layer.

    Sigma is None where there is no closed form; the square root is None unless it is the closed form at all depths.
    """
    first = settings.depth_is(1)
    one = first.expected_sigma()
    depths = [settings.depth_is(depth) for depth in range(1, deepest(first) + 1)]
    sigmas = [s.expected_sigma() for s in depths]
    roots = [None if one is None else one * math.sqrt(s.depth) for s in depths]
    holds = all(r is not None and s is not None and math.isclose(r, s) for r, s in zip(roots, sigmas, strict=True))
    return [[s.depth, s.field, e, r if holds else None] for s, e, r in zip(depths, sigmas, roots, strict=True)]


def unknown(settings: Settings) -> str:
    """Why there is no closed form, or why it is not the square root of the depth; empty where it is."""
    _, _, sigma, root = law(settings.depth_is(1))[-1]
    if root is not None:
        return ""
    if sigma is not None:
        if settings.pattern in ("dilation doubling", "stride 2"):
            return (
                "No line for the square root of depth: each layer reaches twice as far as the one before, so sigma "
                "grows faster."
            )
        return (
            "No line for the square root of depth: the first layer has no skip connection, so the layers are not alike."
        )
    if settings.nonlinearity != "none":
        return "No closed form: which ReLUs are on depends on the input, so sigma is only measured."
    kind = "squared" if settings.weights == "random, mean zero" else "absolute"
    named = "equal weights" if settings.weights == "uniform" else f"{settings.weights.partition(', ')[2]} weights"
    named = "weights of mean zero" if kind == "squared" else named
    return f"No closed form: for {named} there is one for the {kind} gradient only, so sigma is only measured."
