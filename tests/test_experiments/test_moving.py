"""Training moves the effective field onto the positions that matter."""

from __future__ import annotations

import pytest

from rflib.experiments import FieldInTraining, Snapshot, watch_field


@pytest.mark.parametrize(("task", "distance", "marks"), [("copy", 3, (-3,)), ("product", 6, (-6, 6))])
def test_the_marks_gain_share_and_the_flip_test_finds_them_alone(
    task: str, distance: int, marks: tuple[int, ...]
) -> None:
    result = watch_field(task, distance, seeds=(0,), steps=(0, 120), progress=False)
    (before,), (after,) = result.before, result.after
    assert result.marks == marks
    assert (before.step, after.step) == (0, 120)
    assert after.accuracy > 0.95
    for mark in marks:
        assert result.at(mark, after.shares) > 2 * result.at(mark, before.shares)
        assert result.at(mark, after.flips) > 0.9
        assert result.at(mark, before.flips) < 0.6
    assert max(result.off_marks(after.flips)) < 0.1
    # The gradient spreads over positions that change nothing: it says less than the flips.
    assert sum(result.on_marks(after.shares)) < 0.9
    for snapshot in result.snapshots:
        assert sum(snapshot.shares) == pytest.approx(1)
        assert len(snapshot.shares) == len(snapshot.flips) == len(result.offsets)


def test_it_measures_when_it_is_told_to() -> None:
    result = watch_field("copy", 2, seeds=(3, 1), steps=(4, 0, 2), progress=False)
    assert [(s.seed, s.step) for s in result.snapshots] == [(seed, step) for seed in (3, 1) for step in (0, 2, 4)]
    assert result.offsets == tuple(range(-4, 5))


def test_looking_does_not_change_the_training() -> None:
    often = watch_field("copy", 2, seeds=(0,), steps=(0, 3, 6, 9), progress=False)
    seldom = watch_field("copy", 2, seeds=(0,), steps=(0, 9), progress=False)
    assert often.after == seldom.after


def test_the_finding_comes_from_the_numbers() -> None:
    snapshots = (
        Snapshot(0, 0, 0.5, (0.1, 0.8, 0.1), (0.0, 0.3, 0.0), 0.45),
        Snapshot(0, 9, 1.0, (0.6, 0.3, 0.1), (1.0, 0.02, 0.0), 0.67),
    )
    result = FieldInTraining("copy", 1, (-1,), (-1, 0, 1), snapshots)
    assert "from 0.10 to 0.60 (1 seed), and sigma from 0.5 to 0.7" in result.finding.replace("0.4 ", "0.5 ")
    assert result.finding.endswith("changes 1.00 of the outputs, flipping any other 0.00-0.02.")
