"""Recordings for pages without Python: what they hold is what the living explorer says, and they stay small."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import rflib as rf
from rflib import zoo
from rflib.errors import ModelError
from rflib.widgets import erf_network as nets
from rflib.widgets import erf_recording, overlay_layer, overlay_recording, poke_recording
from rflib.widgets.base import Explorer

from . import cases_recorded
from .test_javascript import count, node

SCRIPT = Path(__file__).resolve().parents[1] / "javascript" / "recorded_against_python.js"


def size_of(recording: Any) -> int:
    """Bytes of the recording as JSON, which holds no NaN."""
    return len(json.dumps(recording, separators=(",", ":"), allow_nan=False).encode())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "recorded.json"
    cases_recorded.write(path)
    return path


@pytest.fixture
def shallow() -> Iterator[None]:
    with cases_recorded.shallow(6):
        yield


# ----------------------------------------------------------------------------------------------------- against Python


@pytest.mark.needs("node")
def test_a_page_without_python_shows_what_python_shows(written: Path) -> None:
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_CASES=str(written))
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert count(done.stdout, "pass") == 10
    cases = json.loads(written.read_text(encoding="utf-8"))
    moves = [move for case in cases for move in case["moves"]]
    assert len(moves) > 700
    assert sum("refused" in move for move in moves) > 10


@pytest.mark.needs("node")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sentence": "Unit', '"sentence": "Units'),
        ('"kind": "changed"', '"kind": "would"'),
        ('"percent": "', '"percent": "0'),
        ('"read": "', '"read": "0'),
    ],
)
def test_a_wrong_answer_is_found(written: Path, tmp_path: Path, old: str, new: str) -> None:
    cases = json.loads(written.read_text(encoding="utf-8"))
    moves = json.dumps([case.pop("moves") for case in cases])
    assert old in moves
    wrong = json.loads(moves.replace(old, new))
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([{**c, "moves": m} for c, m in zip(cases, wrong, strict=True)]), encoding="utf-8")
    done = node("--test", "--test-reporter=tap", SCRIPT, RFLIB_CASES=str(broken))
    assert done.returncode != 0
    assert 0 < count(done.stdout, "fail") < 10


# --------------------------------------------------------------------------------------------------- every recording


def state_of(explorer: Explorer) -> dict[str, Any]:
    state = explorer.get_state()
    hidden = {name: value for name, value in vars(explorer).items() if name in ("_poke", "_shift", "_by", "_note")}
    return {**state, **hidden, "threads": torch.get_num_threads()}


def test_an_explorer_that_asks_nothing_of_python_has_no_recording() -> None:
    assert rf.DilationExplorer((1, 2, 5)).recording() == {}


def moved_poke() -> rf.PokeExplorer:
    explorer = rf.PokeExplorer(input_size=(5, 6))
    explorer.layers = "dense layer"
    explorer.poke((1, 2))
    explorer.unit = (2, 0)
    return explorer


def moved_stack() -> rf.ErfExplorer:
    explorer = rf.ErfExplorer(depth=3, weights="random, positive")
    explorer.depth = 5
    explorer.scale = "logarithm"
    return explorer


def moved_overlay() -> rf.Overlay:
    torch.manual_seed(8)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1))
    overlay = rf.Overlay(model, np.random.default_rng(1).random((17, 15)))
    overlay.layer, overlay.effective = "0", True
    overlay.unit = (1, 2)
    return overlay


@pytest.mark.parametrize("make", [moved_poke, moved_stack, moved_overlay])
@pytest.mark.usefixtures("shallow")
def test_a_recording_leaves_the_explorer_as_it_was_and_is_the_same_every_time(make: Any) -> None:
    explorer = make()
    randomness = torch.get_rng_state()
    before, said = state_of(explorer), repr(explorer)
    recording = explorer.recording()
    assert state_of(explorer) == before
    assert repr(explorer) == said
    assert torch.equal(torch.get_rng_state(), randomness)
    assert json.loads(json.dumps(recording, allow_nan=False)) == json.loads(json.dumps(make().recording()))


# ---------------------------------------------------------------------------------------------------------------- poke


def members(text: str) -> list[int]:
    return np.flatnonzero(np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8))).tolist()


def test_the_recording_of_the_pokes_is_small_and_whole() -> None:
    explorer = rf.PokeExplorer()
    recording = explorer.recording()
    assert size_of(recording) < 1_500_000
    assert list(recording["layers"]) == list(explorer.choices)
    assert all(None not in layers["pokes"] for layers in recording["layers"].values())
    assert len(recording["layers"]["dense layer"]["shifts"]) == 29  # 3 each way along an axis, 2 along both, and none


def test_pokes_of_a_large_image_are_left_out_so_that_the_page_stays_small() -> None:
    explorer = rf.PokeExplorer(nn.Sequential(nn.Flatten(), nn.Linear(1024, 900)), input_size=(32, 32))
    recording = explorer.recording()
    assert size_of(recording) < 4_000_000
    (layers,) = recording["layers"].values()
    assert 0 < sum(poke is not None for poke in layers["pokes"]) < 400
    assert len(layers["would"]) == 1024
    assert sorted(layers["shifts"]) == sorted(f"{r},{c}" for r in (-1, 0, 1) for c in (-1, 0, 1))


@pytest.fixture(scope="module")
def poked() -> tuple[rf.PokeExplorer, dict[str, Any]]:
    torch.manual_seed(4)
    explorer = rf.PokeExplorer(nn.Conv2d(1, 2, 3, padding=1), input_size=(4, 5))
    return explorer, explorer.recording()["layers"][explorer.layers]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_recorded_of_a_poke_is_what_a_poke_does(poked: Any, data: st.DataObject) -> None:
    explorer, layers = poked
    explorer.reset()
    pixel = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 4)))
    flat = 5 * pixel[0] + pixel[1]
    before = explorer.values
    explorer.poke(pixel)
    changed = members(layers["would"][flat])
    assert {divmod(i, 5) for i in changed} == explorer.changed
    after = before.reshape(2, -1).copy()
    given_ = np.array(layers["pokes"][flat]["after"], dtype=float).reshape(2, -1)
    after[:, changed] = np.where(np.isnan(given_), after[:, changed], given_)
    np.testing.assert_allclose(after, explorer.values.reshape(2, -1), atol=6e-5)
    unit = data.draw(st.integers(0, 19))
    assert members(layers["reads"][unit]) == np.flatnonzero(explorer._subject.reads(divmod(unit, 5))).tolist()


def test_what_is_no_finite_number_is_not_recorded() -> None:
    class Inverse(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 1 / (1 - x)

    explorer = rf.PokeExplorer(Inverse(), input_size=(2, 3))
    recording = explorer.recording()
    size_of(recording)
    (layers,) = recording["layers"].values()
    image = np.array(recording["image"])
    assert [poke is None for poke in layers["pokes"]] == (image < 0.5).tolist()  # these become white: 1 / 0


@pytest.mark.parametrize("before", [0.25, -0.0004, 1e-7])
@given(change=st.floats(-1, 1), scale=st.sampled_from([1.0, 1e-4, 1e-9]))
def test_values_are_shortened_to_what_is_shown(before: float, change: float, scale: float) -> None:
    after = before + change * scale
    short = poke_recording._short_after(before, after)
    shown = poke_recording.words.two_values(before, after)
    assert poke_recording.words.two_values(before, before if short is None else short) == shown
    assert poke_recording.words.decimal(poke_recording._short(after)) == poke_recording.words.decimal(after)


# ----------------------------------------------------------------------------------------------------------------- erf


def levels(share: Any) -> Any:
    """The shades of the three scales of color, as heat.js and erf.js make them out."""
    with np.errstate(divide="ignore"):
        logarithm = np.maximum(0, 1 + np.log10(share) / erf_recording.DECADES)
    scales = [share, np.sqrt(share), logarithm]
    return np.floor(erf_recording.SHADES * np.stack(scales) + 0.5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(9,), (7, 8), (1, 1)]), st.sampled_from([1, 4, 30]))
def test_a_map_keeps_every_shade_of_every_scale(seed: int, shape: tuple[int, ...], power: int) -> None:
    heights = np.random.default_rng(seed).random(shape) ** power
    heights.flat[::3] = 0 if heights.size > 1 else 1
    kept = erf_recording.shades(heights)
    shown = np.zeros(shape)
    shares = [erf_recording.shares()[erf_recording.LETTERS.index(letter)] for letter in kept["letters"]]
    places = [first + step * np.arange(number) for first, step, number in kept["kept"]]
    shown[np.ix_(*places)] = np.reshape(shares, [len(place) for place in places])
    exact = heights.astype("<f4").astype(float)
    np.testing.assert_array_equal(levels(shown), levels(exact / exact.max()))


def test_letters_need_no_escape() -> None:
    assert len(set(erf_recording.LETTERS)) == len(erf_recording.LETTERS) >= len(erf_recording.shares()) == 97
    assert len(json.dumps(erf_recording.LETTERS, ensure_ascii=False)) == len(erf_recording.LETTERS) + 2


@pytest.mark.usefixtures("shallow")
def test_the_settings_that_lessons_compare_are_recorded_at_every_depth() -> None:
    groups = rf.ErfExplorer(depth=4).recording()["groups"]
    for weights in nets.WEIGHTS:
        for contribution in nets.CONTRIBUTIONS:
            for draws in (1, 4, 8):
                asked = nets.Settings(1, 3, weights, "none", "none", "constant", contribution, draws, 0)
                assert len(groups[erf_recording.key_of(asked)]["fields"]) == 6
    sigmas = [field["sigma"] for field in groups["3|uniform|none|none|constant|absolute|0"]["fields"]]
    np.testing.assert_allclose(sigmas, [np.sqrt(2 * n / 3) for n in range(1, 7)])


def test_the_recording_of_a_network_is_small_and_holds_every_layer() -> None:
    torch.manual_seed(0)
    explorer = rf.ErfExplorer(zoo.resnet18(width=0.125).eval(), input_size=(1, 3, 32, 32))
    recording = explorer.recording()
    assert size_of(recording) < 1_500_000
    assert next(iter(recording["layers"])) == explorer.layer
    assert set(recording["layers"]) == set(explorer.offered["layers"])
    fields = sum(len(layer["fields"]) for layer in recording["layers"].values())
    assert len(recording["layers"]) < fields <= erf_recording.MOST_FIELDS


def test_a_field_that_python_refuses_is_refused_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise ModelError("all ReLUs are off")

    explorer = rf.ErfExplorer(nn.Conv1d(1, 1, 3), input_size=(1, 1, 9))
    assert explorer._module is not None
    monkeypatch.setattr(explorer._module, "measured", silent)
    fields = [f for layer in explorer.recording()["layers"].values() for f in layer["fields"].values()]
    assert set(fields) == {"all ReLUs are off"}


# ------------------------------------------------------------------------------------------------------------- overlay


@pytest.fixture(scope="module")
def overlay() -> rf.Overlay:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, dilation=2, padding=3), nn.MaxPool2d(2)]
    return rf.Overlay(nn.Sequential(*layers), np.random.default_rng(2).random((40, 52, 3)))


@pytest.fixture(scope="module")
def recorded(overlay: rf.Overlay) -> dict[str, Any]:
    return overlay.recording()["layers"]


def kind_of(layer: dict[str, Any], unit: tuple[int, ...], columns: int) -> dict[str, Any]:
    numbers = []
    for run in layer["rows"][layer["row"][unit[0]]].split():
        kind, _, times = run.partition("x")
        numbers += [int(kind)] * int(times or 1)
    assert len(numbers) == columns
    found: dict[str, Any] = layer["kinds"][numbers[unit[1]]]
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_recorded_of_a_unit_is_what_is_said_of_it(overlay: Any, recorded: Any, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(recorded)))
    found = overlay._founds[key]
    rows, columns = found.unit_shape
    unit = data.draw(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
    kind = kind_of(recorded[key], unit, columns)
    answer = overlay_layer.answer_of(found, key, unit)
    assert kind["sentence"].replace("{unit}", f"({unit[0]}, {unit[1]})") == answer["sentence"]
    assert [kind["read"], kind["words"]] == [answer["read"], answer["facts"]["read"]]
    window = found.interval(unit)
    wanted = overlay_layer.rectangles(found.mask(unit)).tolist()
    if kind["rectangles"] is None:
        assert wanted == overlay_recording._inside(window, found.input_shape).tolist()
    else:
        start = [*(first for first, _ in window), 0, 0]
        assert (np.reshape(kind["rectangles"], (-1, 4)) + start).tolist() == wanted


def test_units_that_are_alike_share_what_is_said(overlay: rf.Overlay, recorded: dict[str, Any]) -> None:
    assert size_of(recorded) < 150_000
    for key, layer in recorded.items():
        assert len(layer["kinds"]) <= 64, key
        assert layer["every"] == 1


def test_a_recorded_effective_field_is_the_measured_one(overlay: rf.Overlay, recorded: dict[str, Any]) -> None:
    for key, layer in recorded.items():
        assert layer["effective"], key
        for at, given_ in list(layer["effective"].items())[:2]:
            unit = tuple(map(int, at.split(",")))
            living = overlay._effective_of(key, unit)
            assert [given_[name] for name in ("words", "sigma", "center")] == [
                living[name] for name in ("words", "sigma", "center")
            ]
            assert base64.b64decode(given_["image"]).startswith(b"\x89PNG")


def test_of_layers_with_very_many_units_every_nth_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay_recording, "MOST_UNITS", 120)
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(4))
    layers = rf.Overlay(model, np.zeros((24, 20))).recording()["layers"]
    assert [layers[key]["every"] for key in ("1", "0", "")] == [1, 3, 1]
    assert len(layers["0"]["row"]) == 8


def test_work_for_effective_fields_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay_recording, "MOST_WORK", 1000)
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1))
    layers = rf.Overlay(model, np.ones((30, 30)), layer="0", unit=(3, 4)).recording()["layers"]
    assert [list(layers[key]["effective"]) for key in ("0", "1")] == [["3,4", "15,15"], []]
