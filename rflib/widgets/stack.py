"""The stack explorer: layers as rows of units, the cone of any of them, and the sums behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import traitlets
from matplotlib.figure import Figure

from rflib.arithmetic import Layer, ReceptiveField, checked_stack, receptive_field, shown
from rflib.errors import LayerError, ModelError
from rflib.figures import draw_stack
from rflib.figures import drawing as d
from rflib.figures.drawing import Drawing
from rflib.widgets import stack_state as state
from rflib.widgets.base import Explorer
from rflib.widgets.presets import PRESETS, Preset, preset
from rflib.widgets.stack_state import VIEWS, State
from rflib.widgets.stack_task import StackTask

if TYPE_CHECKING:
    _Any = traitlets.TraitType[Any, Any]
else:
    _Any = traitlets.Any

_MOVED = ("stack", "input_size", "level", "unit", "preset", "show")


class _Setting(_Any):
    """A trait that the explorer checks; traitlets would let None through without asking."""

    allow_none = False


class StackExplorer(Explorer):
    """A stack of layers to change, layer by layer, and to look into, unit by unit.

    Every row is a feature map, the input at the bottom. Hovering over a unit, or moving there with the arrow keys,
    shows what it reads down to the input and what it feeds; a click stays there. Level 0 is the input, level 1 the
    first layer.

    Example:
        >>> explorer = StackExplorer([Layer(3, padding=1), Layer(3, padding=2, dilation=2)], input_size=19)
        >>> explorer
        StackExplorer: 2 layers over 19 input positions; unit 9 of layer 2 has a window of 7, from 6 to 12.
        >>> explorer.receptive_field
        ReceptiveField(size=7, stride=1, padding=3)
        >>> explorer.layers = [Layer(5, stride=2, name="conv1")]
        >>> explorer.level, explorer.unit, explorer.layers
        (1, 4, (Layer(5, stride=2, name='conv1'),))

    Args:
        layers: The stack, the first layer first; it may be empty. A layer whose name holds "pool" counts as pooling.
        input_size: Length of the input, in positions, at most 4,096; by default long enough for the field.
        unit: The unit to look at; by default the middle one.
        level: Its level, 0 for the input; by default the last layer's.
        task: A task to solve, a `StackTask`.
        preset: Name of a stack worth looking at, in place of `layers`; `StackExplorer.PRESETS` lists them.
        show: The views that are open: "recursion", "closed form", "effective".

    Raises:
        LayerError: If a layer cannot exist, or is larger than the explorer shows.
        ModelError: If the input's length, the task or `show` is none, or if both a stack and a preset are given.
        UnitError: If there is no such unit.
        UnknownNameError: If there is no such preset or view.
    """

    PRESETS = tuple(PRESETS)

    stack = _Setting([]).tag(sync=True)
    input_size = _Setting(1).tag(sync=True)
    level = _Setting(0).tag(sync=True)
    unit = _Setting(0).tag(sync=True)
    show = _Setting([]).tag(sync=True)
    preset = _Setting("").tag(sync=True)
    goal = traitlets.Dict(allow_none=True, read_only=True).tag(sync=True)
    presets: Any = traitlets.List(read_only=True).tag(sync=True)

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        input_size: int | None = None,
        unit: int | None = None,
        level: int | None = None,
        task: StackTask | None = None,
        preset: str | None = None,
        show: Sequence[str] = VIEWS,
    ) -> None:
        if layers is not None and preset is not None:
            raise ModelError("Give `layers` or `preset`, not both: a preset is a stack of its own.")
        name = "three_3x3" if layers is None and preset is None else preset
        if name is not None:
            chosen = _preset(name)
            own = level is None and unit is None
            look = (chosen.level, chosen.unit) if own and input_size is None else (level, unit)
            start = _preset_state(chosen, chosen.input_size if input_size is None else input_size, *look)
        else:
            stack = _checked(layers)
            length = _roomy(stack) if input_size is None else state.checked_length(input_size)
            start = state.fresh(stack, tuple(map(state.usual_kind, stack)), length, level, unit)
        self._task = _checked_task(task)
        self._state = start
        self._is_settling = False
        with self._settling():  # what is set here is checked already
            views = state.checked_views(show)
            super().__init__(**_traits(start), preset=name or "", show=views)
            self.set_trait("goal", self._task.to_dict() if self._task else None)
            self.set_trait("presets", [_preset_data(each) for each in PRESETS.values()])

    # ---------------------------------------------------------------------------------------------- what Python offers

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The stack, the first layer first; set it to show another one."""
        return self._state.layers

    @layers.setter
    def layers(self, given: Iterable[Layer]) -> None:
        layers = _checked(given)
        known = dict(zip(self.layers, self._state.kinds, strict=True))  # a layer that stays keeps its kind
        self._move(self._state.having(layers, tuple(known.get(each, state.usual_kind(each)) for each in layers)))

    @property
    def receptive_field(self) -> ReceptiveField:
        """The field of the last layer's units.

        Raises:
            LayerError: If the stack is empty.
        """
        return receptive_field(self.layers)

    @property
    def task(self) -> StackTask | None:
        """The task to solve, or None; set it to pose another one."""
        return self._task

    @task.setter
    def task(self, given: StackTask | None) -> None:
        self._task = _checked_task(given)
        self.set_trait("goal", given.to_dict() if given else None)

    @property
    def solved(self) -> bool:
        """Whether the stack solves the task; False where there is none."""
        return self._task is not None and not self._task.missing(self.layers)

    def __repr__(self) -> str:
        now = self._state
        layers = f"{len(now.layers)} layer{'' if len(now.layers) == 1 else 's'}"
        said = f"StackExplorer: {layers} over {now.input_size} input positions; {self._look()}."
        if problem := state.problem(now.layers, now.input_size):
            said += f" {problem}"
        return said if self._task is None else f"{said} {self._task.sentence} {self._task.status(now.layers)}"

    def _look(self) -> str:
        """What is looked at, in words."""
        now = self._state
        if now.level == 0:
            return f"input position {now.unit}"
        layer = now.layers[now.level - 1]
        field = receptive_field(now.layers[: now.level])
        first, last = field.interval(now.unit)
        return (
            f"unit {now.unit} of {layer.name or f'layer {now.level}'} has a window of {field.size}, "
            f"from {first} to {last}"
        )

    def picture(self) -> Drawing:
        """The stack up to the level looked at, and the cone of the unit; of the input alone, a sentence."""
        now = self._state
        if now.level == 0:
            figure = Figure(figsize=(d.WIDTH, 0.6), dpi=d.DPI, facecolor="white")
            figure.text(0.02, 0.4, repr(self), color=d.BLACK, fontsize=d.SMALL, parse_math=False, wrap=True)
            return Drawing(figure, repr(self))
        layers = [
            layer if layer.name else Layer(layer.kernel_size, layer.stride, layer.padding, layer.dilation, f"layer {i}")
            for i, layer in enumerate(now.layers[: now.level], start=1)
        ]
        return draw_stack(layers, now.unit, now.input_size)

    # ------------------------------------------------------------------------------------------------ keeping it whole

    @contextmanager
    def _settling(self) -> Iterator[None]:
        """While the traits are set to a state that is whole already."""
        before, self._is_settling = self._is_settling, True
        try:
            yield
        finally:
            self._is_settling = before

    def _move(self, new: State, preset: str | None = None) -> None:
        """Take on a state, in one message to the browser; a changed stack is no preset any more."""
        if preset is None:
            is_same = self.preset in PRESETS and new.layers == PRESETS[self.preset].layers
            preset = self.preset if is_same else ""
        self._state = new
        with self._settling(), self.hold_sync():
            for name, value in (*_traits(new).items(), ("preset", preset)):
                self.set_trait(name, value)

    @traitlets.validate("stack", "input_size", "level", "unit", "preset", "show")
    def _check(self, proposal: Any) -> Any:
        """What is set in Python is refused or made whole before it counts."""
        name, value = proposal["trait"].name, proposal["value"]
        if self._is_settling:
            return value
        return self._follow({name: value})[name]

    @traitlets.observe("stack", "input_size", "level", "unit", "preset")
    def _changed(self, change: Any) -> None:
        if self._is_settling:
            return
        name, value = change["name"], change["new"]
        if name == "preset":
            if value:
                self._move(_preset_state(_preset(value)), value)
        else:
            self._move(self._next({name: value}))

    def _follow(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the traits become when some of them are set, checked together."""
        checked: dict[str, Any] = {}
        if "preset" in given:
            checked["preset"] = given["preset"] if given["preset"] == "" else _preset(given["preset"]).name
        if "show" in given:
            checked["show"] = state.checked_views(given["show"])
        if moved := {name: given[name] for name in ("stack", "input_size", "level", "unit") if name in given}:
            traits = _traits(self._next(moved))
            checked |= {name: traits[name] for name in moved}
        return checked

    def _next(self, given: Mapping[str, Any]) -> State:
        """The state after some of its parts are set."""
        new = self._state
        if "stack" in given or "input_size" in given:
            layers, kinds = state.from_data(given.get("stack", new.stack))
            length = state.checked_length(given.get("input_size", new.input_size))
            if (layers, kinds, length) != (new.layers, new.kinds, new.input_size):
                new = new.having(layers, kinds, length)
        if "level" in given or "unit" in given:
            new = new.at(given.get("level", new.level), given.get("unit"))
        return new

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take what the browser sends: all of it, or none where a part is wrong."""
        given = {name: value for name, value in sync_data.items() if name in _MOVED}
        try:
            checked, new = self._follow(given), self._next(given)
        except Exception:
            self.send_state(list(_MOVED))  # the browser goes back to what stands
            raise
        with self._settling():
            super().set_state({**sync_data, **checked})
        self._move(new)  # what follows from it goes back to the browser


def _traits(new: State) -> dict[str, Any]:
    return {"stack": new.stack, "input_size": new.input_size, "level": new.level, "unit": new.unit}


def _checked(layers: Iterable[Layer] | None) -> tuple[Layer, ...]:
    """Layers that the explorer can show; unlike elsewhere there may be none."""
    if not isinstance(layers, Layer):
        try:
            layers = tuple(layers)  # type: ignore[arg-type]
        except TypeError:  # NumPy's scalars and single numbers claim to be iterable, and are not
            raise LayerError(f"`layers` must be a list of Layer; got {shown(layers)}.") from None
    return () if layers == () else state.within_limits(checked_stack(layers))


def _checked_task(task: object) -> StackTask | None:
    if task is None or isinstance(task, StackTask):
        return task
    raise ModelError(f"`task` must be a StackTask, such as StackTask(31, at_most_layers=4); got {shown(task)}.")


def _roomy(layers: tuple[Layer, ...]) -> int:
    """An input on which the window has room on both sides, where that is no longer than the screen is wide."""
    wanted = 2 * receptive_field(layers).size if layers else 0
    length = max(24, min(wanted, 300))
    while state.problem(layers, length) and length < state.LONGEST_INPUT:
        length = min(2 * length, state.LONGEST_INPUT)
    return length


def _preset(name: str) -> Preset:
    return preset(name)


def _preset_state(chosen: Preset, input_size: object = None, level: object = None, unit: object = None) -> State:
    kinds = tuple(map(state.usual_kind, chosen.layers))
    if input_size is None:
        return state.fresh(chosen.layers, kinds, chosen.input_size, chosen.level, chosen.unit)
    return state.fresh(chosen.layers, kinds, state.checked_length(input_size), level, unit)


def _preset_data(chosen: Preset) -> dict[str, Any]:
    """A preset as the browser takes it."""
    whole = _preset_state(chosen)
    words = {name: value for name, value in asdict(chosen).items() if name in ("name", "group", "title", "note")}
    return {**words, **_traits(whole)}
