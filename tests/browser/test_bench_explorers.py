"""The benchmark of the explorers runs: an explorer that JavaScript answers, and one that Python does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser

from benchmarks import explorers

from .explorers import EXPLORERS


@pytest.mark.needs("chromium")
def test_each_press_is_timed_until_the_picture_has_changed(chromium: Browser) -> None:
    moved: list[int] = []
    bar: Any = SimpleNamespace(update=lambda n=1: moved.append(n))
    cases = [case for case in explorers.CASES if case.name in ("stack", "poke")]
    rows = list(explorers.measure(bar, presses=4, cases=cases, browser=chromium))
    assert [row.what for row in rows] == ["stack", "poke"]
    assert all(row.seconds and row.seconds > 0 for row in rows)
    assert sum(moved) == explorers.steps(cases=cases) == 2


def test_every_explorer_is_timed() -> None:
    timed = {case.source for case in explorers.CASES}
    assert {name for name, source in EXPLORERS.items() if source not in timed} == {"overlay", "question"}
    assert any("rf.Overlay(" in source for source in timed)
