"""Moves on which a page without Python must show what Python shows, and moves that it must refuse.

Run as `python -m tests.test_widgets.cases_recorded FILE`. Each session is an explorer, its recording, its traits at the
beginning, and moves with the traits that the living explorer has afterwards.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

import rflib as rf
from rflib import zoo
from rflib.widgets import erf_network as nets
from rflib.widgets import erf_recording
from rflib.widgets.poke_subject import LAYERS

Case = dict[str, Any]
POKE = ("layers", "pixel", "unit", "mode", "channel", "answer", "problem")
ERF = (*erf_recording.NAMES, "depth", "layer", "unit", "scale", "answer", "heights", "problem")
OVERLAY = ("layer", "unit", "effective", "centers", "neighbors", "_map", "_answer", "_effective", "_problem")


def plain(value: Any) -> Any:
    """A trait as JSON; bytes as {"bytes": base64}."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


class Session:
    """A living explorer, and what is asked of it."""

    def __init__(self, kind: str, name: str, explorer: Any, traits: tuple[str, ...]) -> None:
        self.explorer, self._names = explorer, traits
        self.case: Case = {"kind": kind, "name": name, "recording": explorer.recording()}
        self.case |= {"start": self.traits(), "moves": []}

    def traits(self) -> Case:
        return {name: plain(getattr(self.explorer, name)) for name in self._names}

    def ask(self, **asked: Any) -> None:
        """Set traits as the browser does."""
        self.explorer.set_state(json.loads(json.dumps(asked)))
        self.case["moves"].append({"asked": asked, "told": None, "traits": self.traits()})

    def tell(self, **told: Any) -> None:
        """Send a message as the browser does."""
        self.explorer._told(None, json.loads(json.dumps(told)), [])
        self.case["moves"].append({"asked": {}, "told": told, "traits": self.traits()})

    def refused(self, asked: Case, told: Case | None, words: str) -> None:
        """A move that was not recorded: nothing changes, and the page says what it cannot do."""
        self.case["moves"].append({"asked": asked, "told": told, "refused": words})


# ---------------------------------------------------------------------------------------------------------------- poke


def poke_session(random: Random, name: str, explorer: rf.PokeExplorer, number: int) -> Case:
    """Random moves, without those that a page plays back in its own way: a change after a change, a move after one."""
    session = Session("poke", name, explorer, POKE)
    space = explorer.image.shape
    shifts = [tuple(map(int, by.split(","))) for by in session.case["recording"]["layers"][explorer.layers]["shifts"]]
    is_poked, by = False, (0,) * len(space)
    for _ in range(number):
        kind = random.choice(["layers", "pixel", "unit", "unit", "channel", "mode", "poke", "shift", "reset"])
        units = explorer.values.shape[1:]
        if kind == "layers" and explorer.offered:
            session.ask(layers=random.choice([name for name in explorer.offered if name != explorer.layers]))
            is_poked, by = False, (0,) * len(space)
        elif kind == "pixel" and not is_poked:
            session.ask(pixel=[random.randrange(n) for n in space], mode="pixel")
        elif kind == "unit":
            session.ask(unit=[random.randrange(n) for n in units], mode="unit")
        elif kind == "channel":
            session.ask(channel=random.randrange(explorer.values.shape[0]))
        elif kind == "mode":
            session.ask(mode=random.choice(["pixel", "unit"]))
        elif kind == "poke" and not is_poked and not any(by):
            session.tell(do="poke", pixel=[random.randrange(n) for n in space])
            is_poked = True
        elif kind == "shift" and not is_poked:
            step = random.choice([s for s in shifts if sum(map(abs, s)) == 1])
            after = tuple(a + b for a, b in zip(by, step, strict=True))
            if after in shifts:
                session.tell(do="shift", by=list(step))
                by = after
            else:
                session.refused({}, {"do": "shift", "by": list(step)}, "the image shifted by")
        elif kind == "reset":
            session.tell(do="reset")
            is_poked, by = False, (0,) * len(space)
    return session.case


class TwoMaps(nn.Module):
    """Values far below one, a unit that two channels share, a channel that never changes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 1, H, W) to (B, 3, H - 2, W - 2)."""
        y = self.conv(x)
        return torch.cat([1e-5 * y, y.round(), torch.zeros_like(y)], dim=1)


def poke_cases(random: Random) -> Iterator[Case]:
    yield poke_session(random, "all layers", rf.PokeExplorer(), 400)
    yield poke_session(random, "a line", rf.PokeExplorer(input_size=9, seed=2), 80)
    torch.manual_seed(5)
    yield poke_session(random, "three channels", rf.PokeExplorer(TwoMaps(), input_size=(7, 6)), 80)
    moved = rf.PokeExplorer(nn.Conv2d(1, 2, 3, padding=1), input_size=(5, 6))
    moved.poke((2, 2))
    yield poke_session(random, "begun with a change", moved, 0) | {"moves": begun(moved)}
    assert len(LAYERS) == 10


def begun(explorer: rf.PokeExplorer) -> list[Case]:
    """From an explorer in which Python has changed a pixel already."""
    session = Session("poke", "", explorer, POKE)
    session.ask(unit=[1, 3], mode="unit")
    session.ask(channel=1)
    session.tell(do="reset")
    moves: list[Case] = session.case["moves"]
    return moves


# ----------------------------------------------------------------------------------------------------------------- erf


@contextmanager
def shallow(depth: int) -> Iterator[None]:
    """Stacks of at most so many layers, so that a recording is there at once."""
    before = nets.DEEPEST
    nets.DEEPEST = depth
    nets.deepest.cache_clear()
    nets.law.cache_clear()
    try:
        yield
    finally:
        nets.DEEPEST = before
        nets.deepest.cache_clear()
        nets.law.cache_clear()


def stack_session(random: Random, explorer: rf.ErfExplorer, number: int) -> Case:
    session = Session("erf", "a stack", explorer, ERF)
    groups = session.case["recording"]["groups"]
    choices: dict[str, Any] = {"weights": nets.WEIGHTS, "pattern": nets.PATTERNS, "contribution": nets.CONTRIBUTIONS}
    choices |= {"nonlinearity": nets.NONLINEARITIES, "skip": nets.SKIPS, "kernel_size": (3, 5, 7), "draws": (1, 4, 8)}
    for _ in range(number):
        name = random.choice([*choices, "depth", "depth", "depth", "scale"])
        if name == "scale":
            session.ask(scale=random.choice(("linear", "square root", "logarithm")))
        elif name == "depth":
            session.ask(depth=random.randint(1, explorer.deepest))
        else:
            value = random.choice(choices[name])
            before = {setting: getattr(explorer, setting) for setting in erf_recording.NAMES}
            if erf_recording.key_of(nets.Settings(**{**before, name: value}, depth=1, seed=0)) in groups:
                session.ask(**{name: value})
            elif name != "draws":
                session.refused({name: value}, None, "This page plays back what Python computed")
    return session.case


def module_session(random: Random, name: str, explorer: rf.ErfExplorer, number: int) -> Case:
    session = Session("erf", name, explorer, ERF)
    layers = session.case["recording"]["layers"]
    for _ in range(number):
        layer = random.choice(list(layers))
        middle = ",".join(str(n // 2) for n in layers[layer]["units"])
        if f"{middle}|{explorer.contribution}" not in layers[layer]["fields"]:
            continue
        session.ask(layer=layer)
        keys = [key.split("|") for key in layers[layer]["fields"]]
        unit = random.choice([place for place, kind in keys if kind == explorer.contribution])
        session.ask(unit=[int(n) for n in unit.split(",") if n])
        if [unit, "squared"] in keys and [unit, "absolute"] in keys:
            session.ask(contribution=random.choice(("absolute", "squared")))
    return session.case


def erf_cases(random: Random) -> Iterator[Case]:
    with shallow(9):
        yield stack_session(random, rf.ErfExplorer(depth=4), 120)
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 2, 3, padding=2))
    yield module_session(random, "images", rf.ErfExplorer(model, input_size=(2, 1, 12, 14)), 25)
    layers = [nn.Conv1d(1, 2, 3, dilation=2), nn.ReLU(), nn.Conv1d(2, 1, 3, stride=2), nn.Flatten(), nn.Linear(14, 2)]
    line = nn.Sequential(*layers)
    yield module_session(random, "signals", rf.ErfExplorer(line, input_size=(3, 1, 33)), 25)


# ------------------------------------------------------------------------------------------------------------- overlay


def overlay_session(random: Random, name: str, overlay: rf.Overlay, number: int) -> Case:
    session = Session("overlay", name, overlay, OVERLAY)
    layers = session.case["recording"]["layers"]
    for _ in range(number):
        kind = random.choice(["layer", "unit", "unit", "unit", "effective", "centers"])
        every, units = layers[overlay.layer]["every"], overlay.found.unit_shape
        if kind == "layer":
            session.ask(layer=random.choice(list(layers)))
        elif kind == "unit":
            session.ask(unit=[random.randrange(0, n, every) for n in units])
        elif kind == "centers":
            session.ask(centers=not overlay.centers)
        else:
            session.ask(effective=True)
            layer = random.choice([key for key in layers if layers[key]["effective"]])
            unit = random.choice(list(layers[layer]["effective"]))
            session.ask(_asked={"layer": layer, "unit": [int(n) for n in unit.split(",") if n], "time": 1})
    return session.case


def overlay_cases(random: Random) -> Iterator[Case]:
    torch.manual_seed(3)
    image = np.random.default_rng(0).random((20, 26))
    layers = [nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, dilation=3, padding=3)]
    model = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Conv2d(2, 1, 5, padding=4), nn.AdaptiveAvgPool2d(1))
    yield overlay_session(random, "holes and borders", rf.Overlay(model, image), 80)
    line = nn.Sequential(nn.Conv1d(1, 2, 3, dilation=4, padding=4), nn.Conv1d(2, 2, 4, stride=3), nn.Flatten())
    yield overlay_session(random, "a signal", rf.Overlay(line, np.sin(np.arange(40))), 60)
    swin = rf.analyze(zoo.swin_like(width=0.25, num_classes=0).eval(), input_size=(1, 3, 64, 64))
    windows = rf.Overlay(swin, None, layers=["features.0", "features.2.1"])
    yield overlay_session(random, "shifted windows", windows, 40)


def all_cases(seed: int = 0) -> list[Case]:
    """The same cases every time."""
    random = Random(seed)
    return [*poke_cases(random), *erf_cases(random), *overlay_cases(random)]


def write(path: Path) -> None:
    path.write_text(json.dumps(all_cases(), allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write the cases: python -m tests.test_widgets.cases_recorded FILE")
    write(Path(sys.argv[1]))
