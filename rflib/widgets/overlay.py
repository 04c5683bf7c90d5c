"""The overlay: what the units of any layer of any module see of an image."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from rflib.analysis import Analysis, analyze
from rflib.arithmetic import shown
from rflib.effective.effective import effective_receptive_field
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError, NoSingleAnswerError, ReceptiveFieldError, UnknownNameError
from rflib.figures import draw_mask, draw_unit
from rflib.figures.drawing import Drawing, times
from rflib.found import Found, called
from rflib.untouched import left_as_found
from rflib.widgets import overlay_image as images
from rflib.widgets import overlay_layer as layers_
from rflib.widgets.base import Explorer

_MOST_MAPS = 256  # effective fields kept
_PAPER = 0.88  # the gray of the picture where there is no image


class _Layer(traitlets.Unicode[str, Any]):
    """The key of a layer of the overlay; (path, output) where a module returns several tensors."""

    def validate(self, obj: Any, value: Any) -> str:
        return str(obj._key(value))


class _Unit(traitlets.TraitType[tuple[int, ...], Any]):
    """A unit of the chosen layer."""

    def validate(self, obj: Any, value: Any) -> tuple[int, ...]:
        found: Found = obj.found
        return found.unit(value)


class Overlay(Explorer):
    """What each unit of any layer sees of an image: its ideal window, what it really reads, its neighbors.

    Choose a layer; move over the image (the unit whose center is nearest is chosen) or over the feature map, with the
    mouse or the arrow keys. A click holds the unit, a second one lets it go. `layer`, `unit` and the switches can be
    set in Python too, and say where the browser is.

    Example:
        >>> import numpy as np
        >>> import rflib as rf
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        >>> analysis = rf.analyze(model, input_size=(1, 3, 32, 48))
        >>> overlay = Overlay(analysis, np.zeros((32, 48, 3)), layer="0", unit=(0, 5))
        >>> print(repr(overlay).replace("\N{MULTIPLICATION SIGN}", "x"))
        Overlay on an input of 32 x 48: Unit (0, 5) of layer 0 sees 3 x 3 pixels, 33% of them padding.
        >>> overlay.layer = "2"
        >>> overlay.unit, overlay.found.size
        ((0, 2), (5, 5))

    Args:
        analysis: An `Analysis` of the network, or the network itself, which is then analyzed in evaluation mode on an
            input of the image's size. `analysis.local` shows the fields without gates and statistics.
        image: (H, W), (H, W, 3), (3, H, W) or (1, 3, H, W), an array or a tensor, bytes or floating-point values from
            0 to 1 (others are stretched for the screen and fed to the network as they are). A network of signals takes
            (length,) or (channels, length). None: a neutral grid.
        layers: The module paths to choose from; by default all that were called.
        layer: The path of the layer to begin with; by default the deepest one with a feature map. A module that returns
            several tensors: (path, output).
        unit: One index an axis of the layer's feature map; by default the middle unit.
        of: With several inputs, the name or the number of the one that the image is.
        input_size: With a network and without an image, the shape of its input, (batch, channels, ...).

    Attributes:
        layer: The chosen layer, "" for the model's output.
        unit: The chosen unit, a tuple.
        effective: Whether the effective receptive field is shown. It is computed when the unit rests.
        centers: Whether the centers of all units are shown.
        neighbors: Whether the windows of the unit's neighbors are shown.

    Raises:
        ModelError: The image has another shape than the input, or the input has neither one nor two spatial axes.
        UnknownNameError: There is no such layer or input; the nearest ones are listed.
        UnitError: The layer has no such unit.
        NoSingleAnswerError: The network has several inputs, and `of` does not say which one the image is.
    """

    layer = _Layer().tag(sync=True)
    unit = _Unit(default_value=()).tag(sync=True)
    effective = traitlets.Bool(False).tag(sync=True)
    centers = traitlets.Bool(True).tag(sync=True)
    neighbors = traitlets.Bool(True).tag(sync=True)

    _layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    _image = traitlets.Bytes(b"").tag(sync=True)
    _curves: Any = traitlets.List().tag(sync=True)
    _map = traitlets.Dict().tag(sync=True)
    _answer = traitlets.Dict().tag(sync=True)
    _asked = traitlets.Dict().tag(sync=True)
    _effective = traitlets.Dict().tag(sync=True)
    _problem = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        analysis: Analysis | nn.Module,
        image: Any = None,
        layers: Iterable[Any] | None = None,
        layer: str | tuple[str, str] | None = None,
        unit: int | Sequence[int] | None = None,
        *,
        of: str | int | None = None,
        input_size: Sequence[int] | None = None,
    ) -> None:
        self._analysis = analysis if isinstance(analysis, Analysis) else _analyzed(analysis, image, input_size)
        self._source = _source(self._analysis, of)
        self._founds = self._collected(layers)
        space = next(iter(self._founds.values())).input_shape
        if len(space) not in (1, 2):
            raise ModelError(
                f"An overlay shows images, of two spatial axes, and signals, of one; the input "
                f"{self._analysis.input_names[self._source]!r} has {len(space)}. Print the analysis instead."
            )
        self._space = space
        self._values = None if image is None else images.channels_first(image, space, len(space))
        self._views: dict[str, layers_.LayerView] = {}
        self._maps: dict[Any, EffectiveReceptiveField] = {}
        self._copied: tuple[nn.Module, Any] | None = None
        start = self._deepest() if layer is None else self._key(layer)
        at = self._founds[start].unit(unit)
        super().__init__(
            layer=start,
            unit=at,
            _layers=[{"value": key, "label": layers_.title_of(f, key)} for key, f in self._founds.items()],
            _image=b"" if self._pixels is None or len(space) == 1 else images.png(self._pixels),
            _curves=[] if self._values is None or len(space) == 2 else images.curves(self._values),
            _map=self._view(start).as_data(start),
            _answer=layers_.answer_of(self._founds[start], start, at),
        )
        self.observe(self._on_layer, "layer")
        self.observe(self._on_unit, "unit")
        self.observe(self._on_asked, "_asked")

    # -- what is shown ----------------------------------------------------------------------------------------------

    @property
    def found(self) -> Found:
        """The analysis of the chosen layer, for the input that the image is."""
        return self._founds[self.layer]

    @property
    def effective_field(self) -> EffectiveReceptiveField:
        """The effective receptive field of the chosen unit for this image, in evaluation mode unless analyzed in
        training mode.

        Raises:
            ModelError: The network has several inputs, or the gradient is zero everywhere.
        """
        return self._measured(self.layer, self.unit)

    def recording(self) -> dict[str, Any]:
        """What Python answers about every unit, or about every n-th, and the effective field of some."""
        from rflib.widgets.overlay_recording import record_overlay

        return record_overlay(self)

    def picture(self) -> Drawing:
        """What the overlay shows now, as a figure."""
        if len(self._space) == 1:
            return draw_mask(self.found, self.unit)
        pixels = self._pixels if self._pixels is not None else np.full(self._space, _PAPER)
        return draw_unit(pixels, self.found, self.unit)

    def __repr__(self) -> str:
        return f"Overlay on an input of {times(self._space)}: {self._answer['sentence']}"

    @cached_property
    def _pixels(self) -> Any:
        return None if self._values is None or len(self._space) == 1 else images.pixels_of(self._values)

    # -- layers -----------------------------------------------------------------------------------------------------

    def _collected(self, chosen: Iterable[Any] | None) -> dict[str, Found]:
        """The layers to choose from, by the key that the browser knows them by."""
        if chosen is not None:
            found = {_as_key(path): self._one(path) for path in _listed(chosen)}
            if not found:
                raise ModelError("`layers` is empty: name at least one layer, or leave it out.")
            return found
        found = {}
        for path in self._analysis.paths:
            for output in self._outputs(path):
                asked = path if output is None else (path, output)
                one = self._analysis[asked].of(self._source)
                if 0 not in one.unit_shape:
                    found[_as_key(asked)] = one
        if not found:
            raise NoSingleAnswerError("No layer of this model depends on its input, so there is nothing to show.")
        return found

    def _one(self, layer: Any) -> Found:
        if not isinstance(layer, str | tuple):
            raise UnknownNameError("layer", layer, self._analysis.paths, "A layer is called by its path, a string.")
        return self._analysis[layer].of(self._source)

    def _outputs(self, path: str) -> list[str | None]:
        """The names of what a module returns; [None] for one tensor, [] where nothing depends on an input."""
        names = list(self._analysis._calls(path)[-1].outputs)
        return [None] if len(names) == 1 else [*names]

    def _key(self, layer: Any) -> str:
        key = _as_key(layer)
        if key in self._founds:
            return key
        if isinstance(layer, str | tuple):
            _ = self._analysis[layer]  # unknown, never called, several tensors: says so itself
        raise UnknownNameError("layer", layer, list(self._founds), "It is not among the layers of this overlay.")

    def _deepest(self) -> str:
        """The last layer with a feature map that still has places; of those that end together the outermost."""
        best, most = next(iter(self._founds)), (False, -1)
        for key, found in self._founds.items():
            is_map = len(found.unit_shape) == len(self._space) and math.prod(found.unit_shape) > 1
            rank = (is_map and any(found.size), found.index)
            if rank > most:
                best, most = key, rank
        return best

    def _view(self, key: str) -> layers_.LayerView:
        if key not in self._views:
            self._views[key] = layers_.LayerView(self._founds[key])
        return self._views[key]

    # -- moves ------------------------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the browser sends; what does not fit is refused, and the browser is told so."""
        try:
            chosen = dict(sync_data)
            if "layer" in chosen and self._key(chosen["layer"]) != self.layer:
                chosen.pop("unit", None)  # a unit of the layer before
            if "unit" in chosen:
                self.found.unit(chosen["unit"])
            super().set_state(chosen)
            problem = ""
        except (ReceptiveFieldError, traitlets.TraitError) as error:
            problem = str(error)
            self.send_state(["layer", "unit", "effective", "centers", "neighbors"])
        self._problem = problem

    def _on_layer(self, change: Any) -> None:
        place = self._founds[change["old"]].center(self.unit) if change["old"] in self._founds else None
        view = self._view(self.layer)
        with self.hold_sync():
            self._map = view.as_data(self.layer)
            before, self.unit = self.unit, view.nearest(place)
            if self.unit == before:  # then nothing was told, and the answer is still the other layer's
                self._on_unit(None)

    def _on_unit(self, _change: Any) -> None:
        self._answer = layers_.answer_of(self.found, self.layer, self.unit)

    # -- the effective field ------------------------------------------------------------------------------------------

    def _on_asked(self, change: Any) -> None:
        """Answer for the unit that the browser rests on; in words where there is no map."""
        asked = change["new"]
        try:
            key = self._key(asked.get("layer"))
            unit = self._founds[key].unit(asked.get("unit"))
        except ReceptiveFieldError:
            return  # no unit of this model: nobody waits for an answer
        self._effective = self._effective_of(key, unit)

    def _effective_of(self, key: str, unit: tuple[int, ...], steps: int | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = {"layer": key, "unit": list(unit), "image": None, "center": None, "sigma": None}
        try:
            erf = self._measured(key, unit)
            answer |= {"image": images.heat(erf.map, steps), "center": list(erf.center), "sigma": list(erf.sigma)}
            answer["words"] = layers_.effective_words(erf)
        except (ReceptiveFieldError, RuntimeError) as error:
            answer["words"] = str(error)
        return answer

    def _twin(self, model: nn.Module) -> tuple[nn.Module, Any]:
        """A copy of the network as it is now, and what tells these weights from others.

        JupyterLab lets widgets answer in a thread of their own, beside the cell that runs: a network in training must
        not be touched, not even to be put back.
        """
        # Weights that were trained on, or loaded, have another version or are other tensors.
        weights = tuple((id(t), t._version) for t in chain(model.parameters(), model.buffers()))
        if self._copied is None or self._copied[1] != weights:
            try:
                self._copied = copy.deepcopy(model), weights
            except (RuntimeError, TypeError):  # weights that were computed, or a handle to something outside
                self._copied = model, weights
        return self._copied

    def _measured(self, key: str, unit: tuple[int, ...]) -> EffectiveReceptiveField:
        model, inputs, spatial, training = self._fed()
        model, weights = self._twin(model)
        kept = (key, unit, weights)
        if kept not in self._maps:
            found = self._founds[key]
            if key != found.path:
                raise NoSingleAnswerError(
                    f"{called(found.path, True)} returns several tensors, and the effective field is made of one. "
                    "Choose a layer within it."
                )
            with left_as_found(model):
                model.train(training)
                erf = effective_receptive_field(
                    model,
                    inputs,
                    unit,
                    found.path or None,
                    spatial=spatial,
                    layer_spatial=found.unit_dims,
                    progress=False,
                )
            if len(self._maps) >= _MOST_MAPS:
                self._maps.pop(next(iter(self._maps)))
            self._maps[kept] = erf
        return self._maps[kept]

    def _fed(self) -> tuple[nn.Module, Tensor, tuple[int, ...], bool]:
        """The network, the image as its input, the dimensions that are space, and the mode it was analyzed in."""
        subject = self._analysis._subject
        if subject is None or len(subject.given.leaves) != 1:
            names = ", ".join(self._analysis.input_names)
            raise ModelError(
                f"The effective field wants a network that is called with one tensor; this one takes {names}."
            )
        [given], [spatial] = subject.given.tensors, subject.given.spatial
        if self._values is None:
            return subject.model, given, spatial, subject.training
        rest = [d for d in range(given.ndim) if d not in spatial]
        if len(rest) != 2:
            raise ModelError(
                "The effective field wants an input with one batch and one channel dimension beside space; got shape "
                f"{tuple(given.shape)}."
            )
        values = torch.from_numpy(images.as_channels(self._values, given.shape[rest[1]]).copy())
        inputs = values[None].movedim(list(range(len(rest) + len(spatial))), [*rest, *spatial])
        return subject.model, inputs.to(given.dtype), spatial, subject.training


def _analyzed(model: nn.Module, image: Any, input_size: Sequence[int] | None) -> Analysis:
    """The analysis of a network on an input of the image's size."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"`analysis` must be an rf.Analysis or a torch.nn.Module; got {shown(model)}.")
    if input_size is not None:
        return analyze(model, input_size=images.checked_size(input_size))
    if image is None:
        raise ModelError("An overlay of a network without an image needs `input_size`, such as (1, 3, 224, 224).")
    first = next((m for m in model.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Conv3d)), None)
    values = images.channels_first(image, None, 1 if isinstance(first, nn.Conv1d) else 2)
    channels = first.in_channels if first is not None else len(values)
    return analyze(model, input_size=(1, channels, *values.shape[1:]))


def _source(analysis: Analysis, of: str | int | None) -> int:
    """The number of the input that the image is."""
    names = analysis.input_names
    if of is None:
        if len(names) == 1:
            return 0
        listed = ", ".join(repr(name) for name in names)
        raise NoSingleAnswerError(
            f"The model has several inputs ({listed}). Say which one the image is: of={names[0]!r}."
        )
    if isinstance(of, int) and not isinstance(of, bool) and 0 <= of < len(names):
        return of
    if of not in names:
        raise UnknownNameError("input", of, names)
    return names.index(str(of))


def _as_key(layer: Any) -> str:
    """What the browser calls a layer: its path, or path[output]."""
    return f"{layer[0]}[{layer[1]}]" if isinstance(layer, tuple) and len(layer) == 2 else str(layer)


def _listed(layers: Iterable[Any]) -> list[Any]:
    if isinstance(layers, str):
        raise ModelError(f"`layers` must be a list of module paths; got {layers!r}. Write [{layers!r}].")
    if not isinstance(layers, Iterable):
        raise ModelError(f"`layers` must be a list of module paths, such as ['layer1', 'layer2']; got {shown(layers)}.")
    return list(layers)
