"""`rf.analyze` of a ResNet-50 at 224 against that model's own forward pass, and other tools beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import torch
from torch import nn

import rflib as rf
from benchmarks.harness import Aim, Bar, Row, Times, interleaved, medians, ratio, threads, timed
from benchmarks.importing import run
from benchmarks.others import TOOLS, Tool
from rflib import zoo

TITLE = "ResNet-50, one image, against its own forward pass without gradients"
ROUNDS = 7
SIZE = 224
AIM = Aim(1.0, strictly=True)
ANSWER = "  its answer for layer4"

FIRST = """
import json, sys, time, torch, rflib
from rflib import zoo
model = zoo.resnet50(width={width}).eval()
rflib.analyze  # rflib's own modules; what is timed below is the call
seen, times = set(sys.modules), []
for _ in range(2):
    start = time.perf_counter()
    rflib.analyze(model, input_size=(1, 3, {size}, {size}))
    times.append(time.perf_counter() - start)
new = set(sys.modules) - seen
print(json.dumps([*times, len(new), sum(name.split(".")[0] in ("torch", "sympy", "mpmath") for name in new)]))
"""


def steps(rounds: int = ROUNDS, size: int = SIZE, width: float = 1.0) -> int:
    """How often the bar moves."""
    return (3 + (torch.get_num_threads() > 1)) * rounds + 1 + sum(_rounds(tool, rounds) for tool in TOOLS)


def measure(bar: Bar | None = None, rounds: int = ROUNDS, size: int = SIZE, width: float = 1.0) -> Iterator[Row]:
    """Pass, analysis and all layers' slices in turn; then the first call of a fresh process; then the other tools."""
    model = zoo.resnet50(width=width).eval()
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    shape = tuple(image.shape)
    analysis = rf.analyze(model, input_size=shape)  # the first call of a process is another matter, see below
    times: Times = {"slices": []}

    def forward() -> None:
        with torch.no_grad():
            model(image)

    def forward_alone() -> None:
        with threads(1):
            forward()

    def all_slices() -> None:
        fresh = rf.analyze(model, input_size=shape)  # what an analysis has answered it remembers
        times["slices"].append(timed(lambda: [fresh[path].slices() for path in fresh.paths]))

    forward()
    passes = {"forward pass, 1 thread": forward_alone}
    if (count := torch.get_num_threads()) > 1:
        passes[f"forward pass, {count} threads"] = forward
    ours = {"analyze": lambda: rf.analyze(model, input_size=shape), "with slices": all_slices}
    times |= interleaved(passes | ours, rounds, bar)
    fastest = min(passes, key=lambda name: medians(times)[name])
    yield from _ours(analysis, times, list(passes), fastest)
    yield _first_call(size, width)
    if bar is not None:
        bar.update()
    for tool in TOOLS:
        yield from _beside(tool, model, size, passes[fastest], _rounds(tool, rounds), bar)


def _ours(analysis: rf.Analysis, times: Times, passes: list[str], fastest: str) -> Iterator[Row]:
    """Everything is held against the faster pass: where cores are shared, more threads can be slower."""
    middle, layers = medians(times), len(analysis.paths)
    for name in passes:
        yield Row(name, middle[name], "the measure of all below" if name == fastest else "")
    found = ratio(times["analyze"], times[fastest])
    yield Row("rf.analyze", middle["analyze"], f"{found} of a pass; {AIM.verdict(found.value)}")
    layer4 = analysis["layer4"]
    field = ", ".join(f"{name} {getattr(layer4, name)[0]}" for name in ("size", "stride", "padding"))
    yield Row(ANSWER, None, field)
    each = 1000 * middle["slices"] / layers
    comment = f"{ratio(times['slices'], times[fastest])} of a pass; {each:.2f} ms a layer"
    yield Row(f"slices of one unit in each of {layers} layers", middle["slices"], comment)


def _first_call(size: int, width: float) -> Row:
    first, second, loaded, by_torch = json.loads(run(FIRST.format(size=size, width=width)))
    comment = f"against {second:.2f} s for the second: it loads {loaded} modules, {by_torch} of torch and its sympy"
    return Row("the first call of a fresh process", first, comment)


def _rounds(tool: Tool, rounds: int) -> int:
    return min(rounds, tool.rounds) if tool.is_installed else 0


def _beside(
    tool: Tool, model: nn.Module, size: int, forward: Callable[[], object], rounds: int, bar: Bar | None
) -> Iterator[Row]:
    """One other tool, in turn with the forward pass."""
    if not tool.is_installed:
        yield Row(tool.name, None, f"not installed: {tool.install}")
        return
    results: list[object] = []
    try:
        times = interleaved({"tool": lambda: results.append(tool.analyze(model, size)), "pass": forward}, rounds)
        answer = tool.answer(results[-1])
    except Exception as error:  # whatever goes wrong in it is its answer
        yield Row(str(tool), None, f"does not run here: {type(error).__name__}: {error}")
    else:
        yield Row(str(tool), medians(times)["tool"], f"{ratio(times['tool'], times['pass'])} of a pass")
        yield Row(ANSWER, None, answer)
    if bar is not None:
        bar.update(rounds)
