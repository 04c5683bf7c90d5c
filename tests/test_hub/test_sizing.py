"""The size of machine: the arithmetic, and what the guide says of it."""

from __future__ import annotations

import re

import pytest

from hub import sizing
from hub.settings import COURSE
from hub.sizing import Measured

ROUND = Measured(users=5, hub=100, proxy=100, idle=100, lesson=800, shared=800, start=5, run=25)


def test_memory_is_the_systems_the_hubs_what_is_shared_once_and_what_each_has() -> None:
    assert ROUND.memory(0) == pytest.approx(1.6 * (1024 + 200 + 800) / 1024)
    assert ROUND.memory(30) - ROUND.memory(0) == pytest.approx(1.6 * 30 * 800 / 1024)


def test_processors_are_what_all_take_over_the_time_that_they_wait() -> None:
    assert ROUND.wanted(30) == pytest.approx(30 * 30 / 300)


@pytest.mark.parametrize(("wanted", "size"), [(0.5, 2), (2, 2), (2.1, 4), (33, 48), (1000, 1024), (1025, 1025)])
def test_a_machine_is_as_large_as_they_are_sold(wanted: float, size: int) -> None:
    assert sizing.sold(wanted) == size


def test_the_table() -> None:
    assert sizing.table(ROUND, [30])[-1] == "| 30 | 41 GB | 3.0 | 4 processors, 48 GB |"


def test_the_spare_is_enough_for_the_largest_lesson_that_the_lecturers_guide_tells() -> None:
    text = (COURSE / "INSTRUCTORS.md").read_text(encoding="utf-8")
    table = re.search(r"\| Lessons \| MiB \|.*?\n((?:\|.*\n)+)", text)[1]  # type: ignore[index]
    rows = dict(re.findall(r"^\| ([\d, ]+) \| (.*?) \|", table, re.MULTILINE))
    largest = max(int(figure.replace(",", "")) for row in rows.values() for figure in re.findall(r"[\d,]+", row))
    assert largest > int(rows["00"])
    assert largest / int(rows["00"]) <= sizing.SPARE


def test_more_users_never_need_less() -> None:
    found = [(ROUND.memory(n), ROUND.wanted(n)) for n in range(0, 400, 7)]
    assert found == sorted(found)


def between(name: str) -> str:
    text = (COURSE / "hub" / "README.md").read_text(encoding="utf-8")
    return re.search(rf"<!-- {name}: begin -->\n(.*?)\n<!-- {name}: end -->", text, re.DOTALL)[1]  # type: ignore[index]


def test_the_guide_shows_what_was_measured_and_what_follows() -> None:
    measured = sizing.read()
    assert between("sizes").splitlines() == sizing.table(measured, [30, 300])
    assert between("measured").splitlines() == sizing.figures(measured)
    assert measured.users == 5
    assert 0 < measured.idle < measured.lesson


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert sizing.main(["12"]) == 0
    assert capsys.readouterr().out.splitlines() == sizing.table(sizing.read(), [12])
