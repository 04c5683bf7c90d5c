"""Analysis against poking: the two answers for the same model, compared position by position."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from rflib.analysis import Analysis, Found, analyze
from rflib.errors import ModelError, NoSingleAnswerError, UnknownNameError
from rflib.measuring.measuring import Projections, bench_projections, make_bench, read_mask
from rflib.measuring.poking import Bench, Reader, progress_bar
from rflib.measuring.subject import Key, build_inputs, choose_input
from rflib.measuring.watching import tensors_in

__all__ = ["Disagreement", "Verification", "verify"]

Unit = tuple[int, ...]


@dataclass(frozen=True)
class Disagreement:
    """One unit for which analysis and poking give different positions.

    Attributes:
        layer: The module path; "" is the model itself.
        call: Which call of the module, counted from 0.
        output: Name of the tensor, where the module returns several.
        unit: The unit; None where the shapes of the whole feature map differ.
        axis: The axis of the input on which the projections differ; None where the masks differ.
        analysis: The positions that the analysis gives (or the feature map's shape).
        poking: The positions that poking finds (or the feature map's shape).
    """

    layer: str
    call: int
    output: str
    unit: Unit | None
    axis: int | None
    analysis: tuple[Any, ...]
    poking: tuple[Any, ...]

    def __str__(self) -> str:
        where = f"layer {self.layer!r}" if self.layer else "the model's output"
        where += f", call {self.call}" if self.call else ""
        where += f", output {self.output!r}" if self.output else ""
        if self.unit is None:
            return f"{where}: feature map {self.analysis} by the analysis, {self.poking} when it runs"
        what = "mask" if self.axis is None else f"axis {self.axis}"
        only_analysis = sorted(set(self.analysis) - set(self.poking))
        only_poking = sorted(set(self.poking) - set(self.analysis))
        return (
            f"{where}, unit {self.unit}, {what}: read by the analysis only {_short(only_analysis)}, "
            f"by poking only {_short(only_poking)}"
        )


@dataclass(frozen=True)
class Verification:
    """The outcome of `verify`; true if analysis and poking agree wherever they were compared.

    Attributes:
        disagreements: Where they do not, layer by layer.
        layers: How many calls of layers were compared.
        units: How many units were compared, by the projections of what they read.
        masks: How many units were compared position by position.
        skipped: What could not be compared, and why.
        sample: Which units were compared.
        method: How poking decided.
        one_way: True if places to read are computed from the data: the analysis counts all of them as read, poking
            sees those that were drawn, so all that is checked is that poking reads nothing more.
        notes: What the analysis says about how it read the model.
    """

    disagreements: tuple[Disagreement, ...]
    layers: int
    units: int
    masks: int
    skipped: tuple[str, ...]
    sample: str
    method: str
    one_way: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """True if something was compared and no disagreement was found."""
        return self.layers > 0 and not self.disagreements

    def __bool__(self) -> bool:
        return self.agrees

    def __repr__(self) -> str:
        verdict = "agree" if self.agrees else f"DISAGREE for {len(self.disagreements)} answers"
        if not self.layers and not self.disagreements:
            verdict = "were not compared"
        lines = [
            f"Analysis and poking {verdict}: {self.units} units of {self.layers} layers by rows and columns "
            f"({self.sample}), {self.masks} full masks.",
            f"Poking by {self.method}.",
        ]
        if self.one_way:
            lines.append("Places to read are computed from the data: checked is only that poking reads nothing more.")
        lines += [f"  {found}" for found in self.disagreements[:10]]
        if len(self.disagreements) > 10:
            lines.append(f"  and {len(self.disagreements) - 10} more in .disagreements")
        lines += [f"Not compared: {what}" for what in self.skipped]
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join(lines)


def verify(
    model: nn.Module,
    input_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
    *,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    which: int | str | None = None,
    spatial: Any = None,
    training: bool = False,
    units: str = "sample",
    masks: int = 4,
    seed: int = 0,
    progress: bool = True,
) -> Verification:
    """Compares the analysis of a model with poking, for every layer.

    Poking a row or a column of the input at a time gives the projections of all units of all layers; they are
    compared with the analysis for a sample of units, or for all. Full masks are compared for some units of the output
    and of a few layers on the way.

    What `measure` says about errors of poking holds here too. Where places to read are computed from the data, poking
    sees only some of them: then `one_way` is true, and the check is that poking reads nothing more. A model that
    takes another course for other values (`.item()`, `if`) is analyzed for one course and poked over several.

    Example:
        >>> import torch
        >>> import rflib as rf
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, stride=2, padding=1), torch.nn.ReLU())
        >>> verification = rf.verify(model, (1, 1, 9, 9), units="all")
        >>> verification.agrees, verification.units
        (True, 75)

    Args:
        model: The module; it is left as found.
        input_size: The input's shape, batch and channels included; several shapes for several inputs.
        inputs: Instead of `input_size`: a tensor or a tuple of them.
        kwargs: Keyword arguments of the call.
        which: Position or name of the input to poke, where there are several.
        spatial: The dimensions of the inputs that are space; 2 and up by default; for all inputs, or by name.
        training: Whether the model is taken in training mode.
        units: "sample" compares in each layer a diagonal, the corners and 16 random units; "all" compares all.
        masks: How many units a layer get their full mask compared, in the output and in up to four layers before it.
        seed: Seed of the random units.
        progress: Whether a bar is shown when it takes longer than a second.

    Returns:
        A `Verification`, true if the two agree.

    Raises:
        ModelError: If the model cannot be copied or run, or an argument does not fit.
        TracingError: If the analysis has no rule for an operation; `measure` still works.
        NoSingleAnswerError: If there are several inputs and none was chosen.
    """
    if units not in ("sample", "all"):
        raise ModelError(f'`units` must be "sample" or "all"; got {units!r}.')
    args, keywords = build_inputs(model, input_size, inputs, kwargs)
    at = choose_input(model, (args, keywords), which)
    poked = args[at] if isinstance(at, int) else keywords[at]
    given = () if inputs is None else args
    analysis = analyze(model, *given, kwargs=kwargs, input_size=input_size, spatial=spatial, training=training)
    number = next(i for i, t in enumerate(tensors_in((args, keywords))) if t is poked)
    dims = spatial.get(analysis.input_names[number]) if isinstance(spatial, Mapping) else spatial
    dims = (dims,) if isinstance(dims, int) else dims
    bench = make_bench(model, input_size, inputs, kwargs, which, dims, training)
    return _Comparison(analysis, bench, number, units, masks, seed, progress).run()


class _Comparison:
    """One run of `verify`: what both sides say, and what was found wrong so far."""

    def __init__(
        self, analysis: Analysis, bench: Bench, number: int, units: str, masks: int, seed: int, progress: bool
    ) -> None:
        self.analysis, self.bench, self.number = analysis, bench, number
        self.units, self.masks, self.progress = units, masks, progress
        self.random = random.Random(seed)
        self.skipped: list[str] = []
        self.wrong: list[Disagreement] = []
        self.found = {key: self._found(key) for key in bench.shapes if self._comparable(key)}

    def run(self) -> Verification:
        """Compare projections, then masks."""
        dims = {key: None if found is None else found.unit_dims for key, found in self.found.items()}
        measured = bench_projections(self.bench, dims, self.progress)
        layers, units = 0, 0
        with progress_bar(len(self.found), self.progress, "comparing layers") as bar:
            for shadows in (p for calls in measured.values() for p in calls):
                key = (shadows.layer, shadows.call, shadows.output)
                bar.update()
                if key in self.found and self._same_units(key, shadows):
                    layers += 1
                    units += self._compare_projections(key, shadows)
        masks = sum(self._compare_masks(key) for key in self._chosen())
        sample = "every unit" if self.units == "all" else "in each a diagonal, the corners, 16 at random"
        notes = tuple(str(note) for note in self.analysis.notes)
        strategy = self.bench.strategy
        return Verification(
            tuple(self.wrong),
            layers,
            units,
            masks,
            tuple(self.skipped),
            sample,
            str(strategy),
            strategy.places,
            notes,
        )

    def _comparable(self, key: Key) -> bool:
        """Whether both sides can be asked; the analysis names the several tensors of a module's last call only."""
        path, call, _ = key
        why = "it is NaN without any poke" if key in self.bench.spoiled else ""
        last = max(k[1] for k in self.bench.shapes if k[0] == path)
        if path not in self.analysis.paths:
            why = "the analysis has no such call"
        elif call != last and self._calls(path) is None:
            why = "an earlier call of a module with several outputs"
        if why:
            self.skipped.append(f"{_label(key)}: {why}")
        return not why

    def _calls(self, path: str) -> list[Found] | None:
        try:
            return self.analysis.calls(path)
        except NoSingleAnswerError:
            return None

    def _found(self, key: Key) -> Found | None:
        """What the analysis says about one call; None if it says that the call does not depend on the input."""
        path, call, name = key
        calls = self._calls(path)
        try:
            found = self.analysis[path, name] if calls is None else calls[call]
        except (NoSingleAnswerError, UnknownNameError):
            return None
        return found.of(self.number)

    def _same_units(self, key: Key, shadows: Projections) -> bool:
        found = self.found[key]
        if found is None or tuple(found.unit_shape) == shadows.unit_shape:
            return True
        self.wrong.append(Disagreement(*key, None, None, tuple(found.unit_shape), shadows.unit_shape))
        del self.found[key]
        return False

    def _compare_projections(self, key: Key, shadows: Projections) -> int:
        found = self.found[key]
        chosen = _every(shadows.unit_shape) if self.units == "all" else self._sample(shadows.unit_shape)
        for unit in chosen:
            seen = shadows.positions(unit)
            said = tuple(() for _ in seen) if found is None else found.positions(unit)
            for axis, (one, other) in enumerate(zip(said, seen, strict=True)):
                if not self._agree(set(one), set(other)):
                    self.wrong.append(Disagreement(*key, unit, axis, tuple(one), other))
        return len(chosen)

    def _agree(self, said: set[Any], seen: set[Any]) -> bool:
        return seen <= said if self.bench.strategy.places else seen == said

    def _sample(self, shape: Unit) -> list[Unit]:
        """A diagonal that meets every index of every axis, the corners, and a few at random."""
        if 0 in shape:
            return []
        diagonal = [tuple(min(i, n - 1) for n in shape) for i in range(max(shape, default=1))]
        corners = list(itertools.product(*({0, n - 1} for n in shape)))
        drawn = [tuple(self.random.randrange(n) for n in shape) for _ in range(16)]
        return sorted({*diagonal, *corners, *drawn})

    def _chosen(self) -> list[Key]:
        """The outputs of the model, and up to four layers spread over the rest."""
        keys = [key for key, found in self.found.items() if found is not None]
        rest = [key for key in keys if key[0] != ""]
        at = np.linspace(0, len(rest) - 1, min(4, len(rest))).round().astype(int)
        return [*(rest[i] for i in dict.fromkeys(at.tolist())), *(key for key in keys if key[0] == "")]

    def _compare_masks(self, key: Key) -> int:
        found = self.found[key]
        if found is None or 0 in found.unit_shape or not self.masks:
            return 0
        shape = tuple(found.unit_shape)
        middle = tuple(n // 2 for n in shape)
        last = tuple(n - 1 for n in shape)
        drawn = [tuple(self.random.randrange(n) for n in shape) for _ in range(self.masks)]
        chosen = list(dict.fromkeys([middle, tuple(0 for _ in shape), last, *drawn]))[: self.masks]
        with progress_bar(None, self.progress, f"poking for {_label(key)}") as bar:
            for unit in chosen:
                seen, _ = read_mask(self.bench, key, Reader(tuple(found.unit_dims), unit), bar)
                said, read = (tuple(map(tuple, np.argwhere(mask).tolist())) for mask in (found.mask(unit), seen))
                if not self._agree(set(said), set(read)):
                    self.wrong.append(Disagreement(*key, unit, None, said, read))
        return len(chosen)


def _every(shape: Unit) -> list[Unit]:
    return list(itertools.product(*(range(n) for n in shape)))


def _label(key: Key) -> str:
    path, call, name = key
    label = f"layer {path!r}" if path else "the output"
    return label + (f" (call {call})" if call else "") + (f" [{name}]" if name else "")


def _short(positions: Sequence[Any]) -> str:
    if not positions:
        return "nothing"
    return ", ".join(map(str, positions[:6])) + (f" and {len(positions) - 6} more" if len(positions) > 6 else "")
