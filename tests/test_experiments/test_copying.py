"""The copy task and the comb: accuracy is decided by what a network reads."""

from __future__ import annotations

import math

import pytest

from rflib.experiments import CopyRun, CopyTask, read_comb, run_copy_task


@pytest.mark.parametrize(("kernel_size", "depths"), [(3, (5, 6)), (5, (2, 3))])
def test_accuracy_steps_up_where_the_reach_suffices(kernel_size: int, depths: tuple[int, int]) -> None:
    result = run_copy_task(6, (kernel_size,), depths=depths, progress=False)
    assert [run.reach for run in result.runs] == [depth * (kernel_size // 2) for depth in depths]
    assert result.best_below <= 0.6
    assert result.worst_from >= 0.95


def test_by_default_every_depth_up_to_two_more_than_needed() -> None:
    result = run_copy_task(4, (3, 5), steps=1, progress=False)
    found = [(run.kernel_size, run.depth, run.reach) for run in result.runs]
    assert found == [(3, n, n) for n in range(1, 7)] + [(5, n, 2 * n) for n in range(1, 5)]


def test_a_copy_result_reads_its_own_runs() -> None:
    runs = tuple(
        CopyRun(3, depth, depth, seed, accuracy) for depth, seed, accuracy in [(1, 0, 0.5), (1, 1, 0.52), (2, 0, 0.97)]
    )
    result = CopyTask(2, 100, runs)
    assert result.accuracies(1) == (0.5, 0.52)
    assert (result.best_below, result.worst_from) == (0.52, 0.97)
    assert "at most 0.52" in result.finding
    assert "at least 0.97" in result.finding
    assert result.table()[1] == [[3, 1, 1, "no", "0.50-0.52", 2], [3, 2, 2, "yes", "0.97", 1]]
    assert math.isnan(CopyTask(2, 100, runs[:2]).worst_from)


@pytest.mark.parametrize(
    ("dilations", "read"),
    [((2, 2), (-4, -2, 0, 2, 4)), ((1, 2), (-3, -2, -1, 0, 1, 2, 3)), ((1, 3), tuple(range(-4, 5)))],
)
def test_a_comb_learns_exactly_the_offsets_that_are_read(dilations: tuple[int, ...], read: tuple[int, ...]) -> None:
    # The offsets that sums of one of (-d, 0, d) a layer can make, by brute force.
    sums = {0}
    for d in dilations:
        sums = {s + t for s in sums for t in (-d, 0, d)}
    assert tuple(sorted(sums)) == read
    result = read_comb([dilations], largest=5, steps=200, progress=False)
    (run,) = result.runs
    assert run.reads == read
    assert result.learned(run) == read
    assert all(0.4 < a < 0.6 for o, a in zip(result.offsets, run.accuracy, strict=True) if o not in read)
    assert result.blind(run) == tuple(o for o in range(min(read) + 1, max(read)) if o not in read)
    assert result.as_computed


def test_a_comb_that_was_not_trained_disagrees_with_the_arithmetic() -> None:
    result = read_comb([(1, 2)], largest=4, steps=1, progress=False)
    assert not result.as_computed
    assert "NOT" in result.finding
