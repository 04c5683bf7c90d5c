"""From answers to marks: by property, with the mistake's name; no answer can break the judge."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflib.checks.plain import answer
from rflib.grading import asking, cleaning, judging, records
from rflib.grading.records import Record, RecordError, TaskMark
from tests.test_grading import tasks

SIZE = tasks.find("91-size")


def answered(function: Any, seed: str = "seed") -> TaskMark:
    drawn = SIZE.draw(seed)
    return judging.mark(SIZE, drawn, [[answer(function, inputs) for inputs in each] for each in drawn])


def test_right_answers_get_all_points() -> None:
    made = answered(tasks.size)
    assert (made.points, made.of, made.reason) == (3, 3, "all answers are right")
    assert made.brief() == "all answers are right"


def test_a_known_mistake_is_named_and_costs_its_property_only() -> None:
    for seed in "abcdef":
        made = answered(tasks.no_stride, seed)
        assert [each.points for each in made.properties] == [1, 0]
        assert made.properties[1].mistake.startswith("You leave the strides out.")
        assert "strides multiply the jump: 0 of 2" in made.reason


def test_the_same_error_everywhere_is_said_once() -> None:
    made = answered(lambda layers: 1 / 0)
    assert made.brief() == "gave ZeroDivisionError: division by zero"
    record = Record(
        "91_tiny", "ann", "seed", [made, TaskMark("91-jump", 0, 2, "gave ZeroDivisionError: division by zero")]
    )
    assert record.line() == "ann: 0 of 5. 91-size, 91-jump: gave ZeroDivisionError: division by zero."


def test_a_judge_that_fails_says_so_and_does_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(tasks.Written, "judge", fail)
    assert answered(tasks.size).reason == f"{judging.FAILED} (KeyError: 'bug')"


def test_a_judge_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(judging, "SECONDS", 1)
    monkeypatch.setattr(tasks.Written, "judge", hang)
    assert answered(tasks.size).reason == "comparing the answers took longer than 1 seconds"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["answer", "error", "x"]), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_a_kernel_hands_out_ends_in_a_number_with_a_reason(handed: Any) -> None:
    for answers in (handed, [handed, handed], [[{"answer": handed}] * 9] * 2):
        made = judging.mark(SIZE, SIZE.draw("seed"), answers)
        assert made.points in range(4)
        assert made.reason
        assert judging.FAILED not in made.reason


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        ([], "the question was not answered"),
        ([{"output_type": "error", "ename": "A", "evalue": "b"}], "the question was not answered (A: b)"),
        ([{"output_type": "display_data", "data": {asking.MIMETYPE: "{"}}], "the answers could not be read"),
        ([{"output_type": "display_data", "data": {asking.MIMETYPE: [1]}}], "the answers could not be read"),
        ([{"output_type": "display_data", "data": {asking.MIMETYPE: "[" * 10**6}}], "the answers could not be read"),
        (
            [{"output_type": "display_data", "data": {asking.MIMETYPE: '{"points": 5}'}}],
            "the answers could not be read",
        ),
        ([{"output_type": "display_data", "data": 3}], "the question was not answered"),
    ],
)
def test_why_there_are_no_answers(outputs: list[dict[str, Any]], why: str) -> None:
    assert asking.answers(outputs) == (None, why)


def test_the_asking_cell_holds_inputs_and_no_expectation() -> None:
    drawn = SIZE.draw("seed")
    source = asking.cell(SIZE, drawn)
    ast.parse(source)
    assert json.dumps(drawn) in source
    assert "no_stride" not in source
    assert "truth" not in source


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record("91_tiny", "ann", "seed", [answered(tasks.no_stride)], ["a remark"], {"id": "Ann"}, {"python": "3"})
    record.write(tmp_path / "deep" / "001.json")
    assert records.read(tmp_path / "deep" / "001.json") == record
    assert record.inputs() == {"91-size": SIZE.draw("seed")}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["001.json"]


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "001.json").write_text("{}")
    with pytest.raises(RecordError, match=r"001.json' holds no record of a grading: KeyError: 'tasks'\."):
        records.read(tmp_path / "001.json")


def test_outputs_are_cut_and_lose_what_a_browser_would_run() -> None:
    found = cleaning.outputs(
        [
            {"output_type": "stream", "name": "stdout", "text": "x" * 30_000},
            {"output_type": "display_data", "data": {"text/html": "<b>", "text/plain": "late"}},
        ]
    )
    assert [output.output_type for output in found] == ["stream"]
    assert found[0].text.endswith("... cut here, 30,000 characters in all")
    kept = cleaning.outputs(
        [
            {"output_type": "display_data", "data": {"text/html": "<b>", "text/plain": "a", "image/svg+xml": "<svg>"}},
            {"output_type": "display_data", "data": {"image/png": "aGk=", "image/jpeg": "<script>"}},
            {"output_type": "display_data", "data": {"text/html": "<b>"}},
            {"output_type": "error", "ename": "E", "evalue": "\x1b[31mv\x1b[0m", "traceback": "no list"},
            {"output_type": "stream", "text": 3},
        ]
    )
    assert [dict(output.get("data", {})) for output in kept] == [{"text/plain": "a"}, {"image/png": "aGk="}, {}, {}]
    assert kept[2].evalue == "v"


@given(st.text(max_size=60))
def test_no_tag_beyond_the_harmless_ones_survives_in_markdown(text: str) -> None:
    for attack in ("<script>", "<img src=x onerror=alert(1)>", "<iframe>", "<a href='javascript:1'>", "<svg/onload=1>"):
        cleaned = cleaning.markdown(text + attack + text).lower()
        assert not any(f"<{tag}" in cleaned for tag in ("script", "img", "iframe", "a ", "svg"))
    assert "data:" not in cleaning.markdown(f"{text} [x](data:text/html,1) [y]( <data:1>)\n\n[z]: data:2")
    assert "javascript:" not in cleaning.markdown("[x](JaVaScript:alert(1)) [y]( <javascript:1>)").lower()
