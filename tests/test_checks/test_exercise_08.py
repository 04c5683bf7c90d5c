"""What a trained network is worth when it is handed in, right, wrong, and spoiled in every way."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from rflib import experiments as ex
from rflib.checks import catalog, exercise_08
from rflib.checks.checking import check
from rflib.checks.exercise_08 import ACCURACY_ASKED, BUDGET_ASKED, MASK_ASKED
from rflib.experiments.capstone_networks import Stage

from . import bank

TASK = catalog.find("08-network")
SAVE, POOL, UP, JOIN = (Stage(kind) for kind in ("save", "pool", "up", "join"))
DESIGN = (
    *(ex.conv(6), SAVE, POOL, ex.conv(12), POOL),
    *(ex.conv(24), ex.conv(32, dilation=2), ex.conv(24), UP, UP, JOIN),
)
STEPS = 300
RIGHT, WRONG = (bank.submissions(TASK, kind) for kind in ("right", "wrong"))

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Of the solution's design, trained once for all tests here."""
    return dict(ex.fit_capstone(DESIGN, steps=STEPS, progress=False).state_dict())


def handing_in(function: bank.Function, weights: Weights) -> bank.Function:
    return lambda: function(DESIGN, {name: tensor.clone() for name, tensor in weights.items()})


def test_the_bank_is_large_enough() -> None:
    print(f"{TASK.id}: {len(RIGHT)} right, {len(WRONG)} wrong submissions")
    assert len(RIGHT) >= 5
    assert len(WRONG) >= 10


@pytest.mark.parametrize("function", RIGHT.values(), ids=RIGHT)
def test_a_trained_network_gets_every_point(function: bank.Function, weights: Weights) -> None:
    points, text = bank.marked(TASK, handing_in(function, weights), "first")
    assert points == TASK.points, text


def test_other_scenes_come_to_the_same_mark_and_the_check_agrees(weights: Weights) -> None:
    function = handing_in(RIGHT["right_as_the_solution"], weights)
    for seed in ("second", "third"):
        points, text = bank.marked(TASK, function, seed)
        assert points == TASK.points, text
    assert check(TASK.id, function).passed


@pytest.mark.parametrize("function", WRONG.values(), ids=WRONG)
def test_a_wrong_network_loses_points_and_hears_why(function: bank.Function, weights: Weights) -> None:
    points, text = bank.marked(TASK, handing_in(function, weights), "first")
    assert points < TASK.points
    assert (function.__doc__ or "no docstring") in text, text


def raises() -> Any:
    raise ValueError("no idea")


@pytest.mark.parametrize(
    "function",
    [
        raises,
        lambda: None,
        lambda: 0,
        lambda: [],
        lambda: {},
        lambda: "network",
        lambda: True,
        lambda: float("nan"),
        lambda: raises,
        lambda one: one,
        lambda: {"design": [], "weights": {}},
        lambda: {"design": [{}], "weights": {}},
        lambda: {"design": [{"kind": []}], "weights": {}},
        lambda: {"design": None, "weights": None},
        lambda: {"design": [{"kind": "conv", "channels": "many"}], "weights": {}},
        lambda: {"design": [{"kind": "conv", "channels": 10**12}], "weights": {}},
        lambda: {"design": [{"kind": "conv", "channels": float("inf")}], "weights": {}},
        lambda: {"design": [{"kind": "save"}] * 61, "weights": {}},
        lambda: {"design": [{"kind": "conv", "channels": 1, "dilation": 10**6}], "weights": {}},
        lambda: {"accuracy": 1.0, "mask": 1.0},
    ],
)
def test_what_is_no_network_gets_nothing_and_no_exception(function: bank.Function) -> None:
    assert bank.marked(TASK, function, "first")[0] == 0


def plain(design: Any) -> dict[str, Any]:
    """An untrained network of a design."""
    model = ex.CapstoneNetwork(tuple(design))
    found = RIGHT["right_as_the_solution"](design, model.state_dict())
    return dict(json.loads(json.dumps(found)))


def test_four_pools_leave_scenes_that_do_not_come_back() -> None:
    deep = plain([*(POOL,) * 4, ex.conv(4), *(UP,) * 4])
    joined = plain([SAVE, *(POOL,) * 4, ex.conv(4), *(UP,) * 4, JOIN])
    none = plain([*(POOL,) * 6, ex.conv(4), *(UP,) * 6])
    for answer, words in ((deep, "it gives 48 x 48 scores"), (joined, "it fails"), (none, "it fails")):
        for asked in (BUDGET_ASKED, ACCURACY_ASKED, MASK_ASKED):
            assert words in exercise_08.lacks([1, asked], answer)


def test_the_budget_counts_to_the_last_multiply_add() -> None:
    at = [ex.conv(100)]  # 9 * 100 for the layer, 11 * 100 for the last 1 x 1
    assert ex.multiply_adds(at) == exercise_08.BUDGET
    assert "sees 3 pixels" in exercise_08.lacks([1, BUDGET_ASKED], plain(at))
    assert "it costs 2,020" in exercise_08.lacks([1, BUDGET_ASKED], plain([ex.conv(101)]))


def test_the_field_is_the_widest_of_any_unit() -> None:
    from_24 = [*(POOL,) * 2, ex.conv(4), ex.conv(4), UP, UP]
    field = exercise_08.field_of(exercise_08.network_of(plain(from_24)))
    assert exercise_08.lacks([1, BUDGET_ASKED], plain(from_24)) == ""
    assert field >= 24
    assert "a unit sees" in exercise_08.lacks([1, BUDGET_ASKED], plain([*(POOL,) * 2, ex.conv(4), UP, UP]))


def test_measuring_leaves_the_random_numbers_of_the_judge_alone(weights: Weights) -> None:
    answer = json.loads(json.dumps(RIGHT["right_as_the_solution"](DESIGN, weights)))
    state = torch.random.get_rng_state()
    assert exercise_08.lacks([5, ACCURACY_ASKED], answer) == exercise_08.lacks([5, ACCURACY_ASKED], answer)
    assert torch.equal(state, torch.random.get_rng_state())
