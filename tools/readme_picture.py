"""Draw README's picture: what the middle unit of each stage of a ResNet-50 sees of a photograph.

Run `python tools/readme_picture.py`; it writes docs/receptive_field.png. Every number in the picture is computed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_sample_image

import rflib as rf
from rflib import zoo
from rflib.figures import drawing as d

STAGES = ("layer1", "layer2", "layer3", "layer4")
COLORS = (d.AMBER, d.SKY, d.PURPLE, d.RED)
VEIL = 0.7  # white over what no stage reads


def nested_windows(image: npt.NDArray[np.uint8], layers: Sequence[Any], model: str) -> d.Drawing:
    """Draw the windows of the middle units of several layers in one photograph, the deepest layer last.

    Args:
        image: The photograph, (H, W, 3).
        layers: The layers' analyses of an input of that size, at most four, the windows growing.
        model: What the title calls the network.

    Returns:
        The drawing. Its `alt` states every layer's window.
    """
    height, width = image.shape[:2]
    units = [tuple(extent // 2 for extent in found.unit_shape) for found in layers]
    windows = [found.interval(unit) for found, unit in zip(layers, units, strict=True)]
    sizes = [d.times(last - first + 1 for first, last in window) for window in windows]
    top, bottom = min(0, *(w[0][0] for w in windows)), max(height - 1, *(w[0][1] for w in windows))
    left, right = min(0, *(w[1][0] for w in windows)), max(width - 1, *(w[1][1] for w in windows))
    axes = d.canvas(d.WIDTH, (d.WIDTH - 1) * (bottom - top + 9) / (right - left + 1) + 1.2, None)
    axes.set(xlim=(left - 0.5, right + 0.5), ylim=(bottom + 4.5, top - 4.5), aspect="equal", anchor="SW")
    axes.imshow(image, zorder=2)
    read = np.mean([found.mask(unit) for found, unit in zip(layers, units, strict=True)], axis=0)
    veil = np.ones((height, width, 4))
    veil[..., 3] = VEIL * (1 - read) ** 2  # the more of the layers read a pixel, the clearer it is
    axes.imshow(veil, interpolation="nearest", zorder=3)
    d.hatched(axes, windows[-1])
    aside = min(right, max(w[1][1] for w in windows) + 14)  # the names stand right of all windows
    names = zip(layers, windows, sizes, COLORS, np.linspace(0.56, 0.1, len(layers)) * height, strict=False)
    for found, window, size, color, row in reversed(list(names)):
        d.frame(axes, window, color, found.path)
        _name(axes, window, color, f"{found.path}\n{size}", (aside, row))
    title = f"The deeper a unit of {model}, the more of the photo it sees"
    listed = ", ".join(f"{found.path} {size}" for found, size in zip(layers, sizes, strict=True))
    alt = f"{title}: nested windows of the middle units, in pixels, on a photo of {d.times((height, width))}: {listed}."
    return d.finish(axes, title, alt, "column (pixels)", "row (pixels)", own=True)


def _name(axes: Any, window: d.Window, color: str, text: str, place: tuple[float, float]) -> None:
    """The layer and the size of its window, beside all windows, with a line to its own."""
    (top, bottom), (_, right) = window
    axes.annotate(
        text, (right, float(np.clip(place[1], top + 3, bottom - 3))), place, fontsize=d.LABEL, fontweight="bold",
        color=d.BLACK, verticalalignment="center", zorder=8,
        bbox={"facecolor": "white", "edgecolor": color, "linewidth": 2.5, "boxstyle": "round,pad=0.3"},
        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 2.5, "shrinkA": 0, "shrinkB": 0, "zorder": 7},
    )  # fmt: skip


def main() -> None:
    """Analyze, draw, save."""
    image = load_sample_image("flower.jpg")
    analysis = rf.analyze(zoo.resnet50().eval(), input_size=(1, 3, *image.shape[:2]))
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "receptive_field.png")
    target.parent.mkdir(exist_ok=True)
    picture = nested_windows(image, [analysis[stage] for stage in STAGES], "ResNet-50")
    picture.save(target)
    print(f"{target.name}: {picture.alt}")


if __name__ == "__main__":
    main()
