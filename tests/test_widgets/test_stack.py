"""The stack explorer's Python side, and that the browser's side says the same."""

from __future__ import annotations

import json
import math
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import rflib as rf
from rflib.widgets import stack_state
from rflib.widgets.base import joined
from rflib.widgets.presets import PRESETS
from rflib.widgets.stack import StackExplorer
from rflib.widgets.stack_task import StackTask
from tools import preflight

from .cases import a_layer

ROOT = Path(__file__).resolve().parents[2]
WIDGETS = ROOT / "rflib" / "widgets"
SAME3 = rf.Layer(3, padding=1)


def where(explorer: StackExplorer) -> tuple[int, int]:
    return explorer.level, explorer.unit


def messages_of(explorer: StackExplorer, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is sent to the browser from now on."""
    sent: list[Any] = []
    monkeypatch.setattr(explorer, "send_state", lambda key=None: sent.append(key))
    return sent


# ------------------------------------------------------------------------------------------------------ moved in Python


def test_it_opens_at_the_middle_unit_of_the_last_layer() -> None:
    explorer = StackExplorer([rf.Layer(3, stride=2), SAME3], input_size=21)
    assert where(explorer) == (2, 5)
    assert explorer.receptive_field == rf.receptive_field([rf.Layer(3, stride=2), SAME3])
    assert (explorer.preset, explorer.show) == ("", ["recursion", "closed form", "effective"])


def test_layers_keep_their_names_and_kinds_follow_them() -> None:
    layers = (rf.Layer(7, 2, 3, name="conv1"), rf.Layer(3, 2, (0, 1), name="MaxPool_1a"), rf.Layer(3, dilation=2))
    explorer = StackExplorer(layers)
    assert explorer.layers == layers
    assert [layer["kind"] for layer in explorer.stack] == ["convolution", "pooling", "convolution"]
    explorer.layers = layers[::-1]
    assert explorer.layers == layers[::-1]
    explorer.stack = [{**layer, "kind": "pooling"} for layer in explorer.stack]
    explorer.layers = [*layers[2:], rf.Layer(9)]  # a layer that stays keeps its kind
    assert [layer["kind"] for layer in explorer.stack] == ["pooling", "convolution"]


def test_the_input_is_long_enough_by_default() -> None:
    for layers in ([SAME3], [rf.Layer(9, stride=5)] * 4, rf.network("vgg16").layers):
        explorer = StackExplorer(layers)
        assert rf.output_size(layers, explorer.input_size) >= 1
        assert explorer.level == len(layers)


def test_what_is_looked_at_stays_in_place_when_the_stack_changes() -> None:
    explorer = StackExplorer([SAME3, SAME3], input_size=24, unit=5)
    explorer.layers = [SAME3, SAME3, SAME3]
    assert where(explorer) == (3, 5)  # it was the top, and is the top
    explorer.layers = [SAME3, rf.Layer(2, 2), SAME3]
    assert where(explorer) == (3, 2)  # centered on 4.5, the nearest to 5
    explorer.level = 1
    explorer.layers = [SAME3] * 6
    assert explorer.level == 1
    explorer.layers = []
    assert where(explorer) == (0, explorer.unit)
    explorer.layers = [SAME3]
    assert explorer.level == 1


def test_a_stack_that_does_not_fit_shows_what_does() -> None:
    explorer = StackExplorer([rf.Layer(5), rf.Layer(5), rf.Layer(5)], input_size=10)
    assert explorer.level == 2
    assert repr(explorer).endswith(
        "Layer 3 needs 5 positions; its input has 2, and 2 with padding. "
        "Use a longer input, a smaller kernel or more padding."
    )
    explorer.input_size = 13
    assert where(explorer) == (3, 0)


def test_a_causal_stack_is_looked_at_from_the_end_of_its_windows() -> None:
    explorer = StackExplorer(preset="wavenet", unit=20)
    explorer.level = 2
    assert explorer.unit == 20
    explorer.level = 0
    assert explorer.unit == 20


def test_setting_a_trait_moves_the_others() -> None:
    explorer = StackExplorer([rf.Layer(2, 2), SAME3], input_size=20)
    explorer.unit = 9
    assert where(explorer) == (2, 9)
    explorer.level = 0
    assert where(explorer) == (0, 19)  # the unit's center is 18.5: of two the right one
    explorer.preset = "M5"
    assert (where(explorer), explorer.layers) == ((1, 0), PRESETS["M5"].layers)
    explorer.input_size = 30
    assert explorer.preset == "M5"  # the stack is still that one
    explorer.layers = explorer.layers * 2
    assert explorer.preset == ""


def test_observers_hear_of_what_changed_and_of_nothing_else() -> None:
    explorer = StackExplorer()
    heard: list[str] = []
    explorer.observe(lambda change: heard.append(change["name"]), ["stack", "input_size", "level", "unit", "preset"])
    explorer.layers = [SAME3] * 5
    assert sorted(heard) == ["level", "preset", "stack"]


UNIT = "There is no unit {} at level 3: an input of 24 positions gives units 0 to 23."
REFUSED = [
    ({"level": 4}, rf.UnitError, "There is no level 4: the explorer shows levels 0 (the input) to 3."),
    ({"level": True}, rf.UnitError, "There is no level True: the explorer shows levels 0 (the input) to 3."),
    (
        {"unit": 24},
        rf.UnitError,
        "There is no unit 24 at level 3: an input of 24 positions gives units 0 to 23.",
    ),
    ({"input_size": 0}, rf.ModelError, "`input_size` must be an integer from 1 to 4,096; got 0."),
    ({"preset": "vgg_16"}, rf.UnknownNameError, "There is no preset 'vgg_16'. Nearest: 'vgg16', 'vgg_block'."),
    ({"show": ["recursions"]}, rf.UnknownNameError, "There is no view 'recursions'. Nearest: 'recursion'."),
    (
        {"show": 3},
        rf.ModelError,
        "`show` must be a list of views, of 'recursion', 'closed form', 'effective'; got 3.",
    ),
    (
        {"layers": [SAME3, 3]},
        rf.LayerError,
        "Layer 2 of 2 must be a Layer; got 3. Write Layer(3).",
    ),
    (
        {"layers": [SAME3, rf.Layer(513, name="huge")]},
        rf.LayerError,
        "`kernel_size` of layer 'huge' must be at most 512 in the explorer; got 513.",
    ),
    (
        {"layers": [rf.Layer(2, 64, name=str(i)) for i in range(4)]},
        rf.LayerError,
        "The explorer shows fields and strides of at most 1,000,000 positions; this stack has a field of 266,306 "
        "and a stride of 16,777,216.",
    ),
    ({"layers": [SAME3] * 65}, rf.LayerError, "The explorer shows at most 64 layers; got 65."),
    (
        {"stack": [{"kernel_size": 3, "padding": [1, None]}]},
        rf.LayerError,
        "`padding` of a layer must be an integer or two of them, (left, right); got [1, None].",
    ),
    (
        {"stack": [{"kernel_size": 3, "kind": "dense"}]},
        rf.LayerError,
        "`kind` of layer 1 must be 'convolution' or 'pooling'; got 'dense'.",
    ),
    (
        {"stack": [{"kernel": 3}]},
        rf.LayerError,
        "Layer 1 of `stack` has an entry 'kernel'; known are ['dilation', 'kernel_size', 'name', 'padding', 'stride'].",
    ),
    ({"stack": 3}, rf.LayerError, "`stack` must be a list of layers as dictionaries; got 3. Or set `layers`."),
    *[
        ({"layers": each}, rf.LayerError, f"`layers` must be a list of Layer; got {each!r}.")
        for each in (None, math.nan, 3, np.int64(3), np.array(3))
    ],
    (
        {"layers": np.array([3])},
        rf.LayerError,
        f"Layer 1 of 1 must be a Layer; got {np.int64(3)!r}. Write Layer(3).",
    ),
    ({"stack": None}, rf.LayerError, "`stack` must be a list of layers as dictionaries; got None. Or set `layers`."),
    ({"input_size": None}, rf.ModelError, "`input_size` must be an integer from 1 to 4,096; got None."),
    ({"level": None}, rf.UnitError, "There is no level None: the explorer shows levels 0 (the input) to 3."),
    ({"unit": "3"}, rf.UnitError, UNIT.format("'3'")),
    ({"unit": math.nan}, rf.UnitError, UNIT.format("nan")),
    (
        {"show": None},
        rf.ModelError,
        "`show` must be a list of views, of 'recursion', 'closed form', 'effective'; got None.",
    ),
    (
        {"task": 31},
        rf.ModelError,
        "`task` must be a StackTask, such as StackTask(31, at_most_layers=4); got 31.",
    ),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_cannot_be_is_refused_and_changes_nothing(given: dict[str, Any], error: type, message: str) -> None:
    explorer = StackExplorer()
    before = (explorer.get_state(), repr(explorer))
    ((name, value),) = given.items()
    with pytest.raises(error) as raised:
        setattr(explorer, name, value)
    assert str(raised.value) == message
    assert (explorer.get_state(), repr(explorer)) == before


def test_a_stack_and_a_preset_are_one_too_many() -> None:
    with pytest.raises(rf.ModelError) as raised:
        StackExplorer([SAME3], preset="vgg16")
    assert str(raised.value) == "Give `layers` or `preset`, not both: a preset is a stack of its own."


def test_an_empty_stack_has_no_field_and_says_so() -> None:
    explorer = StackExplorer([])
    with pytest.raises(rf.LayerError) as raised:
        _ = explorer.receptive_field
    assert str(raised.value) == "The stack is empty: give at least one Layer, for instance [Layer(3)]."
    assert repr(explorer) == "StackExplorer: 0 layers over 24 input positions; input position 12."


# ------------------------------------------------------------------------------------------------- moved in the browser


def test_what_the_browser_sends_counts_as_one_change() -> None:
    explorer = StackExplorer()
    stack = [stack_state.as_data(rf.Layer(5, 2, (1, 0), 3, "x"), "pooling")]
    explorer.set_state({"stack": stack, "input_size": 40, "level": 1, "unit": 11, "preset": ""})
    assert explorer.layers == (rf.Layer(5, 2, (1, 0), 3, "x"),)
    assert (where(explorer), explorer.input_size) == ((1, 11), 40)
    assert explorer.stack == stack
    explorer.set_state({"level": 0, "unit": 39})
    assert where(explorer) == (0, 39)


def test_what_follows_from_the_browsers_change_is_settled_here_too() -> None:
    explorer = StackExplorer()
    explorer.set_state({"stack": [stack_state.as_data(rf.Layer(24), "convolution")]})
    assert (where(explorer), explorer.preset) == ((1, 0), "")


@pytest.mark.parametrize(
    "sent",
    [
        {"stack": [{"kernel_size": 0}], "level": 1, "unit": 0},
        {"stack": [{"kernel_size": 25}], "level": 1, "unit": 0},
        {"input_size": 9, "level": 3, "unit": 23},
        {"unit": 1.5},
        {"level": 3, "unit": -1},
        {"preset": "no such"},
        {"show": ["no such"], "unit": 3},
    ],
    ids=json.dumps,
)
def test_bad_news_from_the_browser_changes_nothing_and_is_answered(
    sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = StackExplorer()
    before = explorer.get_state()
    answered = messages_of(explorer, monkeypatch)
    with pytest.raises(rf.ReceptiveFieldError):
        explorer.set_state(sent)
    assert explorer.get_state() == before
    assert explorer.layers == PRESETS["three_3x3"].layers
    assert answered == [["stack", "input_size", "level", "unit", "preset", "show"]]


# ---------------------------------------------------------------------------------------------------------------- tasks

SENTENCES = [
    (StackTask(31, 4), "Reach a field of exactly 31 with at most 4 layers."),
    (StackTask(31, 1, exactly=False), "Reach a field of at least 31 with at most 1 layer."),
    (StackTask(7), "Reach a field of exactly 7."),
    (
        StackTask(65, 6, largest_stride=2, no_holes=True, largest_kernel=3),
        "Reach a field of exactly 65 with at most 6 layers, kernels of at most 3, a stride of at most 2 and no holes.",
    ),
    (StackTask(9, words="See nine."), "See nine."),
]


@pytest.mark.parametrize(("task", "sentence"), SENTENCES)
def test_a_task_says_what_to_do(task: StackTask, sentence: str) -> None:
    assert task.sentence == sentence


def test_a_task_knows_when_it_is_solved_and_says_what_is_missing() -> None:
    explorer = StackExplorer([SAME3] * 5, task=StackTask(31, 4, largest_stride=2, largest_kernel=7, no_holes=True))
    assert not explorer.solved
    assert explorer.task is not None
    assert explorer.task.status(explorer.layers) == "Not yet: field 11 of 31; 5 layers, 1 too many."
    explorer.layers = [rf.Layer(9, 4), rf.Layer(3, dilation=2)]
    assert explorer.task.missing(explorer.layers) == (
        "field 25 of 31",
        "a kernel of 9, at most 7",
        "stride 4, at most 2",
    )
    explorer.layers = [rf.Layer(7, 2), rf.Layer(7), rf.Layer(7)]
    assert explorer.solved
    assert repr(explorer).endswith("Solved: field 31 with 3 layers.")
    explorer.task = StackTask(32)
    assert not explorer.solved
    assert (explorer.goal or {})["sentence"] == "Reach a field of exactly 32."
    explorer.task = None
    assert (explorer.solved, explorer.goal) == (False, None)


def test_at_least_is_solved_by_more_and_exactly_is_not() -> None:
    more = [rf.Layer(9)]
    assert StackTask(8, exactly=False).missing(more) == ()
    assert StackTask(8).missing(more) == ("field 9 of 8, 1 too many",)
    assert StackTask(31).status([rf.Layer(35)]) == "Not yet: field 35 of 31, 4 too many."
    assert StackTask(8, no_holes=True, exactly=False).missing([rf.Layer(3, dilation=5)])[0] == "field 11 of 8"
    assert StackTask(1).missing([]) == ()


@pytest.mark.parametrize("number", [0, True, 1.5, None, "3"])
def test_a_task_needs_whole_numbers(number: Any) -> None:
    with pytest.raises(rf.ModelError) as raised:
        StackTask(number)
    assert str(raised.value) == f"`size` of a StackTask must be an integer >= 1; got {number!r}."


# -------------------------------------------------------------------------------------------------------------- presets


def test_no_menu_entry_is_a_bare_code() -> None:
    for each in PRESETS.values():
        for code in re.findall(r"\b[AM]\d+\b", each.title):
            assert re.search(rf"\bmistakes? (M\d+, )*{code}\b", each.title), each.title


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_note_tells_its_numbers(name: str) -> None:
    chosen = PRESETS[name]
    explorer = StackExplorer(preset=name)
    assert (explorer.layers, explorer.preset) == (chosen.layers, name)
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?<!,)(?!\.\d)", chosen.note)}
    size = rf.receptive_field(chosen.layers).size
    assert size in numbers, f"{chosen.note} does not tell the field, {size}"
    assert chosen.note.endswith(".")
    assert rf.output_size(chosen.layers, chosen.input_size) >= 1


def field(name: str) -> rf.ReceptiveField:
    return rf.receptive_field(PRESETS[name].layers)


def test_what_the_notes_claim_is_so() -> None:
    # Sizes layer by layer, density, and the numbers that the named mistakes lead to, each by its own wrong rule.
    sizes = {name: [line.size for line in rf.layer_table(each.layers)] for name, each in PRESETS.items()}
    assert sizes["A8"] == [3, 4, 8]
    assert sizes["M1"] == [3, 4]
    assert sizes["vgg16"][-1] == 212
    assert sizes["three_3x3"] == sizes["M2"] == [3, 5, 7]
    assert sizes["tcn"][-1] == 1 + 2 * 2 * 15 == 61
    assert rf.receptive_field(PRESETS["tcn"].layers[::2]).size == 31
    assert (sizes["M6_stride_first"][-1], sizes["M6_stride_last"][-1]) == (7, 5)
    assert set(PRESETS["M6_stride_first"].layers) == set(PRESETS["M6_stride_last"].layers)
    assert sizes["wavenet_block"][-1] == 1024
    assert set(rf.path_counts(PRESETS["wavenet_block"].layers, 1100, 1200).counts) == {1}
    assert rf.receptive_field([rf.Layer(2), *PRESETS["wavenet_block"].layers]).size == 1025
    read = {
        name: round(field(name).density * field(name).size) for name in ("gridding", "hybrid_dilation", "aspp", "M23")
    }
    assert read == {"gridding": 7, "hybrid_dilation": 17, "aspp": 3, "M23": 3}
    assert rf.receptive_field([replace(layer, dilation=1) for layer in PRESETS["M4"].layers]).size == 5
    assert (field("M5").center(0), field("M5").positions(0)) == (0, (-2, 0, 2))
    assert sum(2 * jump for jump in (2, 4)) + 1 == 13  # M7: the jumps after the layers
    assert (field("M8_padded").interval(0), field("M8_unpadded").interval(0)) == ((-3, 3), (0, 6))
    assert (field("M24").interval(0), field("M24").center(0)) == ((0, 1), 0.5)
    unit = StackExplorer(preset="M12").unit
    assert field("M12").positions(unit, 24) == tuple(range(24))
    assert round(rf.effective_sigma(PRESETS["A11"].layers), 2) == 2.83
    fewer = PRESETS["A11"].layers[:6]
    assert rf.effective_sigma(fewer) < rf.effective_sigma(PRESETS["A11"].layers)
    assert rf.effective_sigma(fewer) / rf.receptive_field(fewer).size > 2.83 / 25
    assert rf.output_size(PRESETS["patchgan_70"].layers, 256) == 30


# ---------------------------------------------------------------------------------------------- readers without widgets


def test_the_picture_states_what_is_seen() -> None:
    drawing = StackExplorer([SAME3, rf.Layer(3, padding=2, dilation=2, name="wide")], 20, unit=0).picture()
    assert drawing.alt.startswith(
        "Unit 0 of wide sees 7 input positions, 43% of them padding. Its ideal window: positions -3 to 3;"
    )
    assert "layer 1, kernel 3, size 3, jump 1" in drawing.alt


@pytest.mark.parametrize("explorer", [StackExplorer([]), StackExplorer([SAME3], level=0)], ids=["empty", "input"])
def test_the_picture_of_the_input_is_a_sentence(explorer: StackExplorer) -> None:
    assert explorer.picture().alt == repr(explorer)


@pytest.mark.parametrize("name", ["vgg16", "wavenet_block"])
def test_large_stacks_have_a_picture(name: str) -> None:
    assert f"sees {field(name).size:,} input positions" in StackExplorer(preset=name).picture().alt


# -------------------------------------------------------------------------------------------------------------- browser

SCRIPT = """
import { readFileSync } from "node:fs";
import { changed, atLevel, isCausal, standsAt, stackProblem, taskMissing, taskStatus } from "%(folder)s/stack_state.js";
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({ state, layers, goal, inputSize }) => {
  const after = changed(state, { layers, inputSize });
  const place = standsAt(after.layers, after.level, after.unit);
  const known = stackProblem(layers);
  const levels = layers.map((_, index) => atLevel(after, index)).map(({ level, unit }) => [level, unit]);
  return { after: [after.level, after.unit], place, levels, causal: isCausal(layers), problem: known,
    missing: taskMissing(goal, layers), status: taskStatus(goal, layers) };
})));
"""


def some_layers(random: Random) -> tuple[rf.Layer, ...]:
    if random.random() < 0.25:
        return tuple(rf.Layer(k, 1, (d * (k - 1), 0), d) for k, d in [(random.randint(1, 3), random.randint(1, 3))] * 3)
    layers = [a_layer(random) for _ in range(random.randint(0, 4))]
    if random.random() < 0.2:
        layers.append(rf.Layer(random.choice((2, 600)), random.choice((1, 70)), random.choice((0, 5000)), 1030))
    return tuple(layers)


def a_case(random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A state, a change of it and a task; and what Python makes of them."""
    while stack_problem(before := some_layers(random)):
        pass
    kinds = ("convolution",) * len(before)
    state = stack_state.fresh(before, kinds, random.randint(1, 60))
    state = state.at(random.randrange(len(state.lengths)))
    state = state.at(state.level, random.randrange(state.lengths[state.level]))
    layers, size = some_layers(random), random.randint(1, 60)
    task = StackTask(
        rf.receptive_field(layers).size if layers and random.random() < 0.6 else random.randint(1, 40),
        random.choice((None, 2)),
        random.random() < 0.5,
        random.choice((None, 1, 4)),
        random.random() < 0.5,
        random.choice((None, 3)),
    )
    given = {
        "state": {"layers": state.stack, "inputSize": state.input_size, "level": state.level, "unit": state.unit},
        "layers": [stack_state.as_data(layer, "convolution") for layer in layers],
        "inputSize": size,
        "goal": task.to_dict(),
    }
    after = state.having(layers, ("convolution",) * len(layers), size)
    top = len(after.lengths) - 1
    levels = [after.at(min(level, top)) for level in range(len(layers))]
    said = {
        "after": [after.level, after.unit],
        "place": after.place,
        "levels": [[each.level, each.unit] for each in levels],
        "causal": stack_state.is_causal(layers),
        "problem": stack_problem(layers),
        "missing": list(task.missing(layers)),
        "status": task.status(layers),
    }
    return given, said


def stack_problem(layers: tuple[rf.Layer, ...]) -> str | None:
    try:
        stack_state.within_limits(layers)
    except rf.LayerError as error:
        return str(error)
    return None


@pytest.mark.needs("node")
def test_the_browser_settles_and_judges_as_python_does() -> None:
    random = Random(4)
    cases = [a_case(random) for _ in range(600)]
    done = subprocess.run(
        [preflight.find("node") or "node", "--input-type=module", "-e", SCRIPT % {"folder": WIDGETS.as_uri()}],
        input=json.dumps([given for given, _ in cases]),
        capture_output=True, text=True, encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    for (given, said), got in zip(cases, json.loads(done.stdout), strict=True):
        assert got == said, json.dumps(given)
    said = [said for _, said in cases]
    assert {entry["causal"] for entry in said} == {True, False}
    assert sum(entry["problem"] is not None for entry in said) > 20
    assert 20 < sum(entry["status"].startswith("Solved") for entry in said) < 580


@pytest.mark.needs("node")
def test_what_the_browser_gets_is_one_module(tmp_path: Path) -> None:
    path = tmp_path / "joined.mjs"  # a name that two of the joined files have is a SyntaxError
    path.write_text(joined(WIDGETS / "stack.js"), encoding="utf-8")
    done = subprocess.run([preflight.find("node") or "node", "--check", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^import ", path.read_text(encoding="utf-8"), re.MULTILINE)
