"""The design game in Python, its record on the disk, and its JavaScript against Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import rflib as rf
from rflib.design import Requirements, assess, cheapest
from rflib.widgets.game import DesignGame
from rflib.widgets.game_rounds import ROUNDS

from . import cases_growth
from .test_growth import passed, run_node

SEVEN = [rf.Layer(3, padding=1)] * 7


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of answers."""
    path = tmp_path / "answers.jsonl"
    monkeypatch.setenv("RFLIB_ANSWERS", str(path))
    return path


@pytest.mark.needs("node")
def test_the_javascript_judges_as_python_does(tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases_growth.write(cases)
    done = run_node("game.test.js", cases)
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert passed(done.stdout) == passed(run_node("game.test.js", None).stdout) + 2
    text = cases.read_text(encoding="utf-8")
    cases.write_text(text.replace('"score": 100', '"score": 99', 1), encoding="utf-8")
    broken = run_node("game.test.js", cases)
    assert broken.returncode != 0
    assert "not ok 1 - what is met" in broken.stdout


@pytest.mark.parametrize("a_round", ROUNDS, ids=lambda a_round: a_round.name)
def test_every_round_can_be_solved_and_is_not_solved_at_the_start(a_round: object) -> None:
    wanted = a_round.requirements
    game = DesignGame(name=a_round.name, keep=False)
    assert not game.solved
    assert game.score == 0
    found = cheapest(wanted)
    assert found.proven  # so "no allowed stack is cheaper" holds for any depth
    game.design = found.best
    assert (game.score, game.best.score, game.solved) == (100, 100, True)
    assert len(found.best.layers) < wanted.most_layers or wanted.most_layers == 8
    # worth a budget: the naive stack of equal layers does not keep within it
    naive = [rf.Layer(3, padding=1)] * wanted.most_layers
    assert a_round.name == "Small steps" or not assess(naive, wanted).met


def test_rounds_get_harder() -> None:
    sizes = [a_round.requirements.field for a_round in ROUNDS]
    assert 3 <= len(ROUNDS) <= 5
    assert sizes[0] == min(sizes)
    assert sizes[-1] == max(sizes)


def test_layers_both_ways() -> None:
    game = DesignGame(name="Everything at once", keep=False)
    game.layers = [rf.Layer(2, 2), rf.Layer(3, padding=1), rf.Layer(3, padding=2, dilation=2, name="separable")]
    assert [layer.name for layer in game.layers] == ["pool 1", "conv 2", "separable 3"]
    assert game.design.kinds == ("pool", "conv", "separable")
    before = game.stacks
    game.layers = game.layers
    assert game.stacks == before
    rows = [list(row) for row in game.stacks[4]]
    assert rows == [[2, 2, 1, "pool"], [3, 1, 1, "conv"], [3, 1, 2, "separable"]]
    # from the browser
    game.set_state({"stacks": [*map(list, before[:4]), rows[:2]]})
    assert [layer.kernel_size for layer in game.layers] == [2, 3]
    assert rf.receptive_field(game.layers).size == game.design.field.size == 6
    assert game.design.cost == rf.stack_cost(game.layers, 32, 128, pooling=["pool 1"])
    game.layers = []
    assert (game.design, game.assessment, game.score) == (None, None, 0)
    assert repr(game) == "DesignGame, round 'Everything at once': no layers yet. Score 0, nothing solved yet."


def test_the_best_is_kept_while_worse_ones_come() -> None:
    game = DesignGame(keep=False)
    game.layers = SEVEN
    game.layers = [rf.Layer(5, padding=2), *SEVEN[:5]]
    assert (game.score, game.best.score) == (90, 100)
    assert game.best.design.layers[0].kernel_size == 3
    game.level = 1
    assert (game.best, game.solved) == (None, False)


def test_show_me_gives_up() -> None:
    game = DesignGame(name="Small steps", keep=False)
    game.layers = [rf.Layer(5, padding=2), *SEVEN[:5]]
    shown = game.show_solution()
    assert assess(shown, game.requirements).score == 100
    assert [len(rows) for rows in game.shown_stacks] == [7, 0, 0, 0, 0]
    game.design = shown
    assert (game.score, game.best.score, game.given_up, game.solved) == (100, 90, True, True)
    assert repr(game).endswith("Score 100, best so far 90, given up.")
    game.level = 1
    assert not game.given_up
    game._receive(None, {"action": "show"}, None)
    assert game.given_up
    assert not game.solved


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    game = DesignGame(keep=False)
    before = game.stacks
    wrong = {
        "Layer 1 is conv with kernel_size 4, stride 1, dilation 1; round 'Small steps' allows conv with kernel_size "
        "3/5/7, stride 1, dilation 1.": [rf.Layer(4, padding=(1, 2))],
        "Layer(3): the game pads by its rule; the padding must be 2 in all, 1 on the left and 1 on the right.": [
            rf.Layer(3)
        ],
        "Round 'Small steps' allows at most 8 layers; got 9.": [rf.Layer(3, padding=1)] * 9,
    }
    for message, layers in wrong.items():
        with pytest.raises(rf.ReceptiveFieldError) as caught:
            game.layers = layers
        assert str(caught.value) == message
    for value in (5, [[]], [[[3, 1, 1]]] * 5, [[[3, 1, True, "conv"]]] * 5, [["conv"]] * 5, ["", "", "", "", 3]):
        with pytest.raises(rf.ReceptiveFieldError):
            game.stacks = value
    with pytest.raises(rf.ModelError, match="`level` must be an integer from 0 to 4; got 5"):
        game.level = 5
    with pytest.raises(rf.ModelError, match="`design` must be a Design"):
        game.design = SEVEN
    assert (game.stacks, game.level) == (before, 0)
    # a browser that claims a best that is none
    game.set_state({"best_stacks": [[[3, 1, 1, "conv"]], [], [], [], []]})
    assert "does not solve it: The field is 3 input positions; at least 15 are wanted." in game.problem
    assert game.best is None
    game.set_state({"stacks": [[[9, 1, 1, "conv"]], [], [], [], []]})
    assert game.problem.startswith("Layer 1 is conv with kernel_size 9")
    assert game.stacks == before


def test_a_round_that_one_layer_would_solve_begins_empty() -> None:
    game = DesignGame(Requirements(3), keep=False)
    assert (game.layers, game.score, game.solved, game.best) == ([], 0, False, None)
    assert "no layers yet" in repr(game)
    game.layers = SEVEN[:1]
    assert (game.score, game.solved, game.best.score) == (100, True, 100)
    pools = DesignGame(Requirements(2, convolutions=(), pools=(2, 3), by="multiply_adds"), keep=False)
    assert (pools.layers, pools.solved) == ([], False)


NAN = float("nan")


@pytest.mark.parametrize(
    "stacks",
    [
        [], (), None, NAN, {}, "abcde", b"abcde", [[]], [[]] * 6, [None] * 5, [[None]] * 5, [[[NAN, 1, 1, "conv"]]] * 5,
        [[[3, 1, 1, NAN]]] * 5, [[[3, 1, 1, ["conv"]]]] * 5, [[[3, 1, 1, {}]]] * 5,
    ],
    ids=repr,
)  # fmt: skip
def test_stacks_that_are_none_are_refused_before_they_count(stacks: object) -> None:
    game = DesignGame(keep=False)
    before, said = game.stacks, repr(game)
    seen: list[object] = []
    game.observe(lambda change: seen.append(change["new"]), "stacks")
    with pytest.raises(rf.ReceptiveFieldError) as caught:
        game.stacks = stacks
    assert str(caught.value).endswith(".")
    game.set_state({"stacks": stacks})
    assert game.problem == str(caught.value)
    assert (game.stacks, repr(game), seen) == (before, said, [])
    game.set_state({"best_stacks": stacks})
    assert game.problem
    assert game.best is None


@pytest.mark.parametrize("layers", [3, None, NAN, rf.Layer(3)], ids=repr)
def test_what_is_no_list_of_layers_is_refused(layers: object) -> None:
    game = DesignGame(keep=False)
    with pytest.raises(
        rf.ModelError, match=r"^`layers` must be a list of layers, such as \[Layer\(3, padding=1\)\]; got"
    ):
        game.layers = layers
    assert len(game.layers) == 1


def test_a_map_that_is_too_small_is_refused() -> None:
    wanted = Requirements(9, pools=(2,), input_size=4, most_layers=6)
    game = DesignGame(wanted, keep=False)
    with pytest.raises(rf.LayerError, match="needs 2 positions; its input has 1"):
        game.layers = [rf.Layer(2, 2)] * 3
    assert len(game.layers) == 1


def test_requirements_of_your_own() -> None:
    game = DesignGame(Requirements(9, convolutions="separable", channels=8), "mine", keep=False)
    assert game.rounds[0]["name"] == "mine"
    assert game.rounds[0]["least"] == cheapest(game.requirements).best.cost.parameters
    game.layers = SEVEN[:4]
    assert game.design.kinds == ("separable",) * 4
    assert game.solved
    with pytest.raises(rf.NoSingleAnswerError, match="No stack of at most 2"):
        DesignGame(Requirements(99, most_layers=2), keep=False)
    with pytest.raises(rf.ModelError, match="can grow beyond 2"):
        DesignGame(Requirements(9, channels=10**6), keep=False)
    with pytest.raises(rf.ModelError, match="`requirements` must be Requirements"):
        DesignGame({"field": 9}, keep=False)
    with pytest.raises(rf.UnknownNameError, match=r"There is no round 'Small step'. Nearest: 'Small steps'"):
        DesignGame(name="Small step", keep=False)


def test_the_best_is_on_the_disk_and_comes_back(record: Path) -> None:
    game = DesignGame()
    assert not record.exists()
    game.layers = [rf.Layer(5, padding=2), *SEVEN[:5]]
    game.layers = SEVEN
    game.layers = [rf.Layer(5, padding=2), *SEVEN[:5]]
    assert game.note == f"Kept in {record}"
    assert len(record.read_bytes().splitlines()) == 2  # only what was better
    again = DesignGame()
    assert (again.best.score, again.solved) == (100, True)
    assert len(again.layers) == 1  # the stack itself begins anew
    other = DesignGame(Requirements(9), "Small steps")
    assert other.best is None  # other requirements, another round


def test_giving_up_is_remembered_with_the_best_before_it(record: Path) -> None:
    game = DesignGame()
    game.layers = [rf.Layer(5, padding=2), *SEVEN[:5]]
    game.show_solution()
    game.show_solution()
    game.layers = SEVEN
    assert len(record.read_bytes().splitlines()) == 2
    again = DesignGame()
    assert (again.given_up, again.best.score) == (True, 90)


def test_a_damaged_file_loses_nothing(record: Path) -> None:
    DesignGame().layers = SEVEN
    kept = record.read_bytes()
    forged = kept.replace(b"[3, 1, 1,", b"[9, 1, 1,")
    record.write_bytes(b"\xff\xfe garbage\n" + kept + forged + kept.replace(b'"stack": ', b'"stock": ') + kept[:40])
    damaged = record.read_bytes()
    game = DesignGame()
    assert game.best.score == 100
    assert game.note == f"{record}: 2 of its lines cannot be read and are left as found."
    game.level = 2
    game.layers = [rf.Layer(3, padding=rate, dilation=rate) for rate in (1, 1, 4, 8, 8)]
    assert record.read_bytes().startswith(damaged)
    again = DesignGame(name="Sharp and without holes")
    assert again.best.score == 100
    again.level = 0
    assert again.best.score == 100


def test_a_disk_that_cannot_be_written_is_no_end_of_the_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFLIB_ANSWERS", str(tmp_path))
    game = DesignGame()
    game.layers = SEVEN
    assert game.best.score == 100
    assert game.note.startswith("This is not kept on the disk: ")


def test_the_picture_says_how_the_stack_stands() -> None:
    game = DesignGame(keep=False)
    assert "Missed: The field is 3 input positions; at least 15 are wanted. Score 0." in game.picture().alt
    game.layers = SEVEN
    alt = game.picture().alt
    assert "sees 15 input positions" in alt
    assert alt.endswith(
        "The parameters are 64,736; at most 80,000 are allowed. Every layer is one of the allowed ones. Score 100."
    )
    game.layers = []
    assert game.picture().alt.endswith("The stack has no layers yet.")
