"""The pictures show the results' own numbers; checked on the artists, against arithmetic and by counting pixels."""

import base64
import importlib.util
import io
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from PIL import Image

from rflib import figures
from rflib.arithmetic import Layer, output_size, receptive_field
from rflib.errors import LayerError, ModelError, UnitError
from rflib.tables import layer_table

BY = " \N{MULTIPLICATION SIGN} "
DILATED = [Layer(3, padding=2, dilation=2)] * 3
STRIDED = [Layer(3, stride=2, padding=1), Layer(3, padding=1)]


@dataclass(frozen=True)
class Analysis:
    """One layer's analysis as the pictures know it: a stack for each axis, the numbers those of `arithmetic`."""

    layers: tuple[list[Layer], ...]
    input_shape: tuple[int, ...]
    path: str = "conv"
    asked: Counter = field(default_factory=Counter, compare=False)

    @property
    def unit_shape(self):
        return tuple(output_size(layers, extent) for layers, extent in zip(self.layers, self.input_shape, strict=True))

    def interval(self, unit):
        self.asked["interval", unit] += 1
        if not all(0 <= index < extent for index, extent in zip(unit, self.unit_shape, strict=True)):
            raise UnitError(f"There is no unit {unit}.")
        return tuple(receptive_field(layers).interval(index) for layers, index in zip(self.layers, unit, strict=True))

    def center(self, unit):
        self.asked["center", unit] += 1
        return tuple(receptive_field(layers).center(index) for layers, index in zip(self.layers, unit, strict=True))

    def mask(self, unit):
        self.asked["mask", unit] += 1
        each = [
            np.isin(np.arange(extent), receptive_field(layers).positions(index, extent))
            for layers, index, extent in zip(self.layers, unit, self.input_shape, strict=True)
        ]
        return reduce(np.logical_and.outer, each)


class Blind(Analysis):
    """A layer whose first unit reads nothing."""

    def interval(self, unit):
        return None if not any(unit) else super().interval(unit)

    def center(self, unit):
        return None if not any(unit) else super().center(unit)

    def mask(self, unit):
        return super().mask(unit) & any(unit)


def two(layers, shape=(24, 30), kind=Analysis):
    return kind((layers, layers), shape)


def photo(shape=(24, 30)):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def axes_of(drawing):
    [axes] = drawing.figure.axes
    return axes


def title_of(drawing):
    return drawing.figure.get_suptitle().replace("\n", " ")


def frames_of(drawing):
    """(first row, last row, first column, last column) of each colored frame."""
    boxes = [
        patch
        for patch in axes_of(drawing).patches
        if isinstance(patch, Rectangle) and "window" in str(patch.get_label())
    ]
    return [
        (
            box.get_y() + 0.5,
            box.get_y() + box.get_height() - 0.5,
            box.get_x() + 0.5,
            box.get_x() + box.get_width() - 0.5,
        )
        for box in boxes
    ]


def hatched_of(drawing):
    return [patch for patch in axes_of(drawing).patches if patch.get_hatch()]


def line_of(drawing, label):
    """The points (x, y) of the line whose label begins so."""
    found = [line for line in axes_of(drawing).lines if str(line.get_label()).startswith(label)]
    return {(float(x), float(y)) for line in found for x, y in zip(*line.get_data(), strict=True)}


def legend_of(drawing):
    return [text.get_text() for text in axes_of(drawing).get_legend().get_texts()]


def every_drawing():
    """One drawing of each kind, with the awkward cases."""
    return {
        "unit": figures.draw_unit(photo(), two(STRIDED)),
        "unit at the corner": figures.draw_unit(photo(), two(STRIDED), (0, 14)),
        "unit with holes": figures.draw_unit(photo(), two([Layer(3, padding=5, dilation=5)])),
        "blind unit": figures.draw_unit(photo(), two(STRIDED, kind=Blind), (0, 0)),
        "tall image": figures.draw_unit(photo((90, 20)), two(DILATED * 4, (90, 20))),
        "wide image": figures.draw_unit(photo((4, 90)), two(STRIDED, (4, 90))),
        "grid": figures.draw_grid(photo(), two(STRIDED)),
        "mask": figures.draw_mask(two(DILATED)),
        "mask at the corner": figures.draw_mask(two(DILATED), (0, 29)),
        "mask on one axis": figures.draw_mask(Analysis((DILATED,), (40,))),
        "stack": figures.draw_stack(STRIDED * 2),
        "stack at the border": figures.draw_stack(DILATED, unit=0, input_size=20),
        "deep stack": figures.draw_stack([Layer(3, stride=1 + i % 2, padding=1) for i in range(14)], input_size=400),
        "growth": figures.draw_growth({"a name that is rather long": [3, 7, 15], "another long one": [3, 5, 7]}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def drawings():
    return every_drawing()


# ------------------------------------------------------------------------------------------------------- one unit


@pytest.mark.parametrize("unit", [(0, 0), (5, 7), (11, 14), (3, 14), None])
@pytest.mark.parametrize("layers", [STRIDED, [Layer(4, stride=2)], [Layer(2)]])
def test_a_unit_is_framed_by_its_interval(layers, unit):
    found = two(layers)
    if unit is not None and any(u >= n for u, n in zip(unit, found.unit_shape, strict=True)):
        unit = tuple(n - 1 for n in found.unit_shape)
    drawing = figures.draw_unit(photo(), found, unit)
    asked = unit or tuple(n // 2 for n in found.unit_shape)
    (top, bottom), (left, right) = found.interval(asked)
    assert frames_of(drawing) == [(top, bottom, left, right)]
    row, column = found.center(asked)
    assert line_of(drawing, "center") == {(column, row)}
    for number in (top, bottom, left, right):
        assert re.search(rf"(?<![\d-]){number}(?!\d)", drawing.alt)
    assert f"reads {found.mask(asked).sum():,} pixels" in drawing.alt


@pytest.mark.parametrize("unit", [(0, 0), (12, 15), (23, 29)])
def test_what_a_unit_does_not_read_is_veiled_and_nothing_else(unit):
    found = two(DILATED)
    picture, veil = axes_of(figures.draw_unit(photo(), found, unit)).images
    assert np.array_equal(veil.get_array()[..., 3] == 0, found.mask(unit))
    assert np.allclose(picture.get_array(), photo() / 255)


def test_padding_is_hatched_behind_the_image_and_the_axes_reach_it():
    found = two(STRIDED)
    inner, corner = figures.draw_unit(photo(), found, (5, 7)), figures.draw_unit(photo(), found, (0, 0))
    assert not hatched_of(inner)
    assert "padding" not in inner.alt + " ".join(legend_of(inner))
    [hatched] = hatched_of(corner)
    assert hatched.get_zorder() < axes_of(corner).images[0].get_zorder()
    left, right = axes_of(corner).get_xlim()
    (top, _), (first, _) = found.interval((0, 0))
    assert left < first - 0.5 < right
    assert axes_of(corner).get_ylim()[1] < top - 0.5
    assert "67% of them padding" in title_of(corner)  # 7 x 7 from -3 on: 16 of 49 lie inside


def test_the_axes_of_a_window_inside_the_image_end_where_the_image_ends():
    axes = axes_of(figures.draw_unit(photo(), two(STRIDED), (5, 7)))
    assert axes.get_xlim() == (-0.5, 29.5)
    assert axes.get_ylim() == (23.5, -0.5)


def test_pixels_too_lonely_to_be_seen_get_a_dot_each():
    found = two([Layer(3, padding=5, dilation=5)])
    drawing = figures.draw_unit(photo(), found, (12, 15))
    assert line_of(drawing, "read (9 pixels)") == {(x, y) for x in (10, 15, 20) for y in (7, 12, 17)}
    assert "reads 9 of the 121 pixels in its window" in title_of(drawing)
    [dots] = [line for line in axes_of(drawing).lines if str(line.get_label()).startswith("read")]
    assert dots.get_zorder() > max(patch.get_zorder() for patch in axes_of(drawing).patches)  # the frame hides none
    assert not line_of(figures.draw_unit(photo(), two(STRIDED)), "read")


def test_a_unit_that_reads_nothing_is_drawn_as_such():
    drawing = figures.draw_unit(photo(), two(STRIDED, kind=Blind), (0, 0))
    assert frames_of(drawing) == []
    assert drawing.alt == f"Unit (0, 0) of conv reads nothing of this input of 24{BY}30 pixels: it has no window."
    only_padding = figures.draw_unit(photo(), two([Layer(1, padding=3)]), (0, 0))
    assert "reads nothing" in title_of(only_padding)
    assert frames_of(only_padding) == [(-3, -3, -3, -3)]
    assert "reads 0 pixels" in only_padding.alt


def test_pixels_read_outside_the_ideal_window_are_counted():
    class Wrapping(Analysis):
        def mask(self, unit):
            return super().mask(unit) | (np.indices(self.input_shape).max(0) == 29)

    drawing = figures.draw_unit(photo(), two([Layer(3, padding=1)], kind=Wrapping), (1, 1))
    assert "reads 33 pixels, 24 of them outside that window" in drawing.alt


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_gray_and_color_of_any_type_look_alike(dtype):
    gray = (np.arange(24 * 30).reshape(24, 30) % 2 * (255 if np.dtype(dtype).kind in "ui" else 1)).astype(dtype)
    for image in (gray, gray[..., None], np.stack([gray] * 3, -1)):
        shown = axes_of(figures.draw_unit(image, two(STRIDED))).images[0].get_array()
        assert shown.shape == (24, 30, 3)
        assert set(np.unique(shown)) == {0.0, 1.0}


def test_a_standardized_image_is_stretched_and_a_float_image_up_to_255_divided():
    standardized = np.linspace(-2, 2, 720).reshape(24, 30)
    shown = axes_of(figures.draw_unit(standardized, two(STRIDED))).images[0].get_array()
    assert (shown.min(), shown.max()) == (0, 1)
    bright = np.full((24, 30), 51.0)
    assert np.allclose(axes_of(figures.draw_unit(bright, two(STRIDED))).images[0].get_array(), 0.2)
    dark = np.ones((24, 30), dtype=np.uint8)
    assert np.allclose(axes_of(figures.draw_unit(dark, two(STRIDED))).images[0].get_array(), 1 / 255)
    flat = np.full((24, 30), -1.0)  # no range to stretch
    assert np.isfinite(axes_of(figures.draw_unit(flat, two(STRIDED))).images[0].get_array()).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 24, 30)), "Move the colors last: image.transpose(1, 2, 0)."),
        (np.zeros((30, 24, 3)), "got (30, 24, 3). Analyze the model at the image's own size."),
        (np.zeros((24, 30, 4)), "Keep the three colors: image[..., :3]."),
        (np.zeros(24), "got (24,)."),
    ],
)
def test_an_image_of_another_shape_is_refused(image, message):
    for draw in (figures.draw_unit, figures.draw_grid):
        with pytest.raises(ModelError) as caught:
            draw(image, two(STRIDED))
        assert str(caught.value).startswith(
            "`image` must have shape (24, 30) or (24, 30, 3), as the input of conv; got "
        )
        assert message in str(caught.value)


@pytest.mark.parametrize("image", [np.full((24, 30), np.nan), np.full((24, 30), np.inf), np.full((24, 30), "a")])
def test_an_image_without_finite_numbers_is_refused(image):
    with pytest.raises(ModelError, match="`image` must hold finite numbers; got an array of"):
        figures.draw_unit(image, two(STRIDED))


def test_other_numbers_of_axes_are_refused_with_the_way_out():
    one, three = Analysis((STRIDED,), (24,)), Analysis((STRIDED,) * 3, (8, 8, 8))
    with pytest.raises(ModelError, match=r"the input of conv has 1\. Use draw_mask, or draw_stack"):
        figures.draw_unit(photo(), one)
    with pytest.raises(ModelError, match=r"has two spatial axes; the input of conv has 3\.$"):
        figures.draw_grid(photo(), three)
    with pytest.raises(ModelError, match="one or two spatial axes; the input of conv has 3"):
        figures.draw_mask(three)


def test_a_unit_out_of_range_is_the_results_own_error():
    with pytest.raises(UnitError, match="There is no unit"):
        figures.draw_unit(photo(), two(STRIDED), (99, 0))


# --------------------------------------------------------------------------------------------------------- a grid


@pytest.mark.parametrize("layers", [STRIDED, DILATED, [Layer(8, stride=4)]])
def test_every_unit_is_a_mark_at_its_center_and_border_units_are_counted(layers):
    found = two(layers)
    drawing = figures.draw_grid(photo(), found, units=1)
    over, inner = set(), set()
    for unit in np.ndindex(found.unit_shape):
        (top, bottom), (left, right) = found.interval(unit)
        row, column = found.center(unit)
        inside = {top, bottom} <= set(range(24)) and {left, right} <= set(range(30))
        (inner if inside else over).add((column, row))
    assert line_of(drawing, "window inside") == inner
    assert line_of(drawing, "window over") == over
    assert f"The windows of {len(inner):,} lie inside it" in drawing.alt
    word = (
        f"{len(over)} of the {len(over) + len(inner)} units look" if over else f"none of the {len(inner)} units looks"
    )
    assert word in drawing.alt
    assert f"({len(over)})" in " ".join(legend_of(drawing)) or not over


def test_the_windows_of_the_first_the_middle_and_the_last_unit_are_framed():
    found = two(STRIDED)
    framed = frames_of(figures.draw_grid(photo(), found))
    assert framed == [tuple(np.ravel(found.interval(unit))) for unit in [(0, 0), (6, 7), (11, 14)]]
    chosen = figures.draw_grid(photo(), found, windows=[(2, 3)])
    assert frames_of(chosen) == [tuple(np.ravel(found.interval((2, 3))))]
    assert "window of unit (2, 3)" in legend_of(chosen)


def test_every_kth_unit_leaves_the_same_margin_at_both_ends():
    found = two([Layer(1)], (25, 31))
    rows = {y for _, y in line_of(figures.draw_grid(photo((25, 31)), found, units=6), "window")}
    assert rows == {0, 6, 12, 18, 24}
    drawing = figures.draw_grid(photo((25, 31)), found, units=4)
    assert {x for x, _ in line_of(drawing, "window")} == {1, 5, 9, 13, 17, 21, 25, 29} | {
        3,
        7,
        11,
        15,
        19,
        23,
        27,
    } & set()
    assert "every 4 along each axis" in drawing.alt
    assert "units drawn" in title_of(drawing)


def test_a_list_of_units_and_a_map_too_large_to_draw_whole():
    found = two([Layer(1)], (24, 100))
    listed = figures.draw_grid(photo((24, 100)), found, units=[(1, 2), (3, 4)])
    assert line_of(listed, "window inside") == {(2, 1), (4, 3)}
    thinned = line_of(figures.draw_grid(photo((24, 100)), found), "window inside")
    assert len({x for x, _ in thinned}) == 20  # every fifth
    everyone = figures.draw_grid(photo(), two([Layer(9, padding=30)]), units=[(0, 0), (75, 81)])
    assert "all 2 units drawn look over the border" in title_of(everyone)


def test_units_that_read_nothing_are_counted_not_drawn():
    drawing = figures.draw_grid(photo(), two(STRIDED, kind=Blind))
    assert len(line_of(drawing, "window")) == 12 * 15 - 1
    assert "1 read nothing" in drawing.alt


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "an integer >= 1 or a list of units; got 0"),
        ({"units": []}, "`units` of draw_grid is empty"),
        ({"windows": [(0, i) for i in range(7)]}, "takes at most 6 units; got 7"),
    ],
)
def test_grids_that_cannot_be_drawn(arguments, message):
    with pytest.raises(ModelError, match=message):
        figures.draw_grid(photo(), two(STRIDED), **arguments)


# ----------------------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("unit", [(0, 3), (12, 15), (23, 29)])
def test_a_mask_is_drawn_cell_by_cell(unit):
    found = two(DILATED)
    drawing = figures.draw_mask(found, unit)
    [cells] = axes_of(drawing).images
    assert np.array_equal(cells.get_array(), found.mask(unit))
    assert frames_of(drawing) == [tuple(np.ravel(found.interval(unit)))]
    assert bool(hatched_of(drawing)) == (unit != (12, 15))
    assert f"it reads {found.mask(unit).sum()} positions" in drawing.alt


def test_a_mask_on_one_axis_is_a_strip():
    found = Analysis((DILATED,), (40,))
    drawing = figures.draw_mask(found, 20)
    assert np.array_equal(axes_of(drawing).images[0].get_array(), found.mask((20,))[None])
    assert frames_of(drawing) == [(0, 0, 14, 26)]
    assert title_of(drawing) == "Unit 20 of conv reads 7 of the 13 positions in its window"
    assert "positions 14 to 26, centered on 20" in drawing.alt


def test_the_mask_of_a_unit_that_reads_nothing():
    drawing = figures.draw_mask(two(STRIDED, kind=Blind), (0, 0))
    assert "reads nothing" in drawing.alt
    assert not axes_of(drawing).images[0].get_array().any()


# ---------------------------------------------------------------------------------------------------------- stacks


def marks_of(drawing, height):
    """Where the marks of one row stand, by kind."""
    return {
        line.get_label(): sorted(float(x) for x in line.get_xdata())
        for line in axes_of(drawing).lines
        if len(line.get_xdata()) and set(line.get_ydata()) == {height}
    }


@pytest.mark.parametrize("unit", [0, 3, 9])
def test_the_input_row_shows_what_is_read_what_is_not_and_padding(unit):
    stack = [Layer(3, padding=2, dilation=2, name="a"), Layer(3, padding=2, dilation=2, name="b")]
    field = receptive_field(stack)
    drawing = figures.draw_stack(stack, unit=unit, input_size=10)
    shown = marks_of(drawing, 0)
    first, last = field.interval(unit)
    read = set(field.positions(unit, 10))
    inside = {p for p in range(first, last + 1) if 0 <= p < 10}
    assert set(shown["read"]) == read
    assert set(shown["in the window, not read"]) == inside - read
    assert set(shown.get("padding", [])) == {p for p in field.positions(unit) if not 0 <= p < 10}
    assert set(shown.get("outside the window", [])) == set(range(10)) - inside
    assert f"positions {first} to {last}" in drawing.alt
    assert f"reads {len(read)} positions" in drawing.alt


def test_units_stand_at_their_centers_and_rows_name_size_and_jump():
    stack = [Layer(3, stride=2, padding=1, name="conv1"), Layer(2, stride=2, name="pool"), Layer(3)]
    drawing = figures.draw_stack(stack, input_size=32)
    notes = [text.get_text() for text in axes_of(drawing).texts]
    labels = [label.get_text() for label in axes_of(drawing).get_yticklabels()]
    assert labels == ["input", "conv1\nkernel 3, stride 2", "pool\nkernel 2, stride 2", "layer 3\nkernel 3"]
    for height, row in enumerate(layer_table(stack), start=1):
        below = receptive_field(stack[:height])
        above = stack[height:]
        units = receptive_field(above).positions(3) if above else (3,)
        assert marks_of(drawing, height)["read"] == [below.center(unit) for unit in units]
        assert notes[height] == f"size {row.size}\njump {row.jump}"
        assert f"size {row.size}, jump {row.jump}" in drawing.alt


def test_the_cone_has_a_line_for_each_tap_that_is_read():
    stack = [Layer(3, padding=1), Layer(2, stride=2)]
    [lines] = [c for c in axes_of(figures.draw_stack(stack, 0, 8)).collections if isinstance(c, LineCollection)]
    drawn = {tuple(map(tuple, segment.tolist())) for segment in lines.get_segments()}
    upper = {((0.5, 2), (float(p), 1)) for p in (0, 1)}
    lower = {((float(u), 1), (float(p), 0)) for u in (0, 1) for p in (u - 1, u, u + 1) if p >= 0}
    assert drawn == upper | lower
    [cone] = [p for p in axes_of(figures.draw_stack(stack, 0, 8)).patches if isinstance(p, Polygon)]
    assert {(x, y) for x, y in cone.get_xy().tolist()} == {(0.5, 2), (0, 1), (1, 1), (-1, 0), (2, 0)}


def test_a_stack_without_an_input_size_has_no_border():
    drawing = figures.draw_stack(receptive_field([Layer(3, padding=1)] * 3))
    assert marks_of(drawing, 0)["read"] == list(range(-3, 4))
    assert "padding" not in drawing.alt
    assert title_of(drawing) == "Unit 0 of layer 3 sees 7 input positions"


def test_a_stack_too_wide_for_single_lines_keeps_its_cone_and_its_window():
    stack = [Layer(3, stride=2, padding=1)] * 4 + [Layer(3, padding=1)] * 12
    drawing = figures.draw_stack(stack, input_size=1024)
    assert not [c for c in axes_of(drawing).collections if isinstance(c, LineCollection)]
    first, last = receptive_field(stack).interval(32)
    low, high = axes_of(drawing).get_xlim()
    assert low <= first
    assert high >= last


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (([],), LayerError),
        (([Layer(9)], 0, 5), LayerError),
        (([Layer(3)], 99, 8), UnitError),
        (([Layer(3)], "a"), UnitError),
        (([Layer(3)], 0, 0), ModelError),
    ],
)
def test_stacks_that_cannot_be_drawn(arguments, error):
    with pytest.raises(error):
        figures.draw_stack(*arguments)


# ---------------------------------------------------------------------------------------------------------- growth


def test_growth_draws_the_sizes_it_is_given():
    plain, doubling = [Layer(3)] * 6, [Layer(3, dilation=2**i) for i in range(6)]
    drawing = figures.draw_growth(
        {"plain": [row.size for row in layer_table(plain)], "doubling": layer_table(doubling)}
    )
    assert line_of(drawing, "plain") == {(n, receptive_field(plain[:n]).size) for n in range(1, 7)}
    assert line_of(drawing, "doubling") == {(n, receptive_field(doubling[:n]).size) for n in range(1, 7)}
    assert title_of(drawing) == "After 6 layers: 127 input positions (doubling), 13 (plain)"
    assert "plain: 13 after 6 layers" in drawing.alt
    assert legend_of(drawing) == ["doubling: 127", "plain: 13"]


def test_growth_of_different_depths_and_on_a_logarithmic_axis():
    drawing = figures.draw_growth({"a": [3, 5], "b": [9]}, log=True)
    assert title_of(drawing) == "9 input positions after 1 layer (b); 5 input positions after 2 layers (a)"
    assert axes_of(drawing).get_yscale() == "log"
    alone = figures.draw_growth({"a": [3, 5]})
    assert title_of(alone) == "After 2 layers: 5 input positions (a)"
    assert axes_of(alone).get_yscale() == "linear"


def test_lines_differ_by_more_than_color():
    drawing = figures.draw_growth({str(n): [n + 1] for n in range(7)})
    looks = {(line.get_marker(), line.get_linestyle()) for line in axes_of(drawing).lines}
    assert len(looks) == 7


@pytest.mark.parametrize("curves", [{}, {"a": []}, {str(n): [1] for n in range(8)}])
def test_growth_that_cannot_be_drawn(curves):
    with pytest.raises(ModelError, match="one to 7 curves, each with at least one size; got"):
        figures.draw_growth(curves)


def test_a_real_analysis_draws_as_the_arithmetic_of_its_layers_does():
    torch = pytest.importorskip("torch")
    import rflib as rf

    convs = [torch.nn.Conv2d(1, 1, 3, stride=2, padding=1), torch.nn.Conv2d(1, 1, 3, padding=1)]
    real = rf.analyze(torch.nn.Sequential(*convs), input_size=(1, 1, 24, 30))["1"]
    expected = Analysis((STRIDED, STRIDED), (24, 30), "1")
    for unit in [(0, 0), (5, 7), (11, 14)]:
        for draw in (lambda found, unit=unit: figures.draw_unit(photo(), found, unit), figures.draw_mask):
            assert repr(draw(real)) == repr(draw(expected))
    assert repr(figures.draw_grid(photo(), real)) == repr(figures.draw_grid(photo(), expected))


# ------------------------------------------------------------------------------------------------- README's picture


def test_readmes_picture_frames_the_middle_unit_of_every_layer():
    pytest.importorskip("torch")
    path = Path(figures.__file__).parents[2] / "tools" / "readme_picture.py"
    spec = importlib.util.spec_from_file_location("readme_picture", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    layers = [Analysis(([Layer(3, padding=1)] * n,) * 2, (40, 50), f"stage{n}") for n in (1, 3, 9)]
    drawing = script.nested_windows(photo((40, 50)), layers, "a network")
    axes = axes_of(drawing)
    framed = {patch.get_label(): patch for patch in axes.patches if str(patch.get_label()).startswith("stage")}
    for found in layers:
        (top, bottom), (left, right) = found.interval((20, 25))
        box = framed[found.path]
        assert (box.get_x(), box.get_y()) == (left - 0.5, top - 0.5)
        assert (box.get_width(), box.get_height()) == (right - left + 1, bottom - top + 1)
        assert f"{found.path} {right - left + 1}{BY}{bottom - top + 1}" in drawing.alt
    clear = axes.images[1].get_array()[..., 3] == 0
    assert np.array_equal(clear, layers[0].mask((20, 25)))  # only what all of them read


# -------------------------------------------------------------------------------------------------- what all share


def test_a_drawing_shows_as_a_png_with_its_finding_as_text(drawings, tmp_path):
    for name, drawing in drawings.items():
        data, metadata = drawing._repr_mimebundle_()
        png = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert png.width <= 990, name  # nine inches
        assert metadata == {"image/png": {"alt": drawing.alt}}
        assert png.text["Description"] == drawing.alt
        assert data["text/plain"] == repr(drawing) == f"Drawing: {drawing.alt}"
        assert drawing.alt.startswith(title_of(drawing)) or name in ("growth", "blind unit")
    for ending in ("png", "svg", "pdf"):
        drawings["unit"].save(tmp_path / f"unit.{ending}")
        assert (tmp_path / f"unit.{ending}").stat().st_size > 1000
    assert Image.open(tmp_path / "unit.png").text["Description"] == drawings["unit"].alt
    assert drawings["unit"].alt in (tmp_path / "unit.svg").read_text("utf-8")


def test_ipython_takes_the_picture_and_its_metadata(drawings):
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    data, metadata = formatter.format(drawings["unit"])
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == drawings["unit"].alt
    assert data["text/plain"] == repr(drawings["unit"])


def test_a_drawing_is_the_same_twice():
    first, second = (figures.draw_unit(photo(), two(STRIDED), (0, 0))._repr_mimebundle_() for _ in range(2))
    assert first == second


def test_no_text_leaves_the_sheet_or_runs_into_another(drawings):
    for name, drawing in drawings.items():
        figure, axes = drawing.figure, axes_of(drawing)
        figure.draw_without_rendering()
        sheet = figure.bbox.padded(1)
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        texts = [figure._suptitle, axes.xaxis.label, axes.yaxis.label, axes.get_legend(), *axes.texts]
        texts = [text for text in texts if text is not None and (not hasattr(text, "get_text") or text.get_text())]
        boxes = {text: text.get_window_extent() for text in texts}
        for text, box in boxes.items():
            assert sheet.x0 <= box.x0, (name, text)
            assert sheet.y0 <= box.y0, (name, text)
            assert box.x1 <= sheet.x1, (name, text)
            assert box.y1 <= sheet.y1, (name, text)
        solid = [box for text, box in boxes.items() if name != "growth" or text is not axes.get_legend()]
        (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        for tick in ticks:
            x, y = tick.get_position()
            if tick.get_text() and left <= x <= right and (tick in axes.get_xticklabels() or bottom <= y <= top):
                solid.append(tick.get_window_extent())
        for i, box in enumerate(solid):
            for other in solid[:i]:
                assert not box.padded(-1).overlaps(other.padded(-1)), name


def test_letters_are_large_enough(drawings):
    for drawing in drawings.values():
        axes = axes_of(drawing)
        texts = [*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts]
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
        assert all(text.get_fontsize() >= 12 for text in [*texts, axes.xaxis.label, axes.yaxis.label])
        assert drawing.figure._suptitle.get_fontsize() >= 16


@pytest.mark.parametrize("draw", ["unit", "grid", "mask", "stack", "growth"])
def test_axes_of_the_readers_own_figure_are_used(draw):
    figure = Figure(figsize=(12, 5))
    left, right = figure.subplots(1, 2)
    drawing = {
        "unit": lambda: figures.draw_unit(photo(), two(STRIDED), ax=right),
        "grid": lambda: figures.draw_grid(photo(), two(STRIDED), ax=right),
        "mask": lambda: figures.draw_mask(two(DILATED), ax=right),
        "stack": lambda: figures.draw_stack(STRIDED, ax=right),
        "growth": lambda: figures.draw_growth({"a": [3]}, ax=right),
    }[draw]()
    assert drawing.figure is figure
    assert figure.get_suptitle() == ""
    assert right.get_title("left")
    assert not left.has_data()


def test_each_question_is_put_to_the_result_once():
    for draw in (lambda found: figures.draw_unit(photo(), found), figures.draw_mask):
        found = two(STRIDED)
        draw(found)
        assert {kind: n for (kind, _), n in found.asked.items()} == {"interval": 1, "center": 1, "mask": 1}
    found = two(STRIDED)
    figures.draw_grid(photo(), found)
    assert not any(kind == "mask" for kind, _ in found.asked)  # a grid needs no mask: they are the dear part
    assert max(found.asked.values()) <= 2


LIGHT_AND_DARK = """
import matplotlib
from rflib import figures
def png():
    return figures.draw_growth({"a": [3, 5]})._repr_mimebundle_()[0]["image/png"]
light = png()
matplotlib.rcParams.update({name: "white" for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")})
matplotlib.rcParams.update({name: "black" for name in ("figure.facecolor", "axes.facecolor", "savefig.facecolor")})
matplotlib.rcParams.update({"axes.grid": True, "legend.labelcolor": "white"})
assert png() == light
"""
NO_PYPLOT = """
import sys
import rflib.figures
rflib.figures.draw_growth({"a": [3, 5]})._repr_mimebundle_()
assert "matplotlib.pyplot" not in sys.modules
assert "torch" not in sys.modules
"""


def test_a_readers_dark_style_does_not_change_the_picture():
    assert fresh(LIGHT_AND_DARK) == 0


def test_nothing_global_is_touched():
    """pyplot is not even loaded: no backend chosen, no figure kept alive."""
    assert fresh(NO_PYPLOT) == 0
    assert fresh("import matplotlib.pyplot\n" + NO_PYPLOT) == 1  # and this test can fail


def fresh(script):
    """How the script ends in a new process."""
    root = Path(figures.__file__).parents[2]
    return subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=root, capture_output=True).returncode
