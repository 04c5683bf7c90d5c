"""How far each way gets for a budget, against trying every number of steps."""

from __future__ import annotations

import pytest

from rflib.design import WAYS, growth
from rflib.design.affording import growth_within
from rflib.errors import LayerError, ModelError, NoSingleAnswerError, UnknownNameError


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", ["parameters", "multiply_adds"])
@pytest.mark.parametrize(("budget_of", "channels"), [(1, 64), (3, 64), (3, 8), (5, 16)])
def test_one_step_more_is_not_paid_for_or_gains_nothing(way: str, by: str, budget_of: int, channels: int) -> None:
    budget = getattr(growth("depth", budget_of, channels, 64)[-1].cost, by)
    try:
        found = growth_within(way, budget, by, channels, 64)
    except NoSingleAnswerError:
        assert getattr(growth(way, 1, channels, 64)[-1].cost, by) > budget
        return
    assert found.way == way
    assert [str(design) for design in found] == [str(design) for design in growth(way, len(found), channels, 64)]
    assert all(getattr(design.cost, by) <= budget for design in found)
    if found[-1].field.size >= 2 * 64 - 1:
        assert len(found) == 1 or found[-2].field.size < 2 * 64 - 1
        return
    try:
        more = growth(way, len(found) + 1, channels, 64)[-1]
    except LayerError:  # nothing is left to pool
        assert way == "pooling"
        return
    assert getattr(more.cost, by) > budget


def test_a_budget_that_pays_for_exactly_one_step_pays_for_it() -> None:
    price = growth("depth", 1)[-1].cost.parameters
    assert len(growth_within("depth", price)) == 1
    with pytest.raises(NoSingleAnswerError, match=r"The first step of 'depth' costs more parameters than the budget"):
        growth_within("depth", price - 1)


def test_pooling_ends_where_the_map_ends() -> None:
    found = growth_within("pooling", 10**15, "multiply_adds", input_size=8)
    assert found[-1].output_size == 1 or found[-1].field.size >= 15


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UnknownNameError, match="way to grow"):
        growth_within("hope", 10)
    with pytest.raises(UnknownNameError, match="cost"):
        growth_within("depth", 10, "money")
    with pytest.raises(ModelError, match=r"`budget` must be an integer >= 0; got -1\."):
        growth_within("depth", -1)
