"""The benchmarks: what they compute from times, what they say about it, and that each of them runs."""

from __future__ import annotations

import functools
import importlib.machinery
import math
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import chains, effective, explorers, grading, harness, hub, importing, others, resnet, run
from benchmarks.harness import Aim, Row

SECONDS = st.floats(1e-6, 1e3)
ROOT = Path(__file__).resolve().parent.parent


# The harness


def test_jobs_run_in_turn_and_each_run_is_timed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, order, bar = [0.0], [], []
    monkeypatch.setattr(harness, "timed", functools.partial(harness.timed, clock=lambda: clock[0]))

    def job(name: str, seconds: float) -> None:
        order.append(name)
        clock[0] += seconds

    jobs = {"A": lambda: job("A", 2.0), "B": lambda: job("B", 0.5)}
    times = harness.interleaved(jobs, 3, SimpleNamespace(update=lambda n=1: bar.append(n)))  # type: ignore[arg-type]
    assert order == ["A", "B", "A", "B", "A", "B"]
    assert times == {"A": [2.0, 2.0, 2.0], "B": [0.5, 0.5, 0.5]}
    assert bar == [1] * 6


def test_one_slow_run_does_not_move_the_median() -> None:
    assert harness.medians({"A": [1.0, 90.0, 1.2], 4: [2.0, 4.0]}) == {"A": 1.2, 4: 3.0}


def test_a_ratio_is_that_of_the_medians_with_the_range_of_the_rounds() -> None:
    found = harness.ratio([1.0, 2.0, 9.0], [4.0, 8.0, 3.0])
    assert (found.value, found.lowest, found.highest) == (0.5, 0.25, 3.0)
    assert str(found) == "0.5 (0.25 to 3)"
    assert str(harness.ratio([3.0], [2.0])) == "1.5"


def test_a_ratio_needs_rounds_in_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        harness.ratio([1.0, 2.0], [1.0])


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=9))
def test_a_ratio_lies_within_the_range_of_its_rounds(pairs: list[tuple[float, float]]) -> None:
    found = harness.ratio([a for a, _ in pairs], [b for _, b in pairs])
    assert found.lowest * (1 - 1e-9) <= found.value <= found.highest * (1 + 1e-9)


@given(st.floats(-1, 3), SECONDS, st.lists(st.integers(1, 5000), min_size=2, max_size=6, unique=True))
def test_the_exponent_of_a_power_law_is_found(power: float, factor: float, sizes: list[int]) -> None:
    assert harness.exponent({n: factor * n**power for n in sizes}) == pytest.approx(power, abs=1e-6)


def test_the_exponent_of_scattered_times_is_the_least_squares_slope() -> None:
    times = {250: 0.3, 500: 0.5, 1000: 1.3, 2000: 2.2, 4000: 5.0}
    x, y = [math.log(n) for n in times], [math.log(t) for t in times.values()]
    mx, my = statistics.mean(x), statistics.mean(y)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)
    assert harness.exponent(times) == pytest.approx(slope)


def test_one_size_has_no_exponent() -> None:
    with pytest.raises(ValueError, match=r"A growth needs at least two sizes; got \[250\]\."):
        harness.exponent({250: 1.0})


def test_a_growth_says_its_power_the_verdict_and_the_last_step() -> None:
    linear = {n: n / 1000 for n in (4000, 250, 1000, 2000)}
    said = "at 4,000; grows like n^1.00 (aim: at most 1.1: met); from 2,000 on 2.00 times as much"
    assert harness.growth(linear, Aim(1.1)) == said
    assert "n^2.00 (aim: at most 1.1: missed); from 2,000 on 4.00 " in harness.growth(
        {n: n * n / 1e6 for n in linear}, Aim(1.1)
    )


@pytest.mark.parametrize(
    ("aim", "value", "said"),
    [
        (Aim(1.0, strictly=True), 0.999, "aim: below 1: met"),
        (Aim(1.0, strictly=True), 1.0, "aim: below 1: missed"),
        (Aim(1.15), 1.15, "aim: at most 1.15: met"),
        (Aim(1.15), 1.16, "aim: at most 1.15: missed"),
        (Aim(50, unit=" ms more"), 12, "aim: at most 50 ms more: met"),
    ],
)
def test_verdicts(aim: Aim, value: float, said: str) -> None:
    assert aim.verdict(value) == said


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(75, "75 s"), (1.234, "1.23 s"), (0.0581, "58.1 ms"), (0.9999, "1000 ms"), (3e-6, "3 us"), (4e-8, "40 ns")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert harness.duration(seconds) == shown


def test_a_row_has_its_columns() -> None:
    assert str(Row("rf.analyze", 0.0581, "0.31 of a pass")) == f"  {'rf.analyze':<44} {'58.1 ms':>9}  0.31 of a pass"
    assert str(Row("rf.analyze", None)) == "  rf.analyze"


def test_torch_gets_its_threads_back_also_after_an_error() -> None:
    import torch

    before = torch.get_num_threads()
    seen = []

    def fail() -> None:
        with harness.threads(before + 1):
            seen.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_the_machine_is_said_and_nobody_is_named() -> None:
    import platform

    import torch

    said = harness.machine()
    assert f"Python {platform.python_version()}, torch {torch.__version__}" in said
    assert f"{torch.get_num_threads()} torch threads" in said
    assert platform.node() not in said
    assert str(ROOT) not in said


# Every group, as small as it goes


SMALL: list[tuple[ModuleType, dict[str, Any]]] = [
    (importing, {"rounds": 1}),
    (chains, {"rounds": 1, "depths": (4, 8)}),
    (effective, {"rounds": 1, "batches": (1, 2), "depths": (2, 4), "size": 64, "width": 0.125}),
]


class Counter:
    """A bar that counts."""

    def __init__(self) -> None:
        self.moved = 0

    def update(self, n: int = 1) -> None:
        self.moved += n


@pytest.mark.parametrize(("group", "sizes"), SMALL, ids=lambda value: getattr(value, "__name__", ""))
def test_a_group_runs_and_its_bar_arrives_at_the_end(group: ModuleType, sizes: dict[str, Any]) -> None:
    bar = Counter()
    rows = list(group.measure(bar, **sizes))
    assert bar.moved == group.steps(**sizes) > 0
    assert all(row.seconds is None or row.seconds > 0 for row in rows)
    assert any("aim: " in row.comment for row in rows)


def test_importing_reports_what_is_loaded() -> None:
    *_, loaded = importing.measure(rounds=1)
    assert loaded.comment == "nothing"
    assert importing.run("import rflib; print(rflib.__file__)").strip() == str(ROOT / "rflib" / "__init__.py")


def test_a_field_and_its_pass_by_hand_answer_the_same() -> None:
    import torch

    model, images = effective.chain(3), torch.randn(2, 8, 9, 9, generator=torch.Generator().manual_seed(1))
    gradient: Any = effective.by_hand(model, images)()
    field: Any = effective.field(model, images)()
    expected = gradient.abs().sum(dim=(0, 1)).double()
    assert torch.allclose(torch.tensor(field.map), expected / expected.sum(), atol=1e-9)
    assert all(p.requires_grad for p in model.parameters())


def test_the_resnet_runs_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resnet, "TOOLS", ())
    bar, sizes = Counter(), {"rounds": 1, "size": 64, "width": 0.0625}
    rows = list(resnet.measure(bar, **sizes))
    assert bar.moved == resnet.steps(**sizes)
    assert [row.comment for row in rows if row.what == resnet.ANSWER] == ["size 427, stride 32, padding 213"]
    first = next(row for row in rows if row.what.startswith("the first call"))
    assert first.seconds
    assert first.comment.startswith("against ")


def test_a_class_is_summed_up_and_written_down(tmp_path: Path) -> None:
    """Two learners; what they share is counted once, and the machine is worked out from what each has alone."""
    idle = {"pss": 120.0, "private": 100.0, "cpu": 4.0}
    most = {"pss": 900.0, "private": 700.0, "cpu": 14.0}
    parts = {"hub": {"pss": 110.0}, "proxy": {"pss": 60.0}}
    story = {
        "seconds": {"ready": {"a": 9.0, "b": 11.0}, "lesson": {"a": 30.0, "b": 40.0}, "graded": 25.0},
        "idle": {"a": idle, "b": idle},
        "most": {"a": most, "b": most, **parts},
        "ran": {"a": {**most, "cpu": 21.0}, "b": {**most, "cpu": 23.0}},
    }
    bar, path = Counter(), tmp_path / "measured.json"
    rows = list(hub.measure(bar, story=lambda: story, path=path))
    found = hub.sizing.read(path)
    assert bar.moved == 1
    assert (found.users, found.idle, found.lesson, found.shared) == (2, 100.0, 700.0, 400.0)
    assert (found.start, found.run, found.seconds_ready, found.seconds_lesson) == (4.0, 18.0, 11.0, 40.0)
    assert rows[-1].what == "a machine for 300"
    assert f"{found.memory(300):.0f} GB" in rows[-1].comment


# The other tools, which need not be there


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a module of a name and attributes into sys.modules."""

    def put(name: str, **attributes: object) -> None:
        module = ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, name, module)

    return put


def beside(tool: others.Tool) -> list[Row]:
    return list(resnet._beside(tool, None, 224, lambda: None, 1, None))  # type: ignore[arg-type]


def test_a_tool_that_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for tool in others.TOOLS:
        (row,) = beside(tool)
        assert row.comment == f"not installed: {tool.install}"
        assert tool.package in row.comment


def test_a_tool_that_breaks_is_reported_and_nothing_else_breaks(fake: Any) -> None:
    def crawl_module(*args: object) -> None:
        raise TypeError("no")

    fake("torchscan", crawl_module=crawl_module)
    (row,) = beside(others.TOOLS[0])
    assert row.comment == "does not run here: TypeError: no"


def test_torch_scan_until_0_1_is_read_at_the_last_row_before_the_pooling(fake: Any) -> None:
    names = [("resnet", 1, 1), ("layer4", 811, 64), ("bn3", 1963, 256), ("avgpool", 3499, 1792), ("fc", 3499, 1792)]
    report = {"layers": [{"name": name, "rf": size, "s": stride} for name, size, stride in names]}
    fake("torchscan", crawl_module=lambda model, shape: report if shape == (3, 224, 224) else None)
    ratio, answer = beside(others.TOOLS[0])
    assert ratio.comment.endswith(" of a pass")
    assert answer.comment == "size 1963, stride 256: it reads the modules as one chain, shortcuts included"


def test_torch_scan_since_0_2_has_no_field_of_the_network(fake: Any) -> None:
    def layer(path: str, size: float) -> dict[str, Any]:
        return {"path": path, "metrics": {"receptive_field": {"value": size, "scope": "module_call"}}}

    report = {"layers": [layer("", 1), layer("layer4.2.conv2", 3), layer("layer4.2.bn3", 1), layer("avgpool", 7)]}
    fake("torchscan", crawl_module=lambda model, shape: report)
    assert "reports a layer's own window, here 1, not the field" in beside(others.TOOLS[0])[1].comment


def test_rfa_toolbox_is_read_at_the_last_node_of_layer4(fake: Any) -> None:
    def node(name: str, smallest: object, largest: object) -> SimpleNamespace:
        return SimpleNamespace(name=name, receptive_field_min=smallest, receptive_field_max=largest)

    nodes = [node("layer4.0", 1, 2), node("layer4.2..28", (11, 11), (427, 427)), node("avgpool", math.inf, math.inf)]
    fake("rfa_toolbox", create_graph_from_pytorch_model=lambda model, input_res: SimpleNamespace(all_layers=nodes))
    assert beside(others.TOOLS[1])[1].comment.startswith("size 427, by the smallest path 11;")


# The command


def group(rows: list[Row], error: Exception | None = None) -> SimpleNamespace:
    def measure(bar: harness.Bar) -> Iterator[Row]:
        yield from rows
        if error:
            raise error

    return SimpleNamespace(TITLE="A title", steps=lambda: 1, measure=measure)


def test_the_named_groups_run_once_each_and_their_rows_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def load(name: str) -> SimpleNamespace:
        asked.append(name)
        return group([Row("rf.analyze", 2.0, "aim: below 1: missed")])

    monkeypatch.setattr(run.importlib, "import_module", load)
    assert run.main(["chains", "import", "chains"]) == 0, "a missed aim is no failure"
    assert asked == ["benchmarks.chains", "benchmarks.importing"]
    out = capsys.readouterr().out
    assert out.count(str(Row("rf.analyze", 2.0, "aim: below 1: missed"))) == 2
    assert out.startswith(harness.machine().split(",")[0])


def test_a_group_that_breaks_is_said_after_its_rows_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = {
        "benchmarks.importing": group([Row("first", 1.0)], ValueError("out of luck")),
        "benchmarks.chains": group([Row("second", 1.0)]),
    }
    monkeypatch.setattr(run.importlib, "import_module", groups.__getitem__)
    assert run.main(["import", "chains"]) == 1
    out = capsys.readouterr().out
    assert out.index("first") < out.index("  broken: ValueError: out of luck") < out.index("second")


def test_an_unknown_group_is_refused_with_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.main(["chain"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    groups = "import, resnet, chains, effective, explorers, grading, hub"
    assert f"there is no group 'chain'; the groups are {groups}" in said


def test_every_group_is_a_file_with_what_the_command_needs() -> None:
    modules = {"import": importing, "resnet": resnet, "chains": chains, "effective": effective, "explorers": explorers}
    modules |= {"grading": grading, "hub": hub}
    assert set(run.GROUPS) == set(modules)
    for name, module in modules.items():
        assert module.__name__ == f"benchmarks.{run.GROUPS[name]}"
        assert module.TITLE
        assert callable(module.steps)
        assert callable(module.measure)


def test_make_bench_calls_the_command() -> None:
    assert "$(GRADER) benchmarks/run.py\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
