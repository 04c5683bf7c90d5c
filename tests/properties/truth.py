"""What units really read, found by changing one input position at a time: the oracle, which knows nothing of rflib.

All positions are poked in one run, each in its own element of the batch, so a network must keep its batch apart. Pokes
are finite numbers, and learned weights are drawn anew, away from zero, in every round. A rectifier or a maximum may
hide a poke, so what one round has not seen is no proof; what it has seen is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

Shape = tuple[int, ...]
AMPLITUDES = (1.5, -2.5, 40.0, -40.0, 0.3, 4000.0)
ROUNDING = 1e-12


def redraw(model: nn.Module, generator: torch.Generator) -> None:
    """New weights, none near zero, of both signs."""
    with torch.no_grad():
        for p in model.parameters():
            size = torch.rand(p.shape, generator=generator, dtype=p.dtype) + 0.2
            sign = torch.where(torch.rand(p.shape, generator=generator) < 0.35, -1.0, 1.0)
            p.copy_(size * sign / (p[0].numel() ** 0.5 if len(p) > 1 else 1.0))


def tensors_in(value: object, name: str = "") -> dict[str, Tensor]:
    """The tensors of an output by name: '' for a single one, an index or a key otherwise."""
    if isinstance(value, Tensor):
        return {name: value}
    if not isinstance(value, dict | list | tuple):
        return {}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, Tensor] = {}
    for key, part in items:
        found |= tensors_in(part, f"{name}.{key}" if name else str(key))
    return found


class Truth:
    """Which elements of which layer change with which position of one input.

    Args:
        model: in evaluation mode, float64, with no connection between the elements of a batch.
        shapes: of the inputs, batch first.
        source: the input that is poked.
        seed: of weights, inputs and pokes.
        spatial: the dimensions of that input that are space.
    """

    def __init__(self, model: nn.Module, shapes: Sequence[Shape], source: int = 0, seed: int = 0, spatial: Shape = ()):
        self.model, self.shapes, self.source = model, list(shapes), source
        self.generator = torch.Generator().manual_seed(seed)
        self.spatial = spatial or tuple(range(2, len(shapes[source])))
        self.space = tuple(shapes[source][d] for d in self.spatial)
        self.positions = list(itertools.product(*(range(n) for n in self.space)))
        self.changed: dict[tuple[str, str], np.ndarray] = {}
        self.rounds = 0

    def look(self, rounds: int = 1) -> None:
        """Poke every position a few times more."""
        for _ in range(rounds):
            redraw(self.model, self.generator)
            self._round(AMPLITUDES[self.rounds % len(AMPLITUDES)])
            self.rounds += 1

    def _round(self, amplitude: float) -> None:
        count = len(self.positions)
        inputs = []
        for k, shape in enumerate(self.shapes):
            x = torch.randn(shape[1:], generator=self.generator, dtype=torch.float64)
            x = x.expand(count + 1, *shape[1:]).clone()
            if k == self.source:
                for i, position in enumerate(self.positions):
                    at: list[int | slice] = [slice(None)] * len(shape)
                    for d, p in zip(self.spatial, position, strict=True):
                        at[d] = p
                    at[0] = i
                    here = x[tuple(at)]
                    here += amplitude * (0.5 + torch.rand(here.shape, generator=self.generator, dtype=torch.float64))
            inputs.append(x)
        for key, t in self._run(inputs).items():
            t = t.double()
            rounding = ROUNDING * (1 + t[-1:].abs())
            moved = ((t[:-1] - t[-1:]).abs() > rounding).numpy()
            self.changed[key] = moved | self.changed.get(key, np.zeros((), dtype=bool))

    def _run(self, inputs: list[Tensor]) -> dict[tuple[str, str], Tensor]:
        """What every module returns in its last call."""
        kept: dict[tuple[str, str], Tensor] = {}

        def keep(path: str) -> Callable[..., None]:
            def hook(module: nn.Module, args: object, output: object) -> None:
                for name, t in tensors_in(output).items():
                    kept[path, name] = t.detach().clone()

            return hook

        hooks = [m.register_forward_hook(keep(path)) for path, m in self.model.named_modules()]
        try:
            with torch.no_grad():
                self.model(*inputs)
        finally:
            for h in hooks:
                h.remove()
        return kept

    def masks(self, path: str, output: str, unit_dims: Sequence[int]) -> np.ndarray:
        """For every unit what it was seen to read: shape (units..., positions...)."""
        moved = self.changed[path, output]  # (positions, channels and units in the layer's own order)
        others = tuple(d for d in range(1, moved.ndim) if d not in unit_dims)
        moved = moved.any(axis=others) if others else moved
        return np.moveaxis(moved, 0, -1).reshape(*moved.shape[1:], *self.space)
