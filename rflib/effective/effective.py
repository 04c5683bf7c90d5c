"""The effective receptive field of one unit of any PyTorch module, by gradient.

How much does each input position contribute to a unit? Put 1 at the unit, 0 at all others, and run one backward pass to
the input: the size of the gradient there says it, for these weights and these inputs. An effective field belongs to a
network, its weights and the data, never to the network alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd
from tqdm.auto import tqdm

from rflib.arithmetic import shown, whole_number
from rflib.effective.gradients import Probe, checked_dims, listed
from rflib.effective.paths import PathCounts, graph_path_counts, path_counts
from rflib.effective.random_walk import Parallel, effective_sigma
from rflib.effective.spread import EffectiveReceptiveField, Floats, GaussianFit
from rflib.errors import ModelError, UnknownNameError
from rflib.untouched import left_as_found

__all__ = [
    "EffectiveReceptiveField",
    "GaussianFit",
    "Parallel",
    "PathCounts",
    "effective_receptive_field",
    "effective_sigma",
    "graph_path_counts",
    "path_counts",
]

Contribution: TypeAlias = Literal["absolute", "squared", "positive"]
CONTRIBUTIONS = {
    "absolute": "the absolute value of the gradient",
    "squared": "the square of the gradient",
    "positive": "the positive part of the gradient",
}


def effective_receptive_field(
    model: nn.Module,
    inputs: Tensor | Iterable[Any],
    unit: int | Sequence[int] | None = None,
    layer: str | None = None,
    *,
    contribution: Contribution = "absolute",
    output: Literal["ones", "random"] | int = "ones",
    channels: Sequence[int] | None = None,
    spatial: Sequence[int] | None = None,
    layer_spatial: Sequence[int] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    progress: bool = True,
) -> EffectiveReceptiveField:
    """How much each input position contributes to one unit of a module: its effective receptive field.

    The convention, after Luo et al.: 1 on every channel of the unit, one backward pass a batch, the absolute value of
    the gradient at every input value, averaged over the inputs, summed over the input's channels, and divided by its
    sum over all positions. Everything is added up in double precision, so the scale of the gradient cancels. An input
    with a larger gradient weighs more.

    The model is used in the mode it is in (call `eval()` yourself) and left as it was found. Gradients of its
    parameters are never computed.

    Example:
        >>> model = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Conv1d(1, 1, 3))
        >>> for parameter in model.parameters():
        ...     _ = nn.init.ones_(parameter)
        >>> erf = effective_receptive_field(model, torch.zeros(1, 1, 9))
        >>> (9 * erf.map).round(6).tolist()
        [0.0, 0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 0.0]
        >>> round(erf.sigma[0] ** 2, 6)  # two steps of variance 2/3
        1.333333

    Args:
        model: Any module that takes one tensor.
        inputs: One tensor of shape (inputs, channels, *space), or an iterable of such batches. Of a batch that is a
            tuple or a list, as a `DataLoader` gives with labels, the first entry is taken. Batches are brought to the
            device and the floating-point type of the model's first parameter.
        unit: Its indices along the dimensions 2 and up of the layer's output; () where it has none. By default the
            middle unit, n // 2 on every axis.
        layer: The module path of the layer, as `named_modules()` gives it; by default the model's output. Of a module
            called several times, its last call. What is measured is what the module returned, also where a later
            operation overwrites it.
        contribution: "absolute", "squared", or "positive" (negative parts dropped, as some scripts do: it hides every
            position that contributes with a minus sign).
        output: How the unit's channels are weighed: "ones" adds them up, so that they can cancel; "random" draws a
            standard normal weight for each channel and input; an integer picks that channel.
        channels: The input channels to sum over; by default all.
        spatial: The dimensions of the inputs that are space, for example (1, 2) for channels last; by default 2 and up.
        layer_spatial: The dimensions of the layer's output that number its units, for example (1,) for tokens of shape
            (inputs, tokens, features); by default 2 and up.
        batch_size: How many inputs go through at once when `inputs` is one tensor.
        seed: For `output="random"`.
        progress: Whether a bar appears when the work takes longer than a second.

    Returns:
        An `EffectiveReceptiveField`: `.map`, of the input's spatial shape, sums to 1.

    Raises:
        ModelError: The gradient is zero everywhere, or not finite, or cut by an operation without a derivative; the
            inputs are integers or of different sizes; NaN in a weight or in an input.
        UnitError: The feature map has no such unit or channel.
        UnknownNameError: The model has no such layer.
        NoSingleAnswerError: The layer returns several tensors.

    Reference:
        W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural
        Networks", NeurIPS 2016, arXiv:1701.04128.
    """
    _check_arguments(model, layer, contribution, output, batch_size)
    _check_weights(model)
    probe = Probe(model, layer, unit, output, torch.Generator().manual_seed(seed), layer_spatial)
    total: Floats | None = None
    count = silent = 0
    with left_as_found(model), _bar(inputs, int(batch_size), progress) as batches:
        for batch in batches:
            gradient = probe.gradient(_checked_batch(batch, model, spatial))
            each = _contributions(gradient, contribution, channels, spatial)  # (B, *space)
            if total is not None and total.shape != each.shape[1:]:
                raise ModelError(f"All inputs must have one spatial shape; got {total.shape}, then {each.shape[1:]}.")
            silent += sum(not one.any() for one in each)
            count += len(each)
            total = each.sum(axis=0) if total is None else total + each.sum(axis=0)
    if total is None:
        raise ModelError("`inputs` holds no batch, so there is nothing to average; give at least one input.")
    if not total.any():
        raise ModelError(_why_zero(probe, count, contribution))
    return EffectiveReceptiveField(
        map=total,
        unit=probe.unit,
        layer=layer or None,
        inputs=count,
        total=float(total.sum() / count),
        convention=_convention(contribution, output, channels, count),
        notes=tuple(_notes(probe, total, silent, count)),
    )


def _contributions(
    gradient: Tensor, contribution: str, channels: Sequence[int] | None, spatial: Sequence[int] | None
) -> Floats:
    """What each input's positions contribute, in double precision: (B, *space)."""
    space = checked_dims(spatial, gradient.ndim, "spatial")
    gradient = gradient.movedim(space, list(range(-len(space), 0)))  # (B, channels..., *space)
    gradient = gradient.reshape(len(gradient), -1, *gradient.shape[gradient.ndim - len(space) :])  # (B, C, *space)
    if channels is not None:
        gradient = gradient[:, _checked_channels(channels, gradient.shape[1])]
    values = gradient.cpu().double()  # before squaring, which would leave the range of single precision
    if contribution == "squared":
        values = values.square()
    else:
        values = values.abs() if contribution == "absolute" else values.clamp(min=0)
    return cast(Floats, values.sum(dim=1).numpy())


def _bar(inputs: Tensor | Iterable[Any], batch_size: int, progress: bool) -> Any:
    """The batches, behind a progress bar that shows itself after a second."""
    batches: Any = inputs
    if isinstance(inputs, Tensor):
        starts = range(0, len(inputs) if inputs.ndim else 1, batch_size)
        batches = [inputs[start : start + batch_size] if inputs.ndim else inputs for start in starts]
    elif not isinstance(inputs, Iterable):
        raise ModelError(f"`inputs` must be a tensor or an iterable of batches; got {shown(inputs)}.")
    length = len(batches) if isinstance(batches, Sized) else None
    return tqdm(batches, desc="effective field", unit="batch", total=length, delay=1, disable=not progress, leave=False)


# -------------------- what the reader of a result must know


def _why_zero(probe: Probe, count: int, contribution: str) -> str:
    if probe.flat:
        reason = f"On the way lies {listed(probe.flat)}, whose derivative is zero everywhere. "
    else:
        reason = (
            "A ReLU on the way may be dead for these inputs, the unit may read padding only, or numbers underflow. "
        )
    if contribution == "positive":
        reason += "With contribution='positive' negative gradients count as zero. "
    return (
        f"The gradient of unit {probe.unit} of {probe.name} is zero at every input position, for all inputs ({count}), "
        f"so there is no map. {reason}Try other inputs, another unit, double precision, or poke with rflib.measure."
    )


def _notes(probe: Probe, total: Floats, silent: int, count: int) -> list[str]:
    notes = []
    modules = list(probe.model.modules())
    if any(isinstance(m, _BatchNorm) and (m.training or m.running_mean is None) for m in modules):
        notes.append(
            "Batch norm uses the statistics of the batch (training mode): every unit then depends on all positions of "
            "all inputs of its batch, and the map contains that. Call model.eval() for the field without it."
        )
    if any(isinstance(m, _DropoutNd) and m.training and m.p > 0 for m in modules):
        notes.append("Dropout is active (training mode): the map depends on what it dropped.")
    if probe.flat:
        notes.append(f"On the way lies {listed(probe.flat)}, with derivative zero: what passes through is not counted.")
    if silent:
        notes.append(f"For {silent} of {count} inputs the gradient is zero everywhere (dead ReLU?); they add nothing.")
    for axis in range(total.ndim):
        profile = total.sum(axis=tuple(a for a in range(total.ndim) if a != axis))
        if len(profile) > 1 and max(profile[0], profile[-1]) > 0.01 * profile.max():
            notes.append(f"The map reaches the input's border on axis {axis} and may be cut there; try a larger input.")
    return notes


def _convention(contribution: str, output: str | int, channels: Sequence[int] | None, count: int) -> str:
    weighed = {"ones": "the sum of the unit's channels", "random": "a random mixture of the unit's channels"}
    unit = weighed.get(str(output), f"channel {output} of the unit")
    over = "all input channels" if channels is None else f"input channels {list(channels)}"
    return f"{CONTRIBUTIONS[contribution]} of {unit}, averaged over inputs ({count}), summed over {over}"


# -------------------- checks


def _check_arguments(
    model: object, layer: str | None, contribution: object, output: object, batch_size: object
) -> None:
    if not isinstance(model, nn.Module):
        raise ModelError(f"`model` must be a torch.nn.Module; got {shown(model)}.")
    known = [name for name, _ in model.named_modules(remove_duplicate=False)]
    if layer is not None and layer not in known:
        raise UnknownNameError("layer", layer, known[1:])
    if contribution not in CONTRIBUTIONS:
        raise ModelError(f"`contribution` must be one of {list(CONTRIBUTIONS)}; got {shown(contribution)}.")
    if output not in ("ones", "random") and whole_number(output) is None:
        raise ModelError(f"`output` must be 'ones', 'random' or the number of a channel; got {shown(output)}.")
    if (whole_number(batch_size) or 0) < 1:
        raise ModelError(f"`batch_size` must be an integer >= 1; got {shown(batch_size)}.")


def _check_weights(model: nn.Module) -> None:
    for name, weight in [*model.named_parameters(), *model.named_buffers()]:
        if nn.parameter.is_lazy(weight):
            raise ModelError(f"Weight {name!r} is not initialized yet (a lazy module). Run the model once before.")
        # NaN survives a sum, which takes a fraction of the time of a look at each number; infinities may fake one.
        if weight.is_floating_point() and weight.detach().sum().isnan() and weight.isnan().any():
            raise ModelError(f"Weight {name!r} holds NaN, so no gradient can be trusted. Load or train it again.")


def _checked_batch(batch: object, model: nn.Module, spatial: Sequence[int] | None) -> Tensor:
    if isinstance(batch, tuple | list) and batch:
        batch = batch[0]
    if not isinstance(batch, Tensor):
        raise ModelError(f"A batch must be a tensor, or a tuple or list that begins with one; got {shown(batch)}.")
    if not batch.is_floating_point():
        raise ModelError(
            f"The inputs hold {batch.dtype}, and only real floating-point numbers have a gradient. Convert images with "
            ".float(); for token ids, run what follows the embedding on its output, or poke with rflib.measure."
        )
    shape = tuple(batch.shape)
    if not checked_dims(spatial, batch.ndim, "spatial") or 0 in shape or _lacks_batch(batch, model, spatial):
        raise ModelError(
            f"A batch must have shape (inputs, channels, *space), with nothing empty; got {shape}. "
            "For a single input add the first dimension: x.unsqueeze(0)."
        )
    if batch.isnan().any():
        raise ModelError("An input holds NaN, so its gradient means nothing. Leave it out or repair it.")
    weight = next((p for p in model.parameters() if p.is_floating_point()), None)
    return batch if weight is None else batch.to(weight.device, weight.dtype)


def _lacks_batch(batch: Tensor, model: nn.Module, spatial: Sequence[int] | None) -> bool:
    """Convolutions accept an input without a batch dimension; its channels would be taken for inputs here."""
    axes = {len(m.kernel_size) for m in model.modules() if isinstance(m, _ConvNd)}
    return spatial is None and axes == {batch.ndim - 1}


def _checked_channels(channels: Sequence[int], known: int) -> list[int]:
    found = [number for number in map(whole_number, channels) if number is not None and 0 <= number < known]
    if not found or len(found) != len(channels):
        raise ModelError(f"`channels` must be input channels, numbered 0 to {known - 1}; got {shown(channels)}.")
    return found
