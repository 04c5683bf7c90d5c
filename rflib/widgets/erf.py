"""The effective-field explorer: how much each input position counts, measured on real layers as the reader moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from rflib.arithmetic import Layer, shown, whole_number
from rflib.effective.spread import EffectiveReceptiveField
from rflib.errors import ModelError
from rflib.figures import drawing as d
from rflib.widgets import erf_network as nets
from rflib.widgets.checked import Checked, CheckedExplorer
from rflib.widgets.erf_answer import Visited, lowered, module_answer, stack_answer
from rflib.widgets.erf_module import WHOLE_MODEL, GivenModule
from rflib.widgets.erf_network import Settings

__all__ = ["ErfExplorer"]

KERNELS = (3, 5, 7)
MOST_DRAWS = 8
SCALES = ("linear", "square root", "logarithm")
CHOICES = {
    "weights": nets.WEIGHTS,
    "nonlinearity": nets.NONLINEARITIES,
    "skip": nets.SKIPS,
    "pattern": nets.PATTERNS,
    "contribution": nets.CONTRIBUTIONS,
    "scale": SCALES,
}
SETTINGS = ("depth", "kernel_size", "weights", "nonlinearity", "skip", "pattern", "contribution", "draws")


class ErfExplorer(CheckedExplorer):
    """The effective receptive field of a stack of layers, or of a unit of any module: map, profile, Gaussian, law.

    A stack is built of real convolutions with these settings and weights drawn at random, and measured by gradient, as
    `rflib.effective_receptive_field` does, on an input exactly as large as the receptive field. With kernel 3 depths to
    30 answer at once; `deepest` says how far other settings go.

    Example:
        >>> explorer = ErfExplorer(depth=24)
        >>> round(explorer.erf.sigma[0], 9), explorer.expected_sigma  # equal weights: measured, and in closed form
        (4.0, 4.0)
        >>> explorer.depth = 6  # a quarter of the depth, half of the width
        >>> round(explorer.erf.sigma[0], 9)
        2.0
        >>> module = nn.Sequential(nn.Conv1d(1, 8, 5), nn.ReLU(), nn.Conv1d(8, 1, 5))
        >>> explorer = ErfExplorer(module, input_size=(16, 1, 31))
        >>> explorer.window
        [[11, 19]]

    Args:
        model: A module that takes one tensor with one or two axes of space. It is used in the mode it is in. By default
            a stack is built of the settings below.
        input_size: With a model, the shape of the noise to measure on: (inputs, channels, *space).
        inputs: With a model, instead of noise: a tensor of real inputs.
        depth: The number of layers.
        kernel_size: 3, 5 or 7, on both axes.
        weights: "uniform" (all equal), "random, mean zero" (He's variance) or "random, positive".
        nonlinearity: "none" or "ReLU".
        skip: "none" or "identity" (each layer is added to what it reads).
        pattern: "constant", "dilation 2", "dilation doubling" or "stride 2".
        contribution: "absolute" or "squared" gradient.
        draws: The number of draws of weights and inputs that are averaged, 1 to 8.
        scale: Of the colors: "linear", "square root" or "logarithm".
        seed: For weights and inputs.

    Attributes:
        layer: With a model, the layer; "(model)" is the model's output.
        unit: With a model, the unit of that layer; by default the middle one.
        deepest: The greatest depth that the other settings allow. Another setting may lower the depth to it.

    Raises:
        ModelError: A setting that does not exist or would not answer at once; a module that cannot be measured.
        UnknownNameError: The module has no such layer.
        UnitError: The layer has no such unit.
    """

    # The browser knows what it sent; without the echo the answer is there sooner.
    depth = Checked("_check_depth", 1).tag(sync=True, echo_update=False)
    kernel_size = Checked("_check_kernel_size", 3).tag(sync=True, echo_update=False)
    weights = Checked("_check_weights", "uniform").tag(sync=True, echo_update=False)
    nonlinearity = Checked("_check_nonlinearity", "none").tag(sync=True, echo_update=False)
    skip = Checked("_check_skip", "none").tag(sync=True, echo_update=False)
    pattern = Checked("_check_pattern", "constant").tag(sync=True, echo_update=False)
    contribution = Checked("_check_contribution", "absolute").tag(sync=True, echo_update=False)
    draws = Checked("_check_draws", 4).tag(sync=True, echo_update=False)
    scale = Checked("_check_scale", "linear").tag(sync=True, echo_update=False)
    layer = Checked("_check_layer", WHOLE_MODEL).tag(sync=True, echo_update=False)
    unit = Checked("_check_unit", ()).tag(sync=True, echo_update=False)
    offered = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)
    heights = traitlets.Bytes(b"").tag(sync=True)  # the map, float32, row after row

    _settings: Settings
    _ready = _busy = False
    _note = ""

    def __init__(
        self,
        model: nn.Module | None = None,
        input_size: Sequence[int] | None = None,
        inputs: Tensor | None = None,
        *,
        depth: int = 10,
        kernel_size: int = 3,
        weights: str = "uniform",
        nonlinearity: str = "none",
        skip: str = "none",
        pattern: str = "constant",
        contribution: str = "absolute",
        draws: int = 4,
        scale: str = "linear",
        seed: int = 0,
    ) -> None:
        number = whole_number(seed)
        if number is None or not 0 <= number < 2**63:
            raise ModelError(f"`seed` must be an integer >= 0; got {shown(seed)}.")
        if model is not None and not isinstance(model, nn.Module):
            raise ModelError(f"`model` must be a torch.nn.Module; got {shown(model)}.")
        if model is None and (input_size is not None or inputs is not None):
            raise ModelError("`input_size` and `inputs` belong to a `model`; a stack's input is as large as its field.")
        self._module = GivenModule(model, input_size, inputs, number) if model is not None else None
        self._seen: dict[Any, EffectiveReceptiveField] = {}
        self._visited: dict[Settings, Visited] = {}
        given = [depth, kernel_size, weights, nonlinearity, skip, pattern, contribution, draws]
        checked = {name: self._simple(name, value) for name, value in zip(SETTINGS, given, strict=True)}
        self._settings = Settings(**checked, seed=number)
        place: dict[str, Any] = {"layer": WHOLE_MODEL, "unit": ()}
        if self._module is not None:
            name = next(iter(self._module.found))
            place = {"layer": name, "unit": self._module.middle(name)}
        super().__init__(**checked, scale=scale, **place, offered=self._offers())
        self._ready = True
        self._check_depth(depth)
        self.observe(self._moved, [*SETTINGS, "layer", "unit"])
        self._go()

    # What Python offers -----------------------------------------------------------------------------------------------

    @property
    def erf(self) -> EffectiveReceptiveField:
        """The effective field that is shown."""
        return self._measure(self._settings if self._module is None else (self.layer, self.unit, self.contribution))

    @property
    def layers(self) -> list[Layer]:
        """The stack on one axis, first layer first; empty with a model."""
        return self._settings.layers if self._module is None else []

    @property
    def expected_sigma(self) -> float | None:
        """Sigma in closed form (random weights: of the average field); None where there is no closed form."""
        return self._settings.expected_sigma() if self._module is None else None

    @property
    def deepest(self) -> int:
        """The greatest depth that answers at once with the other settings."""
        return nets.deepest(self._settings.depth_is(1))

    @property
    def window(self) -> list[list[int]]:
        """First and last input position that the unit reads, both included, on each axis."""
        if self._module is not None:
            return self._module.window(self.layer, self.unit)
        return [[0, self._settings.field - 1]] * 2

    @property
    def visited(self) -> Visited:
        """The depths measured with the other settings as they are: field and sigma, in input positions."""
        return dict(self._visited.get(self._settings.depth_is(1), {})) if self._module is None else {}

    def recording(self) -> dict[str, Any]:
        """What Python answers for other settings of a stack, or for other layers and some units of a module."""
        from rflib.widgets.erf_recording import record_erf

        return record_erf(self)

    def picture(self) -> d.Drawing:
        """The map with its window, and the profile with the Gaussian fitted to it."""
        figure = Figure(figsize=(d.WIDTH, 4.6), dpi=d.DPI, facecolor="white", layout="constrained")
        left, right = figure.subplots(1, 2)
        numbers, profile = self.answer, np.asarray(self.answer["profile"])
        if self.erf.map.ndim == 2:
            left.imshow(self.erf.map, cmap="viridis")
            (top, bottom), (first, last) = [w or [0, 0] for w in self.window]
            d.frame(left, ((top, bottom), (first, last)), d.RED, "window")
            d.finish(left, "Share of every position", "", "column", "row", own=False)
        else:
            left.set_axis_off()
        fit, x = numbers["gaussian"], np.linspace(0, len(profile) - 1, 400)
        right.fill_between(range(len(profile)), profile, color=d.SKY, alpha=0.6, step="mid")
        if fit["sigma"]:
            bell = fit["height"] * np.exp(-(((x - fit["center"]) / fit["sigma"]) ** 2) / 2)
            right.plot(x, bell, color=d.BLACK, linestyle="--", linewidth=2)
        title = f"Sigma {numbers['sigma']:.2f}, field {numbers['size']}"
        d.finish(right, title, "", "input position", "share, summed", own=False)
        return d.Drawing(figure, numbers["sentence"])

    def __repr__(self) -> str:
        return f"ErfExplorer: {self.answer['sentence']}"

    # Checks: what cannot be measured is not taken ---------------------------------------------------------------------

    def _simple(self, name: str, value: object) -> Any:
        """The value of a setting, whatever the others are."""
        if name in CHOICES:
            if not isinstance(value, str) or value not in CHOICES[name]:
                raise ModelError(f"`{name}` must be one of {', '.join(map(repr, CHOICES[name]))}; got {shown(value)}.")
            return value
        number, most = whole_number(value), nets.DEEPEST if name == "depth" else MOST_DRAWS
        if name == "kernel_size":
            if number not in KERNELS:
                raise ModelError(f"`kernel_size` must be one of 3, 5, 7; got {shown(value)}.")
        elif number is None or not 1 <= number <= most:
            raise ModelError(f"`{name}` must be an integer from 1 to {most}; got {shown(value)}.")
        return number

    def _fitting(self, name: str, value: object) -> Any:
        """A setting with which the field can be measured at once, with a smaller depth if need be."""
        value = self._simple(name, value)
        if self._ready and self._module is None:
            change: dict[str, Any] = {name: value}
            self._measure(self._lowered(replace(self._settings, **change)))
        elif self._ready and name == "contribution":
            self._measure((self.layer, self.unit, value))
        return value

    def _lowered(self, settings: Settings) -> Settings:
        return settings if settings.fits else settings.depth_is(nets.deepest(settings.depth_is(1)))

    def _check_depth(self, value: object) -> int:
        depth = int(self._simple("depth", value))
        if self._ready and self._module is None:
            settings = self._settings.depth_is(depth)
            if not settings.fits:
                raise ModelError(
                    f"`depth` may be at most {self.deepest} with kernel {settings.kernel_size}, pattern "
                    f"{settings.pattern!r} and {d.count(settings.draws, 'draw')}, so that the map is there at once; "
                    f"got {depth}. Use rflib.effective_receptive_field for deeper stacks."
                )
            self._measure(settings)
        return depth

    def _check_kernel_size(self, value: object) -> Any:
        return self._fitting("kernel_size", value)

    def _check_weights(self, value: object) -> Any:
        return self._fitting("weights", value)

    def _check_nonlinearity(self, value: object) -> Any:
        return self._fitting("nonlinearity", value)

    def _check_skip(self, value: object) -> Any:
        return self._fitting("skip", value)

    def _check_pattern(self, value: object) -> Any:
        return self._fitting("pattern", value)

    def _check_contribution(self, value: object) -> Any:
        return self._fitting("contribution", value)

    def _check_draws(self, value: object) -> Any:
        return self._fitting("draws", value)

    def _check_scale(self, value: object) -> Any:
        return self._simple("scale", value)

    def _check_layer(self, value: object) -> str:
        if self._module is None:
            if not isinstance(value, str) or value != WHOLE_MODEL:
                raise ModelError("`layer` belongs to a module: ErfExplorer(model, input_size=...).")
            return WHOLE_MODEL
        name = self._module.checked_layer(value)
        if self._ready:
            self._measure((name, self._module.middle(name), self.contribution))
        return name

    def _check_unit(self, value: object) -> tuple[int, ...]:
        if self._module is None:
            if not isinstance(value, tuple | list) or value:
                raise ModelError("`unit` belongs to a module: ErfExplorer(model, input_size=...).")
            return ()
        if not self._ready:
            return tuple(value) if isinstance(value, Sequence) else ()
        unit = self._module.checked_unit(self.layer, value)
        self._measure((self.layer, unit, self.contribution))
        return unit

    # Answering --------------------------------------------------------------------------------------------------------

    def _measure(self, key: Any) -> EffectiveReceptiveField:
        if key not in self._seen:
            if len(self._seen) > 500:
                self._seen.clear()  # a map of 127 x 127 takes 129 kB
            self._seen[key] = nets.measured(key) if self._module is None else self._module.measured(*key)
        return self._seen[key]

    def _moved(self, change: Any) -> None:
        if self._busy:
            return
        traits: dict[str, Any] = {}
        if change.name in SETTINGS:
            now = replace(self._settings, **{change.name: change.new})
            self._settings = self._lowered(now) if self._module is None else now
            is_lowered = self._settings.depth < now.depth
            self._note = lowered(self._settings.depth) if is_lowered else ""
            traits["depth"] = self._settings.depth
        elif change.name == "layer" and self._module is not None:
            traits["unit"] = self._module.middle(self.layer)
        self._go(**traits)

    def _go(self, **traits: Any) -> None:
        """Set traits and answer, in one message."""
        self._busy = True
        try:
            with self.hold_sync():
                for name, value in traits.items():
                    setattr(self, name, value)
                self._say()
        finally:
            self._busy = False

    def _offers(self) -> dict[str, Any]:
        """What the browser's controls offer."""
        offers: dict[str, Any] = {**CHOICES, "kernels": KERNELS, "draws": MOST_DRAWS, "layers": []}
        if self._module is not None:
            offers["layers"] = list(self._module.found)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in offers.items()}

    def _say(self) -> None:
        erf = self.erf
        self.heights = erf.map.astype("<f4").tobytes()
        if self._module is not None:
            self.answer = module_answer(erf, self._module, self.layer, self.unit)
            return
        visited = self._visited.setdefault(self._settings.depth_is(1), {})
        visited[self._settings.depth] = (self._settings.field, erf.sigma[-1])
        self.answer = stack_answer(erf, self._settings, visited, self._note)
