"""The image under an overlay: read from what a learner has at hand, shown, and fed to the network."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.image import imsave

from rflib.arithmetic import shown, whole_number
from rflib.errors import ModelError

Floats = npt.NDArray[np.float64]
_MOST_NUMBERS = 100_000_000  # of an input: 400 MB
_MOST_POINTS = 1200  # of a drawn curve; more of them than a screen has columns would only cost time


def checked_size(input_size: Any) -> Any:
    """The shape of an input, or a list of shapes, that memory can hold; `analyze` looks at the rest.

    Raises:
        ModelError: It is no shape at all, or there is no sense in so large an input.
    """
    if not isinstance(input_size, Sequence | np.ndarray) or isinstance(input_size, str):
        raise ModelError(
            "`input_size` must be the shape of the input, (batch, channels, ...), such as (1, 3, 224, 224); got "
            f"{shown(input_size)}."
        )
    size = tuple(input_size)
    for shape in [s for s in size if isinstance(s, Sequence)] or [size]:
        count = math.prod(whole_number(n) or 0 for n in shape)
        if count > _MOST_NUMBERS:
            raise ModelError(
                f"`input_size` {shown(tuple(shape))} is an input of {count:,} numbers, and an overlay takes at most "
                f"{_MOST_NUMBERS:,}. Give the size of the image that it is to show."
            )
    return size


def channels_first(image: Any, space: Sequence[int] | None, axes: int) -> Floats:
    """An image or a signal as (channels, *space), with the values that it came with; bytes become 0 to 1.

    Args:
        image: A NumPy array, a tensor, or what NumPy makes an array of.
        space: The spatial shape that is wanted; None where the image decides.
        axes: The number of spatial axes, 1 or 2.

    Raises:
        ModelError: The shape fits no reading, or there is something else than finite numbers in it.
    """
    values = _array(image)
    shape = values.shape
    if values.ndim == axes + 2 and shape[0] == 1:
        values = values[0]
    if values.ndim == axes:
        values = values[None]
    fitting = [v for v in _readings(values, axes) if space is None or v.shape[1:] == tuple(space)]
    if not fitting or 0 in shape:
        raise ModelError(_misfit(shape, space, axes))
    found = np.asarray(fitting[0], dtype=np.float64)
    if not np.isfinite(found).all():
        raise ModelError("`image` must hold finite numbers; got NaN or infinity in it.")
    return found / 255 if values.dtype.kind in "ui" else found


def _array(image: Any) -> npt.NDArray[Any]:
    if hasattr(image, "detach"):
        image = image.detach().cpu()
        image = image.float().numpy() if image.is_floating_point() else image.numpy()
    try:
        values = np.asarray(image)
    except ValueError:  # a list whose rows differ in length
        values = np.asarray(None)
    if values.dtype.kind not in "buif" or (values.dtype.kind in "ui" and _beyond_bytes(values)):
        raise ModelError(
            f"`image` must be an array or a tensor of numbers, whole ones from 0 to 255 or floating-point ones; "
            f"got {shown(image)}."
        )
    return values


def _beyond_bytes(values: npt.NDArray[Any]) -> bool:
    return bool(values.size) and (values.min() < 0 or values.max() > 255)


def _readings(values: npt.NDArray[Any], axes: int) -> list[npt.NDArray[Any]]:
    """An array with one axis for the channels, as (channels, *space): with the channels first, or a photograph's last.

    Where both are possible a photograph's order comes first for images, as in files.
    """
    if values.ndim != axes + 1:
        return []
    first = [values] if axes == 1 or values.shape[0] in (1, 3) else []
    last = [np.moveaxis(values, -1, 0)] if axes == 2 and values.shape[-1] in (1, 3) else []
    return last + first


def _misfit(shape: tuple[int, ...], space: Sequence[int] | None, axes: int) -> str:
    if axes == 1:
        n = space[0] if space is not None else "length"
        return f"`image` must be a signal of shape ({n},) or (channels, {n}), as the analyzed input; got {shape}."
    h, w = space if space is not None else ("H", "W")
    wanted = f"({h}, {w}), ({h}, {w}, 3), (3, {h}, {w}) or (1, 3, {h}, {w})"
    advice = " Crop or resize the image, or analyze the model at the image's own size." if space is not None else ""
    return f"`image` must have shape {wanted}; got {shape}.{advice}"


def as_channels(values: Floats, channels: int) -> Floats:
    """The same picture with as many channels as the network takes: colors kept, or turned gray and repeated."""
    if len(values) == channels:
        return values
    return np.repeat(values.mean(axis=0, keepdims=True), channels, axis=0)


def pixels_of(values: Floats) -> npt.NDArray[np.uint8]:
    """What a screen shows of an image (C, H, W): bytes, (H, W, 3).

    Values beyond 0 to 1, as a standardized image has them, are stretched to what a screen can show.
    """
    colors = as_channels(values, 3).transpose(1, 2, 0)
    low, high = float(colors.min()), float(colors.max())
    if low < 0 or high > 1:
        colors = (colors - low) / ((high - low) or 1.0)
    return np.asarray(np.round(colors * 255), dtype=np.uint8)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Pixels, (H, W, 3) or (H, W, 4), as a PNG file."""
    file = io.BytesIO()
    imsave(file, np.ascontiguousarray(pixels), format="png")
    return file.getvalue()


def heat(shares: Floats, steps: int | None = None) -> bytes:
    """A map of contributions as a PNG whose opacity grows with the contribution, as its color does.

    Networks with subsampling have a few positions that tower above the rest, and bells have long skirts: the scale
    ends where one position in a thousand is beyond it, and grows as the square root. With few steps the file is small.
    """
    top = np.quantile(shares[shares > 0], 0.999)
    level = np.sqrt(np.clip(shares / top, 0, 1))
    level = level if steps is None else np.round(level * steps) / steps
    colors = colormaps["viridis"](level)
    colors[..., 3] = np.clip(1.6 * level, 0, 0.95)
    return png(np.asarray(np.round(colors * 255), dtype=np.uint8).reshape(-1, level.shape[-1], 4))


def curves(values: Floats) -> list[list[list[float]]]:
    """A signal (C, length) as at most six curves of (position, height from 0 to 1) points.

    A long signal is thinned to the lowest and the highest value of each stretch, so that no peak is lost.
    """
    low, high = float(values.min()), float(values.max())
    level = (values - low) / ((high - low) or 1.0)
    return [_thinned(channel) for channel in level[:6]]


def _thinned(channel: Floats) -> list[list[float]]:
    n = len(channel)
    if n <= _MOST_POINTS:
        kept = np.arange(n)
    else:
        stretches = np.array_split(np.arange(n), _MOST_POINTS // 2)
        ends = [(s[channel[s].argmin()], s[channel[s].argmax()]) for s in stretches]
        kept = np.unique(np.array(ends))
    return [[int(i), round(float(channel[i]), 4)] for i in kept]
