"""One unit's gradient with respect to a batch of inputs: one forward pass, one backward pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError, NoSingleAnswerError, UnitError

__all__ = ["Probe", "listed", "tensors_in"]

# Their derivative is zero wherever it exists: autograd goes through them and brings nothing back. The digit is that of
# PyTorch's own operations; a function of that name which a model defines itself may pass a gradient on.
FLAT = re.compile(r"(Sign|Sgn|Round|Floor|Ceil|Trunc)Backward\d")


@dataclass
class Probe:
    """Runs a model on batches and brings the gradient of one unit of one layer back to them.

    Attributes:
        model: The model; it ought to be frozen and protected by `left_as_found`.
        layer: The module path of the layer; None is the model's output.
        wanted: The unit asked for; None is the middle one.
        output: "ones", "random" or a channel: how the unit's channels are weighed.
        generator: Draws the random weights.
        dims: The dimensions of the layer's output that number its units; None is 2 and up.
        unit: The unit, once the model has run.
        shape: The lengths of the dimensions that number units, once the model has run.
        flat: The operations met on the way whose derivative is zero everywhere.
    """

    model: nn.Module
    layer: str | None
    wanted: int | Sequence[int] | None
    output: str | int
    generator: torch.Generator
    dims: Sequence[int] | None = None
    unit: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    flat: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The layer, as a message names it."""
        return f"layer {self.layer!r}" if self.layer else "the model's output"

    def gradient(self, batch: Tensor) -> Tensor:
        """d(unit) / d(input), of the batch's shape; raises if no gradient leads there, or if it is not finite."""
        source = _leaf(batch)
        score = self._score(source)
        gradient = None
        if score.requires_grad:
            self.flat |= _flat_operations(score)
            (gradient,) = torch.autograd.grad(score, source, allow_unused=True)
        if gradient is None:
            raise ModelError(self._why_cut(batch))
        if not gradient.isfinite().all():
            raise ModelError(
                f"The gradient of unit {self.unit} of {self.name} is not finite, though no weight and no input is NaN. "
                "Something overflows or divides by zero on the way: try double precision, or smaller inputs."
            )
        return gradient

    def _score(self, source: Tensor) -> Tensor:
        """The number whose gradient is wanted: the unit's channels, weighed, of all inputs of the batch together."""
        scores: list[Tensor] = []
        # A copy, because a model may overwrite its input in place, which autograd forbids for a leaf.
        copy = source.clone()
        if not self.layer:
            scores.append(self._read(self.model(copy), len(source)))
        else:
            # Read at once, inside the hook: the next module may overwrite what this one returned.
            module = self.model.get_submodule(self.layer)
            handle = module.register_forward_hook(lambda *call: scores.append(self._read(call[2], len(source))))
            try:
                self.model(copy)
            finally:
                handle.remove()
        if not scores:
            raise ModelError(f"{_capital(self.name)} is never called for this input; name a layer that is.")
        return scores[-1]

    def _read(self, output: object, inputs: int) -> Tensor:
        features = self._one_tensor(output)
        if not features.is_floating_point():
            raise ModelError(
                f"{_capital(self.name)} holds {features.dtype}, which has no gradient (an argmax, a comparison?). "
                "Give `layer`, the path of a module before it, or poke with rflib.measure."
            )
        if features.ndim < 2 or len(features) != inputs:
            raise ModelError(
                f"{_capital(self.name)} has shape {tuple(features.shape)} for a batch of {inputs}; it must be "
                "(inputs, channels, *space). Give inputs with a batch dimension, or another `layer`."
            )
        dims = checked_dims(self.dims, features.ndim, "layer_spatial")
        self.shape = tuple(features.shape[dim] for dim in dims)
        self.unit = _checked_unit(self.wanted, self.shape, self.name)
        for dim, place in sorted(zip(dims, self.unit, strict=True), reverse=True):
            features = features.select(dim, place)
        return self._weighed(features.reshape(inputs, -1))  # (B, C)

    def _one_tensor(self, output: object) -> Tensor:
        found = list(tensors_in(output))
        if len(found) == 1:
            return found[0]
        shapes = ", ".join(str(tuple(t.shape)) for t in found) or "none"
        raise NoSingleAnswerError(
            f"{_capital(self.name)} is not one tensor but {len(found)}: {shapes}. Give `layer`, the path of a module "
            "that returns one."
        )

    def _weighed(self, values: Tensor) -> Tensor:
        if self.output == "ones":
            return values.sum()
        if self.output == "random":
            weights = torch.randn(values.shape, generator=self.generator)
            return (values * weights.to(values)).sum()
        channel, known = int(self.output), values.shape[1]
        if not 0 <= channel < known:
            raise UnitError(f"There is no channel {channel}: {self.name} has {known}, numbered 0 to {known - 1}.")
        return values[:, channel].sum()

    def _why_cut(self, batch: Tensor) -> str:
        """Runs once more, to find the first module that takes in a gradient and lets none out."""
        cut: list[str] = []

        def look(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(module: nn.Module, args: object, output: object) -> None:
                if _tracked(args) and not _tracked(output):
                    cut.append(name)

            return hook

        handles = [module.register_forward_hook(look(name)) for name, module in self.model.named_modules()]
        try:
            self._score(_leaf(batch))
        finally:
            for handle in handles:
                handle.remove()
        where = f" in {f'module {cut[0]!r}' if cut[0] else 'the forward of the model itself'}" if cut else ""
        return (
            f"No gradient leads from unit {self.unit} of {self.name} to the input: it is cut{where} by an operation "
            "without a derivative (argmax, a comparison, an integer index, detach, no_grad), or the unit does not "
            "depend on the input. Measure a layer before the cut, or poke with rflib.measure."
        )


def _leaf(batch: Tensor) -> Tensor:
    # A tensor made under inference_mode cannot ask for a gradient, its copy can.
    return (batch.clone() if batch.is_inference() else batch.detach()).requires_grad_()


def _tracked(value: object) -> bool:
    return any(tensor.requires_grad for tensor in tensors_in(value))


def _flat_operations(score: Tensor) -> set[str]:
    found, seen, todo = set(), set(), [score.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if match := FLAT.fullmatch(node.name()):
            found.add(match[1].lower())
        todo += [parent for parent, _ in node.next_functions]
    return found


def _checked_unit(unit: int | Sequence[int] | None, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    if unit is None:
        return tuple(n // 2 for n in shape)
    given = tuple(whole_number(u) for u in (unit if isinstance(unit, Sequence) else (unit,)))
    found = tuple(u for u in given if u is not None)
    if not len(given) == len(found) == len(shape):
        raise UnitError(
            f"`unit` must have one integer for each of the {len(shape)} spatial axes of {name}; got {shown(unit)}."
        )
    for axis, (u, n) in enumerate(zip(found, shape, strict=True)):
        if not 0 <= u < n:
            raise UnitError(f"There is no unit {found}: axis {axis} of {name} has {n} units, numbered 0 to {n - 1}.")
    return found


def checked_dims(dims: Sequence[int] | None, ndim: int, argument: str) -> list[int]:
    """The spatial dimensions as plain indices, in rising order; by default 2 and up."""
    if dims is None:
        return list(range(2, ndim))
    found = [whole_number(dim) for dim in dims]
    plain = [dim % ndim for dim in found if dim is not None and -ndim <= dim < ndim]
    if len(plain) != len(found) or 0 in plain or sorted(set(plain)) != plain:
        raise ModelError(
            f"`{argument}` must name dimensions of a tensor with {ndim} of them, in rising order and without dimension "
            f"0, the batch; got {shown(dims)}."
        )
    return plain


def tensors_in(value: object) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | tuple | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(entry)


def listed(names: Iterable[str]) -> str:
    """Names as a message lists them."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
