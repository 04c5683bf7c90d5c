"""The page: its numbers are those that went in, its questions are those without an answer, nothing is overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rflib import EffectiveReceptiveField
from rflib.errors import ModelError, UnknownNameError
from rflib.experiments import DESIGNS, Capstone, CapstoneRun, Score, conv, fit_capstone, train_capstone
from rflib.experiments.report import REPORT_QUESTIONS, Report, enter_network, write_report
from rflib.experiments.windows import WindowReading

NEEDED = WindowReading("a reader", (9, 27), (0.2, 0.8))
USED = WindowReading("the network", (9, 27, 33), (0.2, 0.7, 0.76))
FIELDS = tuple(EffectiveReceptiveField(np.pad(np.ones((n, n)), 20)) for n in (9, 5))
GOOD = CapstoneRun("mine", 0, 3, 160.0, Score(0.81, 0.92), ())
OTHER = CapstoneRun("depth alone", 0, 15, 5600.0, Score(0.1, 0.89), ())
ALL = {key: f"My answer on {key}." for key in REPORT_QUESTIONS}


def written(run: CapstoneRun = GOOD, **changes: Any) -> Report:
    given: dict[str, Any] = {"needed": NEEDED, "used": USED, "fields": FIELDS, "words": ALL}
    results = Capstone(56, 200, (), (), (run, OTHER))
    return write_report(run.design, [conv(8)], results, **{**given, **changes})


def test_the_numbers_of_the_page_are_those_that_went_in() -> None:
    text = written().text
    assert text.startswith("# Report: mine\n\n**mine meets all requirements.**\n")
    assert "| ink accuracy | at least 0.78 | 0.81 | met |" in text
    assert "| mask IoU | at least 0.85 | 0.92 | met |" in text
    assert "| multiply-adds per pixel | at most 6,500 | 160 | met |" in text
    assert "read by a reader: at least 0.78 of the ink is named right from a window of 27 pixels on" in text
    assert "The field of this network is 3 pixels wide, its coarsest grid has a jump of 1." in text
    assert "| depth alone | 15 | 5,600 | 0.10 | 0.89 | 0 of 1 |" in text
    assert "200 training steps, scenes of 56 x 56 pixels" in text
    # A flat square of n x n has the standard deviation sqrt((n^2 - 1) / 12): 2.58 and 1.41.
    assert "standard deviation of 2.6 pixels before training and of 1.4 after it" in text
    assert "within 0.05 of its best (0.76) from a window of 33 pixels on" in text
    assert all(answer in text for answer in ALL.values())


def test_every_missed_requirement_is_said() -> None:
    poor = CapstoneRun("mine", 0, 3, 160.0, Score(0.7, 0.2), ())
    text = written(poor).text
    assert "**mine misses ink accuracy and mask IoU.**" in text
    assert "| mask IoU | at least 0.85 | 0.20 | MISSED |" in text
    dear = write_report(
        "mine", [conv(40)] * 2, Capstone(56, 200, (), (), (GOOD,)), needed=NEEDED, used=USED, fields=FIELDS
    )
    assert "**mine misses multiply-adds per pixel.**" in dear.text
    blind = written(needed=WindowReading("a reader", (9, 27), (0.2, 0.3)))
    assert "is named right with none of the windows up to 27 pixels" in blind.text


def test_what_has_no_answer_is_asked() -> None:
    report = written(words={"field": "Since 27 are needed.", "limits": "  "})
    assert report.missing == ("design", "surprise", "limits")
    assert "Since 27 are needed." in report.text
    assert REPORT_QUESTIONS["field"] not in report.text
    assert all(f"({key}): {REPORT_QUESTIONS[key]}" in report.text for key in report.missing)
    assert written(words=None).missing == tuple(REPORT_QUESTIONS)
    assert written().missing == ()


def test_it_is_one_page() -> None:
    assert len(written(words=None).text.split()) < 500


def test_a_bar_in_a_name_does_not_break_the_table() -> None:
    run = CapstoneRun("a|b", 0, 3, 160.0, Score(0.81, 0.92), ())
    assert "| a\\|b | 3 |" in written(run).text


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"words": {"why": "x"}}, UnknownNameError, "There is no question of the report 'why'"),
        ({"words": {"field": 3}}, ModelError, "The answer to 'field' must be a text; got 3."),
        ({"words": "It is good."}, ModelError, "`words` must be a dict with the keys field, design, surprise, limits"),
        ({"fields": FIELDS[:1]}, ModelError, "`fields` must be two effective fields"),
    ],
)
def test_what_cannot_be_reported_is_refused(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        written(**changes)


def test_a_run_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no run 'your'\. Nearest: 'mine'"):
        write_report("your", [conv(8)], Capstone(56, 200, (), (), (GOOD,)), needed=NEEDED, used=USED, fields=FIELDS)


def test_saving_leaves_what_is_there(tmp_path: Path) -> None:
    report, path = written(), tmp_path / "report.md"
    assert report.save(path) == path
    assert path.read_text(encoding="utf-8") == report.text + "\n"
    path.write_text("changed by hand", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"exists and was left as it is\. Choose another name"):
        report.save(path)
    assert path.read_text(encoding="utf-8") == "changed by hand"
    report.save(str(path), overwrite=True)
    assert path.read_text(encoding="utf-8") == report.text + "\n"


def test_it_shows_itself_as_markdown() -> None:
    report = written()
    assert report._repr_markdown_() == report.text == repr(report)


def test_a_network_entered_is_scored_as_it_is_among_the_candidates() -> None:
    design = {"mine": DESIGNS["mixed"]}
    trained = train_capstone(design, seeds=(2,), steps=3, progress=False)
    others = train_capstone(["depth alone"], seeds=(2,), steps=3, progress=False)
    model = fit_capstone(DESIGNS["mixed"], seed=2, steps=3, progress=False)
    entered = enter_network(others, "mine", model, seed=2)
    assert entered.runs == (*trained.runs, *others.runs)
    assert enter_network(entered, "mine", model, seed=2) == entered
    with pytest.raises(ModelError, match="`name` must be a text that is not empty"):
        enter_network(others, " ", model)
