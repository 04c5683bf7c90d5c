"""The puzzle of the two signs: what trains, what does not, and what the runs say about each explanation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rflib.experiments import VARIANTS, PuzzleRun, SignPuzzle, Variant, solve_sign_puzzle

CONTROLS = ["He, 12 layers", "He, weights made small", "He, weights and steps made small"]


@pytest.fixture(scope="module")
def controls() -> SignPuzzle:
    return solve_sign_puzzle(variants=CONTROLS, steps=250, progress=False)


def test_the_same_function_learns_or_not_by_the_size_of_the_steps(controls: SignPuzzle) -> None:
    he, small, matched = controls.runs
    assert (he.learned, small.learned, matched.learned) == (True, False, True)
    assert small.accuracy < 0.6
    assert small.steps == 250 > max(he.steps, matched.steps)


def test_the_controls_start_alike(controls: SignPuzzle) -> None:
    he, small, matched = controls.runs
    for other in (small, matched):
        assert other.field == he.field == 25
        assert other.share_at_marks == pytest.approx(he.share_at_marks, rel=1e-2)
        assert other.share_at_center == pytest.approx(he.share_at_center, rel=1e-2)
        assert other.gradient == pytest.approx(he.gradient, rel=1e-2)
        assert other.switching_at_start == pytest.approx(he.switching_at_start, abs=0.13)


def test_the_relus_of_the_one_that_fails_stop_switching(controls: SignPuzzle) -> None:
    he, small, matched = controls.runs
    assert small.switching_early < 0.4
    assert min(he.switching_early, matched.switching_early) > 0.5


def test_a_plain_stack_stays_at_chance_and_dilations_and_a_wide_kernel_do_not() -> None:
    names = ["plain, 6 layers", "dilations 1, 2, 4", "one kernel of 13"]
    plain, dilated, wide = solve_sign_puzzle(variants=names, steps=200, progress=False).runs
    assert (plain.field, dilated.field, wide.field) == (13, 15, 13)
    assert plain.accuracy < 0.6
    assert dilated.accuracy > 0.95
    assert wide.accuracy > 0.95
    assert plain.gradient < 0.1 * dilated.gradient


def test_batch_norm_makes_the_twelve_layers_learn() -> None:
    (run,) = solve_sign_puzzle(variants="batch norm, 12 layers", steps=300, progress=False).runs
    assert run.learned
    assert run.switching_at_start > 0.9


def test_a_small_output_has_a_small_gradient() -> None:
    he, small = solve_sign_puzzle(variants=["He, 12 layers", "He, output made small"], steps=1, progress=False).runs
    assert small.gradient == pytest.approx(he.gradient * 6 ** (-13 / 2), rel=1e-3)
    assert small.share_at_marks == pytest.approx(he.share_at_marks, rel=1e-3)


def made_up(**accuracy: float) -> SignPuzzle:
    """A result whose runs have the given accuracy; the ReLUs of a run that failed have stopped switching."""
    names = {
        "plain": "plain, 12 layers",
        "norm": "batch norm, 12 layers",
        "he": CONTROLS[0],
        "small": CONTROLS[1],
        "matched": CONTROLS[2],
    }
    run = PuzzleRun("", 0, 25, 0.05, 0.1, 1.0, 0.5, 0.5, 0.5, 600)
    runs = [
        replace(run, variant=names[key], accuracy=value, switching_early=0.6 if value > 0.9 else 0.0)
        for key, value in accuracy.items()
    ]
    return SignPuzzle(6, 600, tuple(runs))


def verdicts(result: SignPuzzle) -> list[bool | None]:
    return [verdict.survives for verdict in result.verdicts()]


def test_runs_as_the_story_has_them_leave_one_explanation() -> None:
    result = made_up(plain=0.5, norm=1, he=1, small=0.5, matched=1)
    assert verdicts(result) == [False] * 5 + [True]
    assert "Survives: the steps of the optimizer" in result.finding
    assert [row[1] for row in result.verdict_table()[1]] == ["ruled out"] * 5 + ["survives"]


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        ({"plain": 0.5, "norm": 0.5, "he": 0.5, "small": 0.5, "matched": 0.5}, [True] * 5 + [False]),
        ({"plain": 1, "norm": 1, "he": 1, "small": 1, "matched": 1}, [True] * 5 + [False]),
        ({"plain": 0.5, "norm": 1, "he": 1, "small": 0.5, "matched": 0.5}, [False] * 4 + [True, False]),
        ({"he": 1}, [None] * 6),
    ],
)
def test_where_the_runs_disagree_the_story_changes(accuracy: dict[str, float], expected: list[bool | None]) -> None:
    assert verdicts(made_up(**accuracy)) == expected


def test_relus_that_switch_where_nothing_is_learned_end_the_survivor() -> None:
    result = made_up(he=1, small=0.5, matched=1)
    lively = tuple(replace(run, switching_early=0.6) for run in result.runs)
    assert verdicts(result)[-1] is True
    assert verdicts(replace(result, runs=lively))[-1] is False


def test_a_variant_of_one_s_own() -> None:
    result = solve_sign_puzzle(2, {"mine": Variant((1, 1))}, steps=200, progress=False)
    assert result.learned("mine") == (1, 1)
    assert result.table()[1][0][:2] == ["mine", 5]


def test_every_variant_reaches_the_marks() -> None:
    assert all(variant.build().reach >= 6 for variant in VARIANTS.values())
