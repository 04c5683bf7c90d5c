"""A notebook made live: its explorers' state, the answers it takes along, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

import rflib as rf
from rflib.questions import bank
from rflib.questions.record import Journal
from rflib.questions.session import Session
from rflib.widgets.question import QuestionWidget
from tools.publishing import live as publishing
from tools.publishing.live import STATE, VIEW, LiveError, live, scripts, styles

PREPARE = "import rflib as rf\nwide = 3"
TRAIN = "raise SystemExit('this need not run')"
SHOW = "rf.StackExplorer([rf.Layer(wide), rf.Layer(3, stride=2)], input_size=20)"
ASK = 'rf.ask("03-order")'


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is kept."""
    monkeypatch.setattr(publishing, "KEPT", tmp_path / "live")
    return tmp_path / "live"


def picture_of(source: str) -> list[nbformat.NotebookNode]:
    """The saved output of a cell: the words of its picture."""
    question = QuestionWidget(Session(bank.find("03-order"), Journal(Path("nowhere", "answers.jsonl"))))
    explorer = question if source == ASK else eval(source, {"rf": rf, "wide": 3})
    return [nbformat.v4.new_output("display_data", {"text/plain": repr(explorer.picture())})]


def saved(folder: Path, *sources: str, **outputs: list[nbformat.NotebookNode]) -> Path:
    made = [nbformat.v4.new_code_cell(s, id=f"cell-{n}", execution_count=n + 1) for n, s in enumerate(sources)]
    for cell in made:
        cell.outputs = outputs.get(cell.id.replace("-", "_"), [])
    path = folder / "a_lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def test_explorer_and_question_are_live_and_the_rest_does_not_run(tmp_path: Path) -> None:
    path = saved(tmp_path, PREPARE, TRAIN, SHOW, ASK, cell_2=picture_of(SHOW), cell_3=picture_of(ASK))
    made = live(path)
    state = made.metadata["widgets"][STATE]["state"]
    shown = [cell.outputs[0]["data"][VIEW]["model_id"] for cell in made.cells[2:]]
    assert [state[model]["model_module"] for model in shown] == ["anywidget", "anywidget"]
    assert state[shown[0]]["state"]["_esm"] == 'export default (await globalThis.rflibScript("stack")).default;'
    assert "_css" not in state[shown[0]]["state"]
    assert len(state) == 4  # two explorers, two layouts
    assert [cell.outputs for cell in made.cells[:2]] == [[], []]
    assert [output["output_type"] for output in made.cells[2].outputs] == ["display_data"] * 2
    assert state[shown[1]]["state"]["_recording"]  # what the question answers without Python
    assert state[shown[0]]["state"]["_recording"] == {}  # the stack knows it all
    assert state[shown[1]]["state"]["view"]["phase"] == "open"


def test_a_second_build_is_the_same_and_runs_nothing(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, PREPARE, SHOW, cell_1=picture_of(SHOW))
    first = nbformat.writes(live(path))
    assert [file.stem.rpartition("-")[0] for file in kept.glob("*.ipynb")] == ["a_lesson"]
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_run", None)
        assert nbformat.writes(live(path)) == first
    for file in kept.glob("*.ipynb"):
        file.unlink()
    assert nbformat.writes(live(path)) == first


def test_learner_s_own_answers_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = tmp_path / "my_answers.jsonl"
    monkeypatch.setenv("RFLIB_ANSWERS", str(answers))
    live(saved(tmp_path, PREPARE, ASK, cell_1=picture_of(ASK)))
    assert not answers.exists()
    assert not list(tmp_path.rglob("no_answers.jsonl"))


def test_notebook_without_explorers_is_as_it_was(tmp_path: Path) -> None:
    path = saved(tmp_path, PREPARE, TRAIN)
    assert live(path) == nbformat.read(path, as_version=4)


def test_cell_that_shows_something_else_is_refused_in_words(tmp_path: Path) -> None:
    other = picture_of(SHOW.replace("rf.Layer(wide), ", ""))
    with pytest.raises(LiveError, match=r"Cell 'cell-1' of a_lesson.ipynb shows something else .* `make notebooks`\."):
        live(saved(tmp_path, PREPARE, SHOW, cell_1=other))


def test_cell_that_fails_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(
        LiveError, match=r"A cell of a_lesson.ipynb that an explorer needs does not run: NameError: .*no_such_name"
    ):
        live(saved(tmp_path, "import rflib as rf\nwide = no_such_name", SHOW, cell_1=[]))


def test_scripts_and_styles_are_those_of_all_explorers() -> None:
    names = "branches dilation erf game growth overlay poke question stack".split()
    assert list(scripts()) == names
    assert all("export default" in text for text in scripts().values())
    assert all(f".rflib-{name}" in styles() for name in ("stack", "overlay", "question", "explorer"))


def test_saved_state_is_plain_json(tmp_path: Path) -> None:
    made = live(saved(tmp_path, PREPARE, SHOW, cell_1=picture_of(SHOW)))
    assert json.loads(json.dumps(made.metadata["widgets"])) == made.metadata["widgets"]
