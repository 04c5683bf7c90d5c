"""The overlay's Python side: what it says agrees with the analysis, and what it refuses."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import rflib as rf
from rflib import zoo
from rflib.widgets import overlay_image as images
from rflib.widgets.overlay import Overlay
from rflib.widgets.overlay_layer import LayerView, rectangles, title_of


class Flipped(nn.Module):
    """Windows that run against the units on one axis and across on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).flip(-1).transpose(-1, -2)


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 2, 5)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.a(left) + self.b(right), self.b(right)


class Rowed(nn.Module):
    """Units beside each other that come from different places: windows without a stride, and units that read none."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[..., 4:6], x[..., :2], torch.zeros_like(x[..., :1]) * 0 + 1.0], -1)


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, dilation=2, padding=2))


NETWORKS: list[tuple[Any, Any]] = [
    (small, (1, 3, 20, 26)),
    (lambda: zoo.resnet18(width=0.1), (1, 3, 64, 64)),
    (lambda: zoo.unet(width=0.1), (1, 1, 32, 32)),
    (lambda: zoo.swin_like(), (1, 3, 64, 64)),
    (lambda: zoo.tcn(), (1, 1, 64)),
    (Flipped, (1, 1, 12, 16)),
    (Rowed, (1, 1, 6, 8)),
]


def drawn(numbers: bytes, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """A mask from the rectangles that the browser gets; each position at most once."""
    mask = np.zeros((1, *shape)[-2:], dtype=int)
    for top, left, height, width in np.frombuffer(numbers, dtype="<i4").reshape(-1, 4):
        mask[top : top + height, left : left + width] += 1
    return mask.reshape(shape)


@pytest.mark.parametrize(("make", "size"), NETWORKS)
def test_what_is_sent_is_what_the_analysis_says(make: Any, size: tuple[int, ...]) -> None:
    overlay = Overlay(make(), input_size=size)
    random = np.random.default_rng(0)
    keys = [layer["value"] for layer in overlay._layers]
    for key in dict.fromkeys([keys[0], keys[-1], *random.choice(keys, 4)]):
        overlay.layer = str(key)
        found = overlay.found
        for _ in range(3):
            overlay.unit = tuple(int(random.integers(n)) for n in found.unit_shape)
            answer, window = overlay._answer, found.interval(overlay.unit)
            assert (answer["layer"], tuple(answer["unit"])) == (key, overlay.unit)
            assert (drawn(answer["rectangles"], found.input_shape) == found.mask(overlay.unit)).all()
            assert answer["read"] == found.mask(overlay.unit).sum()
            assert sent_window(overlay._map, overlay.unit) == window


def sent_window(data: dict[str, Any], unit: tuple[int, ...]) -> Any:
    """The window of a unit as the browser finds it."""
    if data["follows"] is not None:
        return tuple(
            tuple(ends[unit[k] if k >= 0 else 0]) for ends, k in zip(data["ends"], data["follows"], strict=True)
        )
    flat = int(np.ravel_multi_index(unit, data["units"])) if unit else 0
    pairs = np.frombuffer(data["table"], dtype="<i4").reshape(-1, len(data["space"]), 2)[flat].tolist()
    return None if any(last < first for first, last in pairs) else tuple(map(tuple, pairs))


@pytest.mark.parametrize(("make", "size"), NETWORKS)
def test_border_units_are_counted(make: Any, size: tuple[int, ...]) -> None:
    analysis = rf.analyze(make(), input_size=size)
    for path in analysis.paths[:8]:
        found = analysis[path]
        view = LayerView(found)
        over = blind = 0
        for unit in itertools.product(*(range(n) for n in found.unit_shape)):
            window = found.interval(unit)
            blind += window is None
            over += window is not None and any(
                low < 0 or high >= n for (low, high), n in zip(window, found.input_shape, strict=True)
            )
        assert (int(view.over.sum()), int(view.blind.sum())) == (over, blind)
        if 0 < over < math.prod(found.unit_shape):
            assert view.border_words().startswith(f"{over:,} of {math.prod(found.unit_shape):,} units look")


def test_windows_against_the_units_and_across_follow_the_right_axes() -> None:
    data = Overlay(Flipped(), input_size=(1, 1, 12, 16))._map
    assert data["follows"] == [1, 0]
    assert data["ends"][1][0] == [13, 15]
    assert data["ends"][0][0] == [-1, 1]


def test_the_words_about_the_border() -> None:
    def words(model: nn.Module, size: int) -> str:
        return LayerView(rf.analyze(model, input_size=(1, 1, size, size)).output).border_words()

    assert words(nn.Conv2d(1, 1, 3), 8) == "None of the 36 units looks over the border."
    assert words(nn.Conv2d(1, 1, 3, padding=1), 8) == "28 of 64 units look over the border."
    assert words(nn.Conv2d(1, 1, 9, padding=4), 4) == "All 16 units look over the border."
    assert words(nn.Conv2d(1, 1, 8), 8) == "The only unit looks over no border."
    assert words(nn.Conv2d(1, 1, 10, padding=1), 8) == "The only unit looks over the border."
    assert "6 units read nothing of the input" in words(Rowed(), 6)


def test_the_sentences_say_what_is_read() -> None:
    holes = nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=2, padding=2) for _ in range(3)))
    overlay = Overlay(holes, input_size=(1, 1, 32, 48), layer="")
    assert (
        overlay._answer["sentence"] == "Unit (16, 24) of the model's output reads 49 of the 169 pixels in its window."
    )
    assert "120 of the 169 pixels inside the window are not read" in overlay._answer["facts"]["read"]
    everything = Overlay(zoo.resnet18(width=0.1), input_size=(1, 3, 64, 64), layer="fc")
    assert everything.unit == ()
    assert everything._answer["sentence"] == "The unit of fc reads everything: all 4,096 pixels of the input."
    rowed = Overlay(Rowed(), input_size=(1, 1, 6, 8), unit=(0, 4))
    assert rowed._answer["sentence"] == "Unit (0, 4) of the model's output reads nothing of this input."
    tcn = Overlay(zoo.tcn(), input_size=(1, 1, 64), layer="network")
    assert tcn._answer["facts"]["window"] == "61\npositions \N{MINUS SIGN}28 to 32"
    assert "misaligned" in tcn._map["alignment"]


def test_the_layer_keeps_the_place_and_python_and_traits_are_one() -> None:
    overlay = Overlay(zoo.resnet18(width=0.1), np.zeros((64, 64, 3)), layer="layer1", unit=(2, 12))
    place = overlay.found.center(overlay.unit)
    overlay.layer = "layer3"
    centers = {u: overlay.found.center(u) for u in itertools.product(range(4), range(4))}
    assert overlay.unit == min(centers, key=lambda u: math.dist(centers[u], place))  # type: ignore[arg-type]
    assert overlay.get_state()["unit"] == overlay.unit
    overlay.set_state({"unit": [3, 0]})
    assert overlay.unit == (3, 0)
    overlay.set_state({"layer": "layer1", "unit": [99, 99]})  # a unit of the layer before, on its way as it was chosen
    assert (overlay.layer, overlay._answer["layer"], overlay._problem) == ("layer1", "layer1", "")
    overlay.unit = None
    assert overlay.unit == (8, 8)


def test_the_deepest_feature_map_comes_first() -> None:
    assert Overlay(zoo.resnet18(width=0.1), input_size=(1, 3, 64, 64)).layer == "layer4"
    assert Overlay(small(), input_size=(1, 3, 16, 16)).layer == ""
    assert Overlay(nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), input_size=(1, 1, 4, 4)).layer in ("", "0", "1")


def test_what_the_browser_sends_wrongly_changes_nothing() -> None:
    overlay = Overlay(small(), input_size=(1, 3, 16, 16), layer="0", unit=(1, 2))
    sent: list[dict[str, Any]] = [
        {"unit": [9, 0]},
        {"unit": "x"},
        {"layer": "7"},
        {"effective": "perhaps"},
        {"unit": {}},
    ]
    for data in sent:
        overlay.set_state(data)
        assert (overlay.layer, overlay.unit, overlay.effective) == ("0", (1, 2), False)
        assert overlay._problem
    overlay.set_state({"unit": [0, 0]})
    assert (overlay.unit, overlay._problem) == ((0, 0), "")
    overlay.set_state({"_asked": {"layer": "9", "unit": [0]}})
    assert overlay._effective == {}


SHAPE = "`input_size` must be the shape of the input, (batch, channels, ...), such as (1, 3, 224, 224)"
SHAPES = "(20, 26), (20, 26, 3), (3, 20, 26) or (1, 3, 20, 26)"
REFUSED: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: Overlay(small()),
        rf.ModelError,
        "An overlay of a network without an image needs `input_size`, such as (1, 3, 224, 224).",
    ),
    (
        lambda: Overlay(rf.analyze(small(), input_size=(1, 3, 20, 26)), np.zeros((26, 20))),
        rf.ModelError,
        f"`image` must have shape {SHAPES}; got (26, 20). Crop or resize the image, or analyze the model at the "
        "image's own size.",
    ),
    (
        lambda: Overlay(small(), np.zeros((5, 6, 7))),
        rf.ModelError,
        "`image` must have shape (H, W), (H, W, 3), (3, H, W) or (1, 3, H, W); got (5, 6, 7).",
    ),
    (
        lambda: Overlay(small(), np.full((8, 8), np.nan)),
        rf.ModelError,
        "`image` must hold finite numbers; got NaN or infinity in it.",
    ),
    (
        lambda: Overlay(zoo.shape_encoder(width=0.1), input_size=(1, 1, 64, 64, 64)),
        rf.ModelError,
        "An overlay shows images, of two spatial axes, and signals, of one; the input 'input' has 3. "
        "Print the analysis instead.",
    ),
    (
        lambda: Overlay(zoo.tcn(), np.zeros((64,)), input_size=(1, 1, 60)),
        rf.ModelError,
        "`image` must be a signal of shape (60,) or (channels, 60), as the analyzed input; got (64,).",
    ),
    (
        lambda: Overlay(rf.analyze(Two(), input_size=[(1, 1, 8, 8), (1, 1, 12, 12)])),
        rf.NoSingleAnswerError,
        "The model has several inputs ('left', 'right'). Say which one the image is: of='left'.",
    ),
    (
        lambda: Overlay(rf.analyze(Two(), input_size=[(1, 1, 8, 8), (1, 1, 12, 12)]), of="rihgt"),
        rf.UnknownNameError,
        "There is no input 'rihgt'. Nearest: 'right'.",
    ),
    (
        lambda: Overlay(small(), input_size=(1, 3, 8, 8), layers="0"),
        rf.ModelError,
        "`layers` must be a list of module paths; got '0'. Write ['0'].",
    ),
    (
        lambda: Overlay(small(), input_size=(1, 3, 8, 8), layers=[]),
        rf.ModelError,
        "`layers` is empty: name at least one layer, or leave it out.",
    ),
    (
        lambda: Overlay(small(), input_size=(1, 3, 8, 8), layers=["0", "1"], layer="2"),
        rf.UnknownNameError,
        "There is no layer '2'. It is not among the layers of this overlay. Nearest: '0', '1'.",
    ),
    (lambda: Overlay(small(), input_size=3), rf.ModelError, f"{SHAPE}; got 3."),  # type: ignore[arg-type]
    (lambda: Overlay(small(), np.zeros((8, 8)), input_size=3.0), rf.ModelError, f"{SHAPE}; got 3.0."),  # type: ignore[arg-type]
    (lambda: Overlay(small(), input_size=math.nan), rf.ModelError, f"{SHAPE}; got nan."),  # type: ignore[arg-type]
    (lambda: Overlay(small(), input_size="133"), rf.ModelError, f"{SHAPE}; got '133'."),  # type: ignore[arg-type]
    (
        lambda: Overlay(small(), np.zeros((8, 8)), input_size=(10**9, 10**9)),
        rf.ModelError,
        "`input_size` (1000000000, 1000000000) is an input of 1,000,000,000,000,000,000 numbers, and an overlay takes "
        "at most 100,000,000. Give the size of the image that it is to show.",
    ),
    (
        lambda: Overlay(Two(), input_size=[(1, 1, 8, 8), (1, 1, 10**5, 10**5)], of="left"),  # type: ignore[list-item]
        rf.ModelError,
        "`input_size` (1, 1, 100000, 100000) is an input of 10,000,000,000 numbers, and an overlay takes at most "
        "100,000,000. Give the size of the image that it is to show.",
    ),
    (
        lambda: Overlay(small(), input_size=(1, 3, 8, 8), layers=3),  # type: ignore[arg-type]
        rf.ModelError,
        "`layers` must be a list of module paths, such as ['layer1', 'layer2']; got 3.",
    ),
    (
        lambda: Overlay(small(), input_size=(1, 3, 8, 8), layers=[[]]),
        rf.UnknownNameError,
        "There is no layer []. A layer is called by its path, a string. Nearest: '', '0', '1', '2'.",
    ),
    (
        lambda: Overlay("resnet"),  # type: ignore[arg-type]
        rf.ModelError,
        "`analysis` must be an rf.Analysis or a torch.nn.Module; got 'resnet'.",
    ),
]


@pytest.mark.parametrize(("make", "kind", "message"), REFUSED)
def test_what_is_refused_is_said_in_whole_sentences(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        make()
    assert str(error.value) == message


def test_wrong_layers_and_units_are_refused_and_leave_the_overlay_as_it_was() -> None:
    overlay = Overlay(zoo.resnet18(width=0.1), input_size=(1, 3, 64, 64), layer="layer2", unit=(1, 1))
    with pytest.raises(rf.UnknownNameError, match=r"There is no layer 'layr3'. Nearest: 'layer3'"):
        overlay.layer = "layr3"
    with pytest.raises(rf.UnitError, match=r"There is no unit \(8, 0\) in layer 'layer2': axis 0 runs from 0 to 7."):
        overlay.unit = (8, 0)
    assert (overlay.layer, overlay.unit) == ("layer2", (1, 1))


def test_several_inputs_and_several_outputs() -> None:
    analysis = rf.analyze(Two(), input_size=[(1, 1, 8, 8), (1, 1, 12, 12)])
    overlay = Overlay(analysis, np.zeros((12, 12)), layer="b", of="right")
    assert overlay.found.size == (5, 5)
    assert overlay.found.input_shape == (12, 12)
    overlay.layer = ("", "1")
    assert overlay.layer == "[1]"
    assert "wants a network that is called with one tensor; this one takes left, right." in asked(overlay)["words"]
    with pytest.raises(rf.NoSingleAnswerError, match="2 tensors"):
        overlay.layer = ""


@pytest.mark.parametrize(
    "shape", [(9, 12), (9, 12, 3), (3, 9, 12), (1, 3, 9, 12), (1, 9, 12), (1, 1, 9, 12), (9, 12, 1)]
)
def test_images_of_every_layout_and_type_show_the_same(shape: tuple[int, ...]) -> None:
    where = (np.arange(9)[:, None] + np.arange(12)[None]).astype(np.uint8) * 10
    image = np.zeros(shape, dtype=np.uint8)
    image[...] = where[..., None] if shape[-1] in (1, 3) else where
    for given in (image, image / 255, torch.from_numpy(image), torch.from_numpy(image / 255).half().float()):
        for space in (None, (9, 12)):
            pixels = images.pixels_of(images.channels_first(given, space, 2))
            assert pixels.shape == (9, 12, 3)
            assert np.abs(pixels.astype(int) - where[..., None]).max() <= 1


def test_an_image_with_three_rows_is_read_by_the_size_that_is_wanted() -> None:
    image = np.random.default_rng(0).random((3, 7, 3))
    assert images.channels_first(image, (3, 7), 2).shape == (3, 3, 7)
    assert images.channels_first(image, (7, 3), 2).shape == (3, 7, 3)


def test_a_standardized_image_is_stretched_and_kept_for_the_network() -> None:
    values = images.channels_first(np.linspace(-2, 2, 12).reshape(3, 4), None, 2)
    assert values.min() == -2
    pixels = images.pixels_of(values)
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_a_long_signal_keeps_its_peaks() -> None:
    signal = np.zeros((1, 50_000))
    signal[0, [77, 31_234]] = 1, -1
    [curve] = images.curves(signal)
    assert len(curve) <= 1300
    assert [77, 1.0] in curve
    assert [31_234, 0.0] in curve


def test_rectangles_cover_a_mask_exactly() -> None:
    random = np.random.default_rng(1)
    for share in (0.0, 0.1, 0.5, 1.0):
        for shape in ((5, 7), (1, 1), (13,), (30, 2)):
            mask = random.random(shape) < share
            assert (drawn(rectangles(mask).tobytes(), shape) == mask).all()
    assert len(rectangles(np.ones((224, 224), dtype=bool))) == 1


def asked(overlay: Overlay) -> dict[str, Any]:
    """The answer to a browser that rests on the unit."""
    overlay.set_state({"_asked": {"layer": overlay.layer, "unit": list(overlay.unit)}})
    return dict(overlay._effective)


def test_the_effective_field_is_that_of_the_evaluated_network_on_this_image() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 5, padding=2))
    image = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32)
    overlay = Overlay(model, image, layer="3", unit=(10, 9))
    before = [p.clone() for p in model.state_dict().values()]
    answer = asked(overlay)
    assert model.training
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
    model.eval()
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    wanted = rf.effective_receptive_field(model, tensor, (10, 9), "3", progress=False)
    assert np.allclose(overlay.effective_field.map, wanted.map, atol=1e-7)
    assert answer["image"].startswith(b"\x89PNG")
    assert answer["sigma"] == pytest.approx(wanted.sigma, rel=1e-4)
    for words in ("sigma", "size", "centered square", "Gaussian fit"):
        assert words in answer["words"]
    with torch.no_grad():
        model[3].weight.zero_()
        model[3].weight[:, :, 0] = 1.0  # the answer of other weights must not be kept
    assert overlay.effective_field.center[0] < wanted.center[0] - 1


def test_without_a_map_the_words_say_why() -> None:
    overlay = Overlay(Rowed(), input_size=(1, 1, 6, 8), unit=(0, 4))
    answer = asked(overlay)
    assert answer["image"] is None
    assert "is zero at every input position" in answer["words"]


def test_one_image_goes_to_a_network_of_any_channels() -> None:
    image = np.random.default_rng(0).random((84, 84, 3))
    overlay = Overlay(zoo.dqn(), image)
    assert overlay.effective_field.map.shape == (84, 84)
    signal = Overlay(zoo.tcn(), np.sin(np.arange(64) / 5))
    assert signal.effective_field.map.shape == (64,)
    assert signal._image == b""
    assert len(signal._curves[0]) == 64


def test_the_picture_states_the_unit() -> None:
    overlay = Overlay(small(), np.zeros((20, 26, 3)), layer="0", unit=(0, 0))
    assert "rows -1 to 1, columns -1 to 1, centered on (0, 0)" in overlay.picture().alt
    assert "rows -1 to 1" in Overlay(small(), input_size=(1, 3, 20, 26), layer="0", unit=(0, 0)).picture().alt
    assert "positions 4 to 32" not in Overlay(zoo.tcn(), input_size=(1, 1, 64)).picture().alt
    assert "positions -28 to 32" in Overlay(zoo.tcn(), input_size=(1, 1, 64), layer="network").picture().alt


def test_titles_name_the_units_and_the_window() -> None:
    analysis = rf.analyze(zoo.resnet18(width=0.1), input_size=(1, 3, 64, 64))
    sign = "\N{MULTIPLICATION SIGN}"
    assert title_of(analysis["layer2"], "layer2") == f"layer2: 8 {sign} 8 units, window 99 {sign} 99"
    assert title_of(analysis["fc"], "fc") == "fc: 1 unit, everything"
