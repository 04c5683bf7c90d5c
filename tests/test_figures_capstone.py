"""Pictures of the capstone: every pixel in the color of its verdict, every line where its reading is."""

from __future__ import annotations

import matplotlib.colors as colors
import numpy as np

from rflib.experiments import Capstone, CapstoneRun, Score
from rflib.experiments.windows import WindowReading
from rflib.figures import drawing as d
from rflib.figures.capstone import draw_capstone, draw_windows

TRUTH = ((0.0, 0.0, 3.0), (3.0, 3.0, 0.0))
FOUND = ((0.0, 4.0, 3.0), (4.0, 0.0, 0.0))
WANTED = (("white", d.AMBER, d.BLACK), (d.RED, d.SKY, "white"))


def result(runs: int) -> Capstone:
    made = tuple(CapstoneRun(f"design {n}", 0, 3, 160.0, Score(0.5, 0.25), FOUND) for n in range(runs))
    return Capstone(28, 200, TRUTH, TRUTH, made)


def test_every_pixel_has_the_color_of_its_verdict() -> None:
    drawing = draw_capstone(result(1))
    image = drawing.figure.axes[1].images[0]
    painted = image.cmap(image.norm(image.get_array()))
    wanted = np.array([[colors.to_rgba(color) for color in row] for row in WANTED])
    assert np.allclose(painted, wanted)
    assert drawing.alt == result(1).finding
    labels = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert labels[0] == "background, left alone"
    assert len(labels) == 5


def test_there_is_a_panel_for_each_design_and_none_is_empty() -> None:
    for runs in (1, 2, 5):
        shown = [axes for axes in draw_capstone(result(runs)).figure.axes if axes.axison]
        assert len(shown) == runs + 1
        assert all(axes.images for axes in shown)
        assert shown[1].get_title(loc="left") == "design 0\nink 0.50, mask 0.25"


def test_lines_stand_where_the_readings_are() -> None:
    first = WindowReading("a", (3, 9), (0.1, 0.8))
    second = WindowReading("b", (3, 27), (0.2, 0.7))
    drawing = draw_windows({"one": first, "two": second}, "Two lines.", "A title", 0.78)
    [axes] = drawing.figure.axes
    for line, reading in zip(axes.lines, (first, second), strict=False):
        assert tuple(line.get_xdata()) == reading.sizes
        assert tuple(line.get_ydata()) == reading.accuracies
    assert set(axes.lines[2].get_ydata()) == {0.78}
    assert axes.get_xticks().tolist() == [3, 9, 27]
    assert drawing.alt == "Two lines."
