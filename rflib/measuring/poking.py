"""Poking a model: many regions of its input, one for each run, and which units of which layers change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils._pytree import tree_map
from tqdm import tqdm

from rflib.errors import ModelError
from rflib.measuring.strategy import DRAWS, Round, Strategy, decide, finite, some
from rflib.measuring.subject import Enough, Inputs, Key, RunError, Subject, conditions
from rflib.measuring.watching import Causal, FunctionWatch, Resampling, Watch, tensors_in

Bools = npt.NDArray[np.bool_]
BUDGET = 2**27  # bytes of activations in flight; more pokes at once are no faster


class Reader(NamedTuple):
    """What to look at in a layer's output: its spatial dimensions, and one unit or all."""

    dims: tuple[int, ...]
    unit: tuple[int, ...] | None = None


class Bench:
    """A subject ready to be poked: its calls, their shapes, and a strategy, found by watching it run.

    Raises:
        ModelError: If the model does not run on these arguments in any precision.
    """

    def __init__(
        self,
        subject: Subject,
        own: torch.dtype,
        spatial: tuple[int, ...],
    ) -> None:
        self.subject, self.own, self.spatial = subject, own, spatial
        self.space = tuple(subject.x.shape[d] for d in spatial)
        self.shapes: dict[Key, tuple[int, ...]] = {}
        self._stack: dict[Key, int | None] | None = None
        self._draw = DRAWS[0]
        self.spoiled: set[Key] = set()
        self.strategy = self._watch()

    def _record(self, inputs: Inputs, marks: bool = False) -> dict[Key, Tensor]:
        seen: dict[Key, Tensor] = {}
        self._run(inputs, lambda key, tensor: seen.update({key: tensor.detach().clone()}), marks)
        return seen

    def modes(self, marks: bool) -> ExitStack:
        """The repairs of single operations that this model needs."""
        stack = ExitStack()
        if marks and self.strategy.causal:
            stack.enter_context(Causal())
        if self.strategy.resampling:
            stack.enter_context(Resampling(self.own, marks))
        return stack

    # Watching -----------------------------------------------------------------------------------------------------

    def _watch(self) -> Strategy:
        with conditions(self.subject.dtype):
            first, functions = self._watch_numbers()
            hidden = first.control | functions.host
            if hidden:
                return finite(f"values leave torch or steer the model ({some(hidden)})", alone=True)
            try:
                second = self._watch_marks()
            except RunError as error:
                return finite(f"the model refuses NaN ({error})")
        return decide(first, second, functions, self._draw)

    def _watch_numbers(self) -> tuple[Watch, FunctionWatch]:
        """Run with ordinary numbers: find the shapes, and a draw of weights with which nothing is NaN by itself."""
        problem: RunError | None = None
        best: tuple[int, tuple[str, str], Watch, FunctionWatch, set[Key]] | None = None
        for draw in DRAWS:
            inputs = self.subject.draw(*draw)
            watch, functions = Watch(self.subject.poked(inputs), tensors_in(inputs)), FunctionWatch()
            seen: dict[Key, tuple[tuple[int, ...], bool]] = {}

            def see(key: Key, t: Tensor, seen: dict[Key, tuple[tuple[int, ...], bool]] = seen) -> None:
                seen[key] = tuple(t.shape), t.is_floating_point() and bool(t.isnan().any())

            try:
                with functions, watch:
                    self.subject.run(inputs, see)
            except RunError as error:
                problem = error
                continue
            spoiled = {key for key, (_, bad) in seen.items() if bad}
            if best is None or len(spoiled) < best[0]:
                best = len(spoiled), draw, watch, functions, spoiled
                self.shapes = {key: shape for key, (shape, _) in seen.items()}
            if not spoiled:
                break
        if best is None:
            assert problem is not None
            raise problem
        _, self._draw, watch, functions, self.spoiled = best
        watch._alive.clear()
        return watch, functions

    def _watch_marks(self) -> Watch:
        """Run with NaN everywhere: find the operations that drop the mark."""
        inputs = self.subject.draw(*self._draw)
        x = torch.full_like(self.subject.x, float("nan"))
        escaped: set[str] = set()

        def see(key: Key, t: Tensor) -> None:
            if not watch.depends(t) and t.is_floating_point() and t.isnan().any():
                escaped.add(f"a path that torch does not show, seen in {key[0] or 'the output'}")

        marked = self.subject.with_poked(inputs, x)
        watch = Watch(x, tensors_in(marked))
        with Resampling(self.own, marks=True), watch:
            self.subject.run(marked, see)
        watch._alive.clear()
        watch.unknown |= escaped
        return watch

    # Poking -------------------------------------------------------------------------------------------------------

    def changed(self, regions: Sequence[Bools], readers: Mapping[Key, Reader], bar: tqdm[Any]) -> dict[Key, Bools]:
        """Which units change when all of a region is poked, every channel of every position.

        Returns:
            For each reader a boolean array, the regions first, then the layer's spatial axes (none for one unit).
        """
        found: dict[Key, Bools] = {}
        with conditions(self.subject.dtype):
            size = self._chunk(len(regions))
            for number, how in enumerate(self.strategy.rounds):
                if how.poke is None and (bad := self.spoiled & set(readers)):
                    name = sorted(bad)[0][0]
                    raise ModelError(f"Layer {name!r} gives NaN without any poke, so NaN cannot show what it reads.")
                try:
                    self._round(how, number, regions, size, readers, found, bar)
                except RunError:
                    if how.poke is None or number == 0:
                        raise  # with other weights a model may refuse to run; the rounds that run still count
        return found

    def _round(
        self,
        how: Round,
        number: int,
        regions: Sequence[Bools],
        size: int,
        readers: Mapping[Key, Reader],
        found: dict[Key, Bools],
        bar: tqdm[Any],
    ) -> None:
        inputs = self.subject.draw(how.weights, how.values, seed=number)
        generator = torch.Generator().manual_seed(number)
        base = {} if how.poke is None else self._base(inputs, size, readers)
        for start in range(0, len(regions), size):
            chunk = list(regions[start : start + size])
            full = chunk + chunk[-1:] * (size - len(chunk))  # one size, so that rounding is the base's
            stop = start + len(chunk)

            def see(key: Key, t: Tensor, start: int = start, stop: int = stop) -> None:
                if key in readers:
                    hits = self._hits(key, t, base.get(key), readers[key], size)
                    if key not in found:
                        found[key] = np.zeros((len(regions), *hits.shape[1:]), bool)
                    found[key][start:stop] |= hits[: stop - start]

            self._run(self._poked(inputs, full, how.poke, generator), _until(readers, see), how.poke is None)
            bar.update(len(chunk))

    def _run(self, inputs: Inputs, see: Callable[[Key, Tensor], None], marks: bool = False) -> None:
        with self.modes(marks):  # round the model alone: our own arithmetic needs no repairs
            self.subject.run(inputs, see)

    def _base(self, inputs: Inputs, size: int, readers: Mapping[Key, Reader]) -> dict[Key, Tensor]:
        """The outputs without a poke, twice: what differs between the two would be taken for reading."""
        base: dict[Key, Tensor] = {}
        stacked = self._stacked(inputs, size)
        self._run(stacked, _until(readers, lambda k, t: base.update({k: t.clone()}) if k in readers else None))

        def again(key: Key, t: Tensor) -> None:
            if key in readers and not torch.equal(t.nan_to_num(), base[key].nan_to_num()):
                raise ModelError(f"Layer {key[0]!r} gives different results in two equal runs, so pokes tell nothing.")

        self._run(stacked, _until(readers, again))
        return base

    def _hits(self, key: Key, t: Tensor, base: Tensor | None, reader: Reader, size: int) -> Bools:
        """Which units of each stacked sample changed: (size, *unit_shape), or (size,) for one unit."""
        single = self.shapes[key]
        at = self._stack[key] if self._stack and size > 1 else None
        expected = single if at is None else (*single[:at], size * single[at], *single[at + 1 :])
        if tuple(t.shape) != expected:
            raise ModelError(f"Layer {key[0]!r} changes the shape of its output with the values of the input.")
        # an overflow turns into NaN, and NaN spreads where nothing is read: only finite changes count
        hits = t.isnan() if base is None else (t != base) & t.isfinite() & base.isfinite()
        if at is None:
            hits = hits.expand(size, *single)
        else:
            hits = hits.reshape(*single[:at], size, *single[at:]).movedim(at, 0)
        rest = [d + 1 for d in range(len(single)) if d not in reader.dims]
        hits = hits.any(dim=rest) if rest else hits  # (size, *unit_shape)
        for index in reader.unit or ():
            hits = hits.select(1, index)
        answer: Bools = hits.numpy().copy()
        return answer

    def _poked(
        self, inputs: Inputs, regions: Sequence[Bools], poke: float | None, generator: torch.Generator
    ) -> Inputs:
        stacked = self._stacked(inputs, len(regions))
        x = self.subject.poked(stacked).clone()
        shape = [1] * x.ndim
        for d in self.spatial:
            shape[d] = x.shape[d]
        block = x.shape[0] // len(regions)
        for i, region in enumerate(regions):
            where = torch.from_numpy(np.ascontiguousarray(region)).reshape(shape)
            part = x[i * block : (i + 1) * block] if len(regions) > 1 else x
            value = torch.tensor(float("nan")) if poke is None else self.subject.noise(part.shape, generator) * poke
            part.copy_(torch.where(where, value.to(x.dtype), part))
        return self.subject.with_poked(stacked, x)

    def gradient(self, key: Key, reader: Reader) -> Bools:
        """Positions whose gradient from one unit is not zero in some draw: proof that they are read.

        A zero gradient proves nothing (the loser of a maximum, a rounding to zero), so the rest is poked.
        """
        proven = np.zeros(self.space, bool)
        if reader.unit is None or self.strategy.places:
            return proven  # grid_sample's gradient has index arithmetic of its own
        with conditions(self.subject.dtype), self.modes(marks=False):
            for seed, draw in enumerate((("positive", "positive"), ("positive", "normal"), ("signed", "normal"))):
                before = int(proven.sum())
                try:
                    proven |= self._one_gradient(self.subject.draw(*draw, seed=seed), key, reader, seed)
                except Exception:  # not differentiable as written: poking needs no gradient
                    return proven
                if proven.all() or (seed > 0 and int(proven.sum()) == before):
                    break
        return proven

    def _one_gradient(self, inputs: Inputs, key: Key, reader: Reader, seed: int) -> Bools:
        x = self.subject.poked(inputs).requires_grad_(True)
        scores: list[Tensor] = []

        def see(seen: Key, t: Tensor) -> None:
            if seen == key:
                index: list[Any] = [slice(None)] * t.ndim
                for d, at in zip(reader.dims, reader.unit or (), strict=True):
                    index[d] = at
                part = t[tuple(index)]
                scores.append((part * self.subject.noise(part.shape, torch.Generator().manual_seed(seed))).sum())

        self.subject.run(self.subject.with_poked(inputs, x.clone()), _until({key: reader}, see), grad=True)
        if not scores or not scores[0].requires_grad:
            return np.zeros(self.space, bool)
        (gradient,) = torch.autograd.grad(scores[0], x, allow_unused=True, materialize_grads=True)
        reads = gradient.isfinite() & (gradient != 0)
        rest = [d for d in range(x.ndim) if d not in self.spatial]
        answer: Bools = (reads.any(dim=rest) if rest else reads).numpy()
        return answer

    # Several pokes in one run -------------------------------------------------------------------------------------

    def _stacked(self, inputs: Inputs, size: int) -> Inputs:
        if size == 1:
            return inputs
        stacked: Inputs = tree_map(lambda leaf: torch.cat([leaf] * size) if isinstance(leaf, Tensor) else leaf, inputs)
        return stacked

    def _chunk(self, regions: int) -> int:
        """How many pokes go into one run."""
        if regions <= 1:
            return 1
        if self._stack is None:
            self._stack = self._stacking()
        if not self._stack:
            return 1
        sizes = [int(np.prod(shape)) * self.subject.x.element_size() for shape in self.shapes.values()]
        # 9: a convolution with a 3x3 kernel unrolls its input that many times
        heaviest = max(9 * max(sizes), sum(sizes) if len(self.strategy.rounds) > 1 else 0)
        return max(1, min(16, regions, BUDGET // max(heaviest, 1)))

    def _stacking(self) -> dict[Key, int | None]:
        """For each call the dimension along which stacked samples lie; empty if samples are not independent."""
        leaves = tensors_in(self.subject.inputs)
        if self.strategy.alone or 0 in self.spatial or any(t.ndim == 0 for t in leaves):
            return {}
        try:
            one, other = self.subject.draw(*self._draw), self.subject.draw(*self._draw, seed=1)
            self.subject.draw(*self._draw)
            alone = self._record(one)
            pair = self._record(_join(one, other))
            huge = tree_map(lambda v: -1e3 * v if isinstance(v, Tensor) and v.is_floating_point() else v, other)
            others = [self._record(_join(one, huge))]
            if self.strategy.marks:
                nan = self.subject.with_poked(other, torch.full_like(self.subject.x, float("nan")))
                others.append(self._record(_join(one, nan), marks=True))
        except RunError:
            return {}
        where: dict[Key, int | None] = {}
        for key, single in alone.items():
            at = _stack_dimension(single, [pair.get(key), *(o.get(key) for o in others)])
            if at == "mixed":
                return {}
            where[key] = at if isinstance(at, int) else None
        return where


def _until(readers: Mapping[Key, Any], see: Callable[[Key, Tensor], None]) -> Callable[[Key, Tensor], None]:
    """Stop the run once every reader has been served."""
    left = set(readers)

    def wrapped(key: Key, tensor: Tensor) -> None:
        see(key, tensor)
        left.discard(key)
        if not left:
            raise Enough

    return wrapped


def _join(a: Inputs, b: Inputs) -> Inputs:
    leaves = iter(tensors_in(b))
    joined: Inputs = tree_map(lambda leaf: torch.cat([leaf, next(leaves)]) if isinstance(leaf, Tensor) else leaf, a)
    return joined


def _stack_dimension(single: Tensor, runs: list[Tensor | None]) -> int | str | None:
    """The dimension that doubled, None for a constant, "mixed" where one sample's result depends on the other's."""
    pair = runs[0]
    if pair is None or any(r is None or r.shape != pair.shape for r in runs) or pair.ndim != single.ndim:
        return "mixed"
    kept = [r for r in runs if r is not None]
    if pair.shape == single.shape:
        return None if all(torch.equal(r, single) for r in kept) else "mixed"
    grown = [d for d in range(single.ndim) if pair.shape[d] != single.shape[d]]
    if len(grown) != 1 or pair.shape[grown[0]] != 2 * single.shape[grown[0]]:
        return "mixed"
    halves = [r.narrow(grown[0], 0, single.shape[grown[0]]) for r in kept]
    same = all(torch.equal(h, halves[0]) or _same(h, halves[0], 0.0) for h in halves)
    return grown[0] if same and _same(halves[0], single, 1e-4) else "mixed"


def _same(a: Tensor, b: Tensor, tolerance: float) -> bool:
    if not a.is_floating_point():
        return torch.equal(a, b)
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance * 1e-3, equal_nan=True)


@contextmanager
def progress_bar(total: int | None, show: bool, text: str) -> Iterator[tqdm[Any]]:
    """A bar that shows only where the work takes longer than a second."""
    with tqdm(total=total, delay=1, leave=False, disable=not show, desc=text, unit="poke") as bar:
        yield bar
