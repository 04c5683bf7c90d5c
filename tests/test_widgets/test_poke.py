"""The poke explorer's Python side, against rf.measure, rf.analyze and the layers themselves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import rflib as rf
from rflib.widgets.poke import PokeExplorer
from rflib.widgets.poke_subject import compare_shift, moved_by

NAMES = PokeExplorer.choices
WHOLE = ("dense layer", "batch norm in training mode", "global average pooling", "squeeze-and-excitation")


@pytest.fixture
def explorer() -> PokeExplorer:
    return PokeExplorer()


def units_of(explorer: PokeExplorer) -> list[tuple[int, ...]]:
    return list(itertools.product(*map(range, explorer.values.shape[1:])))


@pytest.mark.parametrize("input_size", [(12, 12), 24, (7, 10)])
@pytest.mark.parametrize("name", NAMES)
def test_reads_what_measure_finds(name: str, input_size: tuple[int, ...] | int) -> None:
    explorer = PokeExplorer(input_size=input_size)
    explorer.layers = name
    units = units_of(explorer)
    shape = (1, 1, *explorer.image.shape)
    for unit in (units[0], units[len(units) // 2], units[-1]):
        explorer.unit = unit
        measured = rf.measure(explorer._subject.model, shape, unit, training=explorer._subject.model.training)
        np.testing.assert_array_equal(explorer.reads, measured.mask)
        assert explorer.reads.all() == (name in WHOLE)


@pytest.mark.parametrize("name", NAMES)
def test_a_poke_changes_the_units_that_the_layers_change(name: str, explorer: PokeExplorer) -> None:
    explorer.layers = name
    model = explorer._subject.model.double()
    before = torch.from_numpy(explorer.image)[None, None]
    explorer.poke((2, 7))
    after = before.clone()
    after[0, 0, 2, 7] = 1.0 if before[0, 0, 2, 7] < 0.5 else 0.0
    with torch.no_grad():
        differs = (model(before) != model(after)).any(dim=1)[0]
        np.testing.assert_array_equal(explorer.values, model(after)[0].numpy())
    assert explorer.changed == {tuple(int(i) for i in at) for at in differs.nonzero()}
    np.testing.assert_array_equal(explorer.image, after[0, 0].numpy())
    # no unit changed that does not read the pixel
    for unit in explorer.changed:
        explorer.unit = unit
        assert explorer.reads[2, 7]


@pytest.mark.parametrize("name", NAMES)
def test_what_would_change_is_what_a_poke_changes(name: str, explorer: PokeExplorer) -> None:
    explorer.layers, explorer.pixel = name, (5, 1)
    would = explorer.would_change
    explorer.poke()
    assert explorer.changed == would


def test_the_readout_of_the_first_lesson(explorer: PokeExplorer) -> None:
    explorer.unit = (3, 4)
    assert explorer.mode == "unit"
    explorer.poke((0, 0))
    assert (explorer.mode, explorer.pixel) == ("pixel", (0, 0))
    value = f"{explorer.values[0, 3, 4]:.4f}".replace("-", "\N{MINUS SIGN}")
    assert explorer.answer["sentence"].endswith(f"value of unit (3, 4): {value} before, {value} after: bit-identical.")
    explorer.poke((4, 5))
    assert explorer.answer["sentence"].endswith(": changed.")
    assert explorer.answer["kind"] == "changed"
    explorer.pixel = (8, 8)
    assert explorer.answer["sentence"].startswith("Pixel (8, 8) is ")
    assert explorer.answer["kind"] == "would"
    explorer.pixel = (4, 5)
    assert explorer.answer["sentence"].startswith("Pixel (4, 5) changed from ")


def test_a_change_too_small_for_four_digits_is_still_told(explorer: PokeExplorer) -> None:
    explorer.layers = "global average pooling"
    explorer.poke((0, 0), value=explorer.image[0, 0] + 1e-7)
    before, after = explorer.answer["sentence"].split(": ")[-2].split(" before, ")
    assert before != after.removesuffix(" after")
    assert explorer.answer["sentence"].endswith("changed.")


def test_maximum_hides_a_change_though_the_pixel_is_read(explorer: PokeExplorer) -> None:
    """Reading and changing are two things: a poke that loses the maximum changes nothing."""
    explorer.layers = "convolution and max pooling"
    hidden = 0
    for pixel in itertools.product(range(1, 9), repeat=2):
        explorer.pixel = pixel
        readers = {unit for unit in units_of(explorer) if explorer._subject.reads(unit)[pixel]}
        assert explorer.would_change <= readers
        hidden += explorer.would_change != readers
    assert hidden


@pytest.mark.parametrize("name", [n for n in NAMES if n not in WHOLE])
@pytest.mark.parametrize("by", [(0, 1), (2, 0), (-2, 4)])
def test_shifted_maps_of_convolutions(name: str, by: tuple[int, int], explorer: PokeExplorer) -> None:
    """The map moves by the shift over the stride, exactly, wherever a unit reads what another one read."""
    explorer.layers = name
    before = explorer.values
    found = rf.analyze(explorer._subject.model.float(), input_size=(1, 1, 12, 12)).output
    result = explorer.shift(*by)
    whole = all(b % s == 0 for b, s in zip(by, found.stride, strict=True))
    assert (result.steps is not None) == whole
    if not whole:
        assert explorer.answer["sentence"].endswith("no unit reads now what another unit read before.")
        return
    steps = tuple(int(b / s) for b, s in zip(by, found.stride, strict=True))
    assert result.steps == steps
    inner = set()
    for unit in units_of(explorer):
        source = tuple(u - s for u, s in zip(unit, steps, strict=True))
        if all(0 <= i < n for i, n in zip(source, before.shape[1:], strict=True)):
            moved = moved_by(found.mask(source), by)
            if moved.sum() == found.mask(source).sum() and (moved == found.mask(unit)).all():
                inner.add(unit)
                np.testing.assert_allclose(explorer.values[0][unit], before[0][source], rtol=0, atol=1e-12)
    assert {tuple(at) for at in np.argwhere(result.inner).tolist()} == inner
    assert result.same.sum() == len(inner) == len(explorer.answer["marked"])


@pytest.mark.parametrize("name", WHOLE)
def test_what_reads_everything_does_not_shift(name: str, explorer: PokeExplorer) -> None:
    explorer.layers = name
    assert explorer.shift(0, 1).steps is None
    assert explorer.answer["sentence"] == (
        "The image moved 1 pixel right; the map does not move with it, because every unit reads the whole image."
    )


def test_a_map_that_adds_its_own_place_does_not_follow() -> None:
    class Placed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.arange(x.shape[-1], dtype=x.dtype)

    explorer = PokeExplorer(Placed(), input_size=8)
    shift = explorer.shift(1)
    assert (shift.inner.sum(), shift.same.sum()) == (7, 0)
    assert explorer.answer["sentence"] == (
        "The image moved 1 pixel right; the map does not follow: 0 of 7 inner units hold the value that 1 unit right "
        "would give them."
    )


def test_shifting_back_and_reset(explorer: PokeExplorer) -> None:
    first = explorer.image
    explorer.poke((3, 3))
    poked = explorer.image
    explorer.shift(0, 1)
    assert explorer.changed == set()
    assert (explorer.image[:, 0] == 0).all()
    np.testing.assert_array_equal(explorer.image[:, 1:], poked[:, :-1])
    explorer.shift(0, -1)
    np.testing.assert_array_equal(explorer.image, poked)
    assert explorer.answer["sentence"] == "The image is back where it was, and so is the map."
    explorer.reset()
    np.testing.assert_array_equal(explorer.image, first)


def test_compare_shift_sees_a_wrong_map(explorer: PokeExplorer) -> None:
    before = explorer.values
    after = explorer._subject(moved_by(explorer.image, (0, 1)))
    after[0, 4, 4] += 1e-6
    shift = compare_shift(explorer._subject, (0, 1), before, after)
    assert (shift.inner.sum() - shift.same.sum(), shift.steps) == (1, (0, 1))


def test_your_own_module_is_copied_and_left_alone() -> None:
    model = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Dropout(0.5))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    explorer = PokeExplorer(model, input_size=(6, 6))
    assert explorer.offered == []
    assert explorer.values.shape == (5, 6, 6)
    explorer.poke((0, 0))
    assert len(explorer.changed) > 9  # batch norm in training mode, as the model was
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert repr(explorer).startswith(
        "PokeExplorer: Sequential on an image of 6 \N{MULTIPLICATION SIGN} 6 pixels. Pixel (0, 0) changed from "
    )
    explorer = PokeExplorer(model.eval(), input_size=(6, 6))
    explorer.poke((0, 0))
    assert explorer.changed <= {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_row_of_units() -> None:
    explorer = PokeExplorer(nn.Sequential(nn.Flatten(), nn.Linear(36, 5)), input_size=(6, 6))
    assert (explorer.unit, explorer.values.shape) == ((2,), (1, 5))
    assert explorer.reads.all()
    explorer.poke((5, 5))
    assert explorer.changed == {(i,) for i in range(5)}


def test_indices_of_numpy_and_single_numbers() -> None:
    explorer = PokeExplorer(input_size=9)
    explorer.pixel = np.int64(3)
    explorer.unit = 4
    assert (explorer.pixel, explorer.unit) == ((3,), (4,))
    explorer.poke(np.array([0]))
    assert explorer.pixel == (0,)


def test_what_comes_from_the_browser(explorer: PokeExplorer) -> None:
    explorer.set_state({"unit": [1, 2], "mode": "unit"})
    assert (explorer.unit, explorer.mode, explorer.problem) == ((1, 2), "unit", "")
    assert explorer.answer["unit"] == [1, 2]
    for wrong, message in [
        ({"unit": [10, 0]}, "`unit` must be a unit of the feature map, whose shape is (10, 10); got [10, 0]."),
        ({"pixel": [0.5, 0]}, "`pixel` must be a position of the image, whose shape is (12, 12); got [0.5, 0]."),
        ({"mode": "both"}, "`mode` must be 'pixel' or 'unit'; got 'both'."),
        ({"channel": 1}, "`channel` must be a channel of the feature map, 0 to 0; got 1."),
    ]:
        explorer.set_state(wrong)
        assert explorer.problem == message
        assert (explorer.pixel, explorer.unit, explorer.mode, explorer.channel) == ((6, 6), (1, 2), "unit", 0)
    explorer._told(None, {"do": "poke", "pixel": [0, 99]}, [])
    assert explorer.problem == "`pixel` must be a position of the image, whose shape is (12, 12); got [0, 99]."
    explorer._told(None, {"do": "dance"}, [])
    assert explorer.problem == "The poke explorer knows 'poke', 'shift' and 'reset'; got 'dance'."
    explorer._told(None, {"do": "poke", "pixel": [0, 9]}, [])
    assert (explorer.problem, explorer.pixel, len(explorer.changed)) == ("", (0, 9), 3)
    explorer._told(None, {"do": "shift", "by": [1, 0]}, [])
    assert explorer.answer["by"] == [1, 0]
    explorer._told(None, {"do": "reset"}, [])
    assert explorer.answer["by"] == [0, 0]


def test_the_browser_gets_back_what_was_refused(explorer: PokeExplorer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(type(explorer), "send_state", lambda _, key=None: sent.append(key))
    explorer.set_state({"unit": [99, 0]})
    assert None in sent  # all of it, so that browser and Python agree again


def test_other_layers_keep_or_find_a_unit(explorer: PokeExplorer) -> None:
    explorer.unit = (9, 9)
    explorer.layers = "dense layer"
    assert explorer.unit == (9, 9)
    explorer.layers = "global average pooling"
    assert (explorer.unit, explorer.answer["layers"]) == ((0, 0), "global average pooling")


def test_the_picture_says_what_is_shown(explorer: PokeExplorer) -> None:
    explorer.unit = (0, 0)
    picture = explorer.picture()
    assert (
        picture.alt
        == "One convolution, kernel 3 on an image of 12 \N{MULTIPLICATION SIGN} 12 pixels. "
        + explorer.answer["sentence"]
    )
    assert [ax.get_title(loc="left").replace("\n", " ") for ax in picture.figure.axes] == [
        "Unit (0, 0) reads 9 of 144 pixels",
        "9 of 100 units would change",
    ]
    explorer.shift(0, 1)
    assert explorer.picture().figure.axes[1].get_title(loc="left").replace("\n", " ") == "90 of 100 units moved along"
    assert PokeExplorer(input_size=5).picture().figure.axes[0].get_xlabel() == "position"


def test_the_same_seed_gives_the_same_explorer() -> None:
    first, second, other = PokeExplorer(seed=3), PokeExplorer(seed=3), PokeExplorer(seed=4)
    np.testing.assert_array_equal(first.values, second.values)
    assert not np.array_equal(first.values, other.values)
    state = torch.random.get_rng_state()
    PokeExplorer().poke((1, 1))
    assert torch.equal(state, torch.random.get_rng_state())


SIZE = (
    "`input_size` must hold the lengths of one or two axes, as (12, 12) or 24, each from 1 to 64, together at most "
    "1024 pixels; got {}. For other inputs use rflib.analyze or rflib.measure."
)


@pytest.mark.parametrize("size", [(4, 4, 4), (), (0, 5), 65, (64, 64), "12", 2.5])
def test_sizes_that_cannot_be_drawn(size: object) -> None:
    with pytest.raises(rf.ModelError) as caught:
        PokeExplorer(input_size=size)
    assert str(caught.value) == SIZE.format(repr(size))


def test_errors_say_what_to_do(explorer: PokeExplorer) -> None:
    with pytest.raises(rf.UnitError) as caught:
        explorer.pixel = (0, 12)
    assert str(caught.value) == "`pixel` must be a position of the image, whose shape is (12, 12); got (0, 12)."
    with pytest.raises(rf.UnknownNameError) as unknown:
        explorer.layers = "dense layers"
    assert str(unknown.value).startswith("There is no choice of layers 'dense layers'. Nearest: 'dense layer'")
    with pytest.raises(rf.ModelError) as wrong:
        explorer.poke((0, 0), value=2)
    assert str(wrong.value) == "`value` must be a gray value from 0 (black) to 1 (white); got 2."
    with pytest.raises(rf.ModelError) as wrong:
        explorer.shift(1)
    assert str(wrong.value) == "`shift` needs 2 whole numbers, one an axis; got (1,)."
    with pytest.raises(rf.ModelError) as wrong:
        explorer.shift(12, 0)
    assert (
        str(wrong.value)
        == "Shifted by (12, 0) nothing would be left of an image of 12 \N{MULTIPLICATION SIGN} 12 pixels."
    )
    with pytest.raises(rf.ModelError) as wrong:
        PokeExplorer(model="conv")
    assert str(wrong.value) == "`model` must be a torch.nn.Module; got 'conv'."
    with pytest.raises(rf.ModelError) as wrong:
        PokeExplorer(seed=-1)
    assert str(wrong.value) == "`seed` must be an integer >= 0; got -1."
    with pytest.raises(rf.ModelError) as wrong:
        PokeExplorer(nn.Conv3d(1, 1, 3))
    assert str(wrong.value).startswith("The model does not run on an input of shape (1, 1, 12, 12). ")
    with pytest.raises(rf.ModelError) as wrong:
        PokeExplorer(nn.Unflatten(3, (3, 4)))
    assert str(wrong.value) == (
        "The poke explorer draws a feature map of one or two axes, (1, channels, *units), or one row of units, "
        "(1, units); the module gives (1, 1, 12, 3, 4) for an input of (1, 1, 12, 12)."
    )
    broken = nn.Conv2d(1, 1, 3)
    nn.init.constant_(broken.weight, float("inf"))
    with pytest.raises(rf.ModelError) as wrong:
        PokeExplorer(broken)
    assert str(wrong.value) == (
        "The module gives values that are not finite numbers on a black image. Check its weights."
    )
    assert explorer.answer["by"] == [0, 0]


def test_an_image_shifted_farther_than_the_map_is_long_leaves_nothing_of_the_map() -> None:
    explorer = PokeExplorer(input_size=(5, 6))
    explorer.layers = "convolution and max pooling"
    assert explorer.values.shape == (1, 1, 2)
    assert explorer.shift(0, -3).steps is None
    np.testing.assert_array_equal(moved_by(np.ones((1, 2)), (0, -3)), np.zeros((1, 2)))
