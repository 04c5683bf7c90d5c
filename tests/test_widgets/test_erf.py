"""The effective-field explorer's Python side, against autograd, path counts and the closed form."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from torch import nn

import rflib as rf
from rflib.widgets import erf_network as nets
from rflib.widgets.erf import ErfExplorer
from rflib.widgets.erf_network import Settings

PLAIN = Settings(6, 3, "uniform", "none", "none", "constant", "absolute", 4, 0)
RANDOM = "random, mean zero"


SIZES = (
    "The explorer draws fields of one or two axes: `input_size` must be (inputs, channels, length) or (inputs, "
    "channels, rows, columns), whole numbers >= 1, such as (1, 3, 64, 64)"
)


class Two(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, 2 * x


@pytest.mark.parametrize("pattern", nets.PATTERNS)
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_equal_weights_count_paths(pattern: str, kernel_size: int) -> None:
    settings = replace(PLAIN, depth=3, kernel_size=kernel_size, pattern=pattern)
    paths = rf.path_counts(settings.layers, 0, settings.field)
    expected = np.multiply.outer(paths.shares, paths.shares)
    np.testing.assert_allclose(nets.measured(settings).map, expected, atol=1e-12)


@pytest.mark.parametrize(("skip", "pattern"), list(itertools.product(nets.SKIPS, nets.PATTERNS)))
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_the_closed_form_of_equal_weights_is_exact(depth: int, skip: str, pattern: str) -> None:
    explorer = ErfExplorer(depth=depth, skip=skip, pattern=pattern)
    assert explorer.expected_sigma == pytest.approx(explorer.erf.sigma[1], rel=1e-9)


@pytest.mark.parametrize("skip", nets.SKIPS)
@pytest.mark.parametrize(("weights", "contribution"), [("random, positive", "absolute"), (RANDOM, "squared")])
def test_the_closed_form_of_random_weights_is_that_of_the_average(weights: str, contribution: str, skip: str) -> None:
    """The average over many draws that are NOT each brought to sum 1."""
    settings = replace(PLAIN, depth=4, weights=weights, contribution=contribution, skip=skip, draws=400)
    each = nets.gradients(settings, nets.drawn(settings))
    total = (each.abs() if contribution == "absolute" else each.square()).sum(dim=0).numpy()
    assert rf.EffectiveReceptiveField(total).sigma[0] == pytest.approx(settings.expected_sigma(), rel=0.03)


@pytest.mark.parametrize(
    ("weights", "nonlinearity", "contribution"),
    [
        ("uniform", "ReLU", "absolute"),
        ("uniform", "none", "squared"),
        (RANDOM, "none", "absolute"),
        ("random, positive", "none", "squared"),
    ],
)
def test_no_closed_form_is_made_up(weights: str, nonlinearity: str, contribution: str) -> None:
    explorer = ErfExplorer(depth=3, weights=weights, nonlinearity=nonlinearity, contribution=contribution)
    assert explorer.expected_sigma is None
    assert "closed form" not in explorer.answer["sentence"]


class Block(nn.Module):
    """A convolution, a nonlinearity, and the identity round both, cut to the same size."""

    def __init__(self, layer: rf.Layer, weight: torch.Tensor, relu: bool, skip: bool) -> None:
        super().__init__()
        channels, read, kernel, _ = weight.shape
        self.conv = nn.Conv2d(read, channels, kernel, layer.stride, dilation=layer.dilation, bias=False)
        self.conv.weight = nn.Parameter(weight)
        self.crop = nn.ZeroPad2d(-layer.dilation * (kernel - 1) // 2) if skip else None
        self.relu, self.stride = nn.ReLU() if relu else nn.Identity(), layer.stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.conv(x))
        return y if self.crop is None else y + self.crop(x)[..., :: self.stride, :: self.stride]


def modules(settings: Settings, draws: nets.Draws, which: int) -> nn.Module:
    """One draw as an ordinary module."""
    blocks = []
    for number, (layer, weights) in enumerate(zip(settings.layers, draws.weights, strict=True)):
        relu = settings.nonlinearity == "ReLU" and number < settings.depth - 1
        skip = settings.skip == "identity" and weights.shape[1] == weights.shape[2]
        blocks.append(Block(layer, weights[which], relu, skip))
    return nn.Sequential(*blocks)


@pytest.mark.parametrize("weights", nets.WEIGHTS)
@pytest.mark.parametrize("nonlinearity", nets.NONLINEARITIES)
@pytest.mark.parametrize("skip", nets.SKIPS)
@pytest.mark.parametrize("pattern", nets.PATTERNS)
@pytest.mark.parametrize("contribution", nets.CONTRIBUTIONS)
def test_all_draws_at_once_are_what_the_library_measures_one_by_one(
    weights: str, nonlinearity: str, skip: str, pattern: str, contribution: str
) -> None:
    settings = Settings(3, 3, weights, nonlinearity, skip, pattern, contribution, 3, 0)
    draws, maps = nets.drawn(settings), []
    assert len(draws.inputs) == (3 if settings.is_random else 1)
    for which, x in enumerate(draws.inputs):
        model = modules(settings, draws, which)
        maps.append(rf.effective_receptive_field(model, x[None, None], contribution=contribution, progress=False).map)
    found = nets.measured(settings)
    np.testing.assert_allclose(found.map, np.mean(maps, axis=0), atol=1e-12)
    assert found.inputs == len(maps)


@pytest.mark.parametrize("skip", nets.SKIPS)
@pytest.mark.parametrize("pattern", nets.PATTERNS)
def test_the_input_is_exactly_the_field(pattern: str, skip: str) -> None:
    settings = replace(PLAIN, depth=3, pattern=pattern, skip=skip, weights=RANDOM)
    model = modules(settings, nets.drawn(settings), 0)
    found = rf.analyze(model, input_size=(1, 1, settings.field, settings.field)).output
    assert found.unit_shape == (1, 1)
    assert found.size == (settings.field, settings.field)
    assert ErfExplorer(depth=3, pattern=pattern, skip=skip).window == [[0, settings.field - 1]] * 2


def test_what_is_on_offer_stays_within_its_bounds() -> None:
    choices = itertools.product((3, 5, 7), ("uniform", RANDOM), nets.NONLINEARITIES, nets.PATTERNS, (1, 4, 8))
    for kernel_size, weights, nonlinearity, pattern, draws in choices:
        settings = Settings(1, kernel_size, weights, nonlinearity, "none", pattern, "absolute", draws, 0)
        deepest = nets.deepest(settings)
        assert settings.depth_is(deepest).fits
        assert deepest == nets.DEEPEST or not settings.depth_is(deepest + 1).fits
        assert deepest >= 3
        rows = nets.law(settings)
        assert [row[0] for row in rows] == list(range(1, deepest + 1))
        assert rows[-1][1] == rf.receptive_field(settings.depth_is(deepest).layers).size
    assert nets.deepest(replace(PLAIN, weights=RANDOM, nonlinearity="ReLU")) == 30


def test_the_square_root_law() -> None:
    explorer = ErfExplorer(depth=5)
    explorer.depth = 20
    assert explorer.visited.keys() == {5, 20}
    assert explorer.visited[20][0] == 41
    assert explorer.visited[20][1] / explorer.visited[5][1] == pytest.approx(2)
    assert explorer.answer["sentence"] == (
        "20 layers: field 41 \N{MULTIPLICATION SIGN} 41, sigma 3.65 (closed form 3.65), 9% of the field; at a "
        "quarter of the depth it was 1.83: sigma \N{MULTIPLICATION SIGN} 2.00."
    )
    law = {row[0]: row for row in explorer.answer["law"]}
    assert law[20][2] == pytest.approx(law[20][3]) == pytest.approx(explorer.erf.sigma[0])
    explorer.kernel_size = 5  # another law, other dots
    assert explorer.visited.keys() == {explorer.depth}
    explorer.kernel_size = 3
    assert explorer.visited.keys() == {5, explorer.depth, 20}


def test_doubling_dilation_keeps_its_share() -> None:
    """Syllabus, lesson 11: the share stays at 0.236 and the kurtosis is 2.1."""
    explorer = ErfExplorer(depth=6, pattern="dilation doubling")
    assert explorer.answer["share"] == pytest.approx(0.236, abs=0.002)
    assert explorer.answer["kurtosis"] == pytest.approx(2.1, abs=0.02)


def test_what_the_picture_is_drawn_of() -> None:
    explorer = ErfExplorer(depth=8, weights="random, positive")
    heights = np.frombuffer(explorer.heights, "<f4").reshape(explorer.answer["shape"])
    np.testing.assert_allclose(heights, explorer.erf.map, rtol=1e-6)
    np.testing.assert_allclose(explorer.answer["profile"], explorer.erf.profile(1))
    assert explorer.answer["sigma"] == explorer.erf.sigma[1]
    assert explorer.answer["gaussian"]["sigma"] == pytest.approx(explorer.erf.sigma[1], rel=0.1)
    picture = explorer.picture()
    assert picture.alt == explorer.answer["sentence"]
    assert repr(explorer) == f"ErfExplorer: {explorer.answer['sentence']}"
    titles = [ax.get_title(loc="left").replace("\n", " ") for ax in picture.figure.axes]
    assert titles == ["Share of every position", f"Sigma {explorer.erf.sigma[1]:.2f}, field 17"]


def test_another_setting_lowers_the_depth() -> None:
    explorer = ErfExplorer(depth=30)
    explorer.kernel_size = 7
    assert explorer.depth == explorer.deepest == explorer.answer["deepest"] == len(explorer.layers) < 30
    assert explorer.layers == [rf.Layer(7)] * explorer.depth
    lowered = f"The depth is lowered to {explorer.depth}: deeper would take too long."
    assert explorer.answer["notes"] == [lowered]
    with pytest.raises(rf.ModelError) as caught:
        explorer.depth = 30
    assert str(caught.value) == (
        f"`depth` may be at most {explorer.deepest} with kernel 7, pattern 'constant' and 4 draws, so that the map is "
        "there at once; got 30. Use rflib.effective_receptive_field for deeper stacks."
    )
    assert explorer.depth == explorer.deepest
    explorer.depth = 5
    assert explorer.answer["notes"] == []
    with pytest.raises(rf.ModelError, match="may be at most 6 with kernel 3, pattern 'stride 2' and 4 draws"):
        ErfExplorer(depth=7, pattern="stride 2")


def test_what_comes_from_the_browser() -> None:
    explorer = ErfExplorer(depth=4)
    explorer.set_state({"depth": 7})
    assert (explorer.depth, explorer.answer["size"], explorer.problem) == (7, 15, "")
    explorer.set_state({"weights": RANDOM})
    assert explorer.answer["formula"] is None
    explorer.set_state({"depth": 31})
    assert explorer.problem == "`depth` must be an integer from 1 to 30; got 31."
    explorer.set_state({"skip": "concat"})
    assert explorer.problem == "`skip` must be one of 'none', 'identity'; got 'concat'."
    assert (explorer.depth, explorer.skip, explorer.answer["depth"]) == (7, "none", 7)
    explorer.set_state({"scale": "logarithm"})
    assert (explorer.scale, explorer.problem) == ("logarithm", "")


@pytest.mark.parametrize("dead", [1, 4])
def test_draws_without_a_gradient(dead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ReLUs that are off all the way: such a draw adds nothing, and if all are so, the setting is not taken."""
    explorer = ErfExplorer(depth=3)
    original = nets.gradients

    def partly_dead(settings: Settings, draws: nets.Draws) -> torch.Tensor:
        found = original(settings, draws)
        found[:dead] = 0
        return found

    monkeypatch.setattr(nets, "gradients", partly_dead)
    if dead == 1:
        explorer.nonlinearity = "ReLU"
        assert explorer.erf.notes == ("For 1 of 4 draws the gradient is zero everywhere; they add nothing.",)
        assert explorer.erf.inputs == 3
        assert explorer.answer["notes"] == list(explorer.erf.notes)
        return
    with pytest.raises(rf.ModelError) as caught:
        explorer.nonlinearity = "ReLU"
    assert str(caught.value) == (
        "The gradient of the unit is zero in all draws (4): all ReLUs on the way are off. Take fewer layers, or more "
        "draws."
    )
    assert (explorer.nonlinearity, explorer.answer["depth"]) == ("none", 3)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"depth": 0}, "`depth` must be an integer from 1 to 30; got 0."),
        ({"depth": True}, "`depth` must be an integer from 1 to 30; got True."),
        ({"draws": 9}, "`draws` must be an integer from 1 to 8; got 9."),
        ({"kernel_size": 4}, "`kernel_size` must be one of 3, 5, 7; got 4."),
        ({"weights": "he"}, "`weights` must be one of 'uniform', 'random, mean zero', 'random, positive'; got 'he'."),
        ({"scale": "log"}, "`scale` must be one of 'linear', 'square root', 'logarithm'; got 'log'."),
        ({"seed": -1}, "`seed` must be an integer >= 0; got -1."),
        ({"model": "net"}, "`model` must be a torch.nn.Module; got 'net'."),
        (
            {"input_size": (1, 1, 9)},
            "`input_size` and `inputs` belong to a `model`; a stack's input is as large as its field.",
        ),
        (
            {"model": nn.Conv1d(1, 1, 3)},
            "Give a module either `input_size`, as (1, 3, 64, 64), or `inputs`, a tensor; not both.",
        ),
        ({"model": nn.Conv3d(1, 1, 3), "input_size": (1, 1, 9, 9, 9)}, f"{SIZES}; got (1, 1, 9, 9, 9)."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": 32}, f"{SIZES}; got 32."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": 32.0}, f"{SIZES}; got 32.0."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": True}, f"{SIZES}; got True."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": math.nan}, f"{SIZES}; got nan."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": "1199"}, f"{SIZES}; got '1199'."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": {}}, f"{SIZES}; got {{}}."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": (1, 1, -4, 8)}, f"{SIZES}; got (1, 1, -4, 8)."),
        ({"model": nn.Conv2d(1, 1, 3), "input_size": (1, 1, [], 8)}, f"{SIZES}; got (1, 1, [], 8)."),
        (
            {"model": nn.Conv2d(1, 1, 3), "input_size": (1, 1, 10**9, 10**9)},
            "`input_size` (1, 1, 1000000000, 1000000000) would draw 1,000,000,000,000,000,000 numbers, and the "
            "explorer takes at most 50,000,000. Give fewer inputs or smaller ones.",
        ),
        (
            {"model": nn.Conv2d(1, 1, 3), "inputs": [1]},
            "`inputs` must be a tensor, (inputs, channels, length) or (inputs, channels, rows, columns); got [1]. "
            "Write torch.as_tensor(...).",
        ),
        (
            {"model": nn.Conv2d(1, 1, 3), "inputs": torch.zeros(9)},
            f"{SIZES.replace('`input_size`', 'the shape of `inputs`')}; got (9,).",
        ),
        (
            {"model": Two(), "input_size": (1, 1, 9)},
            "No layer of the module returns a single tensor, so there is nothing to choose from.",
        ),
    ],
)
def test_errors_say_what_to_do(keywords: dict[str, object], message: str) -> None:
    with pytest.raises(rf.ModelError) as caught:
        ErfExplorer(**keywords)
    assert str(caught.value) == message


STRANGE: list[object] = [[], {}, None, np.array([]), np.array([1, 2]), np.array(["0", "1"])]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_strange_settings_are_refused_in_words(value: object) -> None:
    explorer = ErfExplorer(depth=3)
    for name in ("weights", "nonlinearity", "skip", "pattern", "contribution", "scale"):
        with pytest.raises(rf.ModelError) as caught:
            setattr(explorer, name, value)
        assert str(caught.value).startswith(f"`{name}` must be one of '")
        assert str(caught.value).endswith(f"; got {value!r}.")
    with pytest.raises(rf.ModelError) as caught:
        explorer.layer = value
    assert str(caught.value) == "`layer` belongs to a module: ErfExplorer(model, input_size=...)."
    given = ErfExplorer(nn.Conv1d(1, 1, 3), input_size=(1, 1, 9))
    with pytest.raises(rf.UnknownNameError) as unknown:
        given.layer = value
    assert str(unknown.value).startswith(f"There is no layer {value!r}. Nearest: ")
    assert given.layer == "(model)"


@pytest.mark.parametrize("unit", [np.int64(3), np.array([3]), np.array([]), np.array([3, 3]), torch.tensor([3])])
def test_units_as_numpy_has_them(unit: object) -> None:
    with pytest.raises(rf.ModelError) as caught:
        ErfExplorer(depth=3).unit = unit
    assert str(caught.value) == "`unit` belongs to a module: ErfExplorer(model, input_size=...)."
    explorer = ErfExplorer(nn.Conv1d(1, 1, 3), input_size=(1, 1, 9))
    if np.asarray(unit).size == 1:
        explorer.unit = unit
        assert explorer.unit == (3,)
        assert type(explorer.unit[0]) is int
        return
    with pytest.raises(rf.UnitError) as refused:
        explorer.unit = unit
    assert str(refused.value) == f"`unit` must be a unit of layer '(model)', whose shape is (7,); got {unit!r}."


ROOTLESS = "No line for the square root of depth: "
ONLY = "so sigma is only measured."


@pytest.mark.parametrize(
    ("keywords", "closed", "root", "words"),
    [
        ({}, True, True, ""),
        ({"skip": "identity", "pattern": "dilation 2"}, True, True, ""),
        ({"weights": RANDOM, "contribution": "squared"}, True, True, ""),
        (
            {"pattern": "dilation doubling"},
            True,
            False,
            f"{ROOTLESS}each layer reaches twice as far as the one before, so sigma grows faster.",
        ),
        (
            {"pattern": "stride 2", "skip": "identity"},
            True,
            False,
            f"{ROOTLESS}each layer reaches twice as far as the one before, so sigma grows faster.",
        ),
        (
            {"weights": "random, positive", "skip": "identity"},
            True,
            False,
            f"{ROOTLESS}the first layer has no skip connection, so the layers are not alike.",
        ),
        (
            {"nonlinearity": "ReLU"},
            False,
            False,
            f"No closed form: which ReLUs are on depends on the input, {ONLY}",
        ),
        (
            {"weights": RANDOM},
            False,
            False,
            f"No closed form: for weights of mean zero there is one for the squared gradient only, {ONLY}",
        ),
        (
            {"contribution": "squared", "pattern": "dilation doubling"},
            False,
            False,
            f"No closed form: for equal weights there is one for the absolute gradient only, {ONLY}",
        ),
        (
            {"contribution": "squared", "weights": "random, positive"},
            False,
            False,
            f"No closed form: for positive weights there is one for the absolute gradient only, {ONLY}",
        ),
    ],
)
def test_only_laws_that_hold_are_drawn(keywords: dict[str, str], closed: bool, root: bool, words: str) -> None:
    explorer = ErfExplorer(depth=4, **keywords)  # type: ignore[arg-type]
    law = explorer.answer["law"]
    assert {row[2] is not None for row in law} == {closed}
    assert {row[3] is not None for row in law} == {root}
    assert explorer.answer["unknown"] == words
    if root:
        np.testing.assert_allclose([row[2] for row in law], [law[0][2] * math.sqrt(row[0]) for row in law])


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 3), nn.ReLU())


def test_your_own_module(net: nn.Module) -> None:
    inputs = torch.randn(6, 1, 20, 16)
    explorer = ErfExplorer(net, inputs=inputs)
    assert (explorer.layer, explorer.unit) == ("(model)", (4, 3))
    expected = rf.effective_receptive_field(net, inputs, progress=False)
    np.testing.assert_array_equal(explorer.erf.map, expected.map)
    found = rf.analyze(net, input_size=(1, 1, 20, 16))
    explorer.layer = "2"
    assert explorer.unit == (5, 4)
    explorer.unit = (0, 7)
    slices = found["2"].slices((0, 7))
    assert explorer.window == [[s.start, s.stop - 1] for s in slices] == [[0, 2], [13, 15]]
    expected = rf.effective_receptive_field(net, inputs, (0, 7), "2", progress=False)
    np.testing.assert_array_equal(explorer.erf.map, expected.map)
    assert explorer.answer["sentence"].startswith("Unit (0, 7) of layer 2: field 3 \N{MULTIPLICATION SIGN} 3, sigma ")
    explorer.contribution = "squared"
    assert "square" in explorer.erf.convention
    assert (explorer.layers, explorer.expected_sigma, explorer.visited) == ([], None, {})
    assert explorer.picture().alt == explorer.answer["sentence"]
    with pytest.raises(rf.UnitError) as unit:
        explorer.unit = (10, 0)
    assert str(unit.value) == "`unit` must be a unit of layer '2', whose shape is (10, 8); got (10, 0)."
    with pytest.raises(rf.UnknownNameError) as layer:
        explorer.layer = "7"
    assert str(layer.value).startswith("There is no layer '7'. Nearest: ")
    assert (explorer.layer, explorer.unit) == ("2", (0, 7))


def test_a_module_of_one_axis() -> None:
    explorer = ErfExplorer(nn.Conv1d(2, 1, 5, dilation=2), input_size=(3, 2, 20))
    explorer.unit = 0
    assert (explorer.unit, explorer.window, explorer.answer["shape"]) == ((0,), [[0, 8]], [20])
    assert explorer.erf.profile(0)[[1, 3, 5, 7]].tolist() == [0, 0, 0, 0]
    assert explorer.picture().alt.startswith("Unit 0 of the model's output: field 9, sigma ")
    with pytest.raises(rf.ModelError, match="`unit` belongs to a module"):
        ErfExplorer(depth=2).unit = (0, 0)


def test_units_without_a_place() -> None:
    """A classifier's output has no axis of space: its only unit is ()."""
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(21, 4))
    explorer = ErfExplorer(net, input_size=(3, 2, 9))
    assert (explorer.unit, explorer.window, explorer.answer["units"]) == ((), [[0, 8]], [])
    explorer.layer = "0"
    assert (explorer.unit, explorer.window) == ((3,), [[3, 5]])
    flat = ErfExplorer(nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), input_size=(3, 1, 9))
    flat.layer = "0"
    assert flat.window == [[4, 4]]


def test_the_colors_are_matplotlibs_viridis(root: Path) -> None:
    script = (root / "rflib" / "widgets" / "heat.js").read_text(encoding="utf-8")
    table = re.findall(r"\[(\d+), (\d+), (\d+)\]", script)
    colors = matplotlib.colormaps["viridis"](np.linspace(0, 1, len(table)))[:, :3]
    assert len(table) == 9
    np.testing.assert_allclose(np.array(table, dtype=float), 255 * colors, atol=2)


def test_one_layer_has_no_peak_to_fit() -> None:
    """All shares equal: nothing to explain, so no quality of fit; the numbers must still be finite JSON."""
    explorer = ErfExplorer(depth=1)
    assert explorer.answer["gaussian"]["r_squared"] is None
    assert all(math.isfinite(explorer.answer[name]) for name in ("sigma", "share", "kurtosis"))


def test_the_only_unit_of_a_layer_has_no_number() -> None:
    explorer = ErfExplorer(nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(14, 2)), input_size=(1, 1, 9))
    assert explorer.answer["sentence"].startswith("The unit of the model's output: field 9, sigma ")
