"""The picture of fields against prices holds the numbers of the curves."""

from __future__ import annotations

import pytest

from rflib.design import WAYS, growth
from rflib.design.affording import growth_within
from rflib.errors import ModelError, UnknownNameError
from rflib.figures.ways import draw_ways

BUDGET = growth("depth", 6)[-1].cost


def test_lines_are_the_curves_and_panels_share_their_scale() -> None:
    curves = {
        "parameters": [growth_within(way, BUDGET.parameters) for way in WAYS],
        "multiply_adds": [growth_within(way, BUDGET.multiply_adds, "multiply_adds") for way in WAYS],
    }
    drawing = draw_ways(curves)
    left, right = drawing.figure.axes
    for ax, (cost, growths) in zip((left, right), curves.items(), strict=True):
        assert [tuple(line.get_xdata()) for line in ax.get_lines()] == [getattr(found, cost) for found in growths]
        assert [tuple(line.get_ydata()) for line in ax.get_lines()] == [found.sizes for found in growths]
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == [f"{f.way}: {f.sizes[-1]:,}" for f in sorted(growths, key=lambda f: -f.sizes[-1])]
        assert ax.get_xlabel() == cost.replace("_", "-")
    assert left.get_ylim() == right.get_ylim()
    assert [line.get_color() for line in left.get_lines()] == [line.get_color() for line in right.get_lines()]
    assert left.get_ylim()[1] > 638
    assert "pooling 190, dilation 127, depthwise 93, depth 13, large kernels 7." in drawing.alt
    assert "pooling 638, dilation 127, depthwise 95, depth 13, large kernels 7." in drawing.alt
    assert drawing.figure.get_suptitle().replace("\n", " ") == (
        "Pooling gets to 190 for equal parameters, pooling gets to 638 for equal multiply-adds"
    )
    drawing.figure.draw_without_rendering()
    title = drawing.figure._suptitle.get_window_extent()
    assert title.x1 < drawing.figure.bbox.x1  # the whole title is on the sheet


def test_a_title_of_ones_own() -> None:
    assert draw_ways({"parameters": [growth("depth", 2)]}, title="Mine").figure.get_suptitle() == "Mine"


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ModelError, match=r"one to six curves|one to 6 curves.*got no cost\."):
        draw_ways({})
    with pytest.raises(ModelError, match=r"got 0 for 'parameters'\."):
        draw_ways({"parameters": []})
    with pytest.raises(UnknownNameError, match="money"):
        draw_ways({"money": [growth("depth", 2)]})
