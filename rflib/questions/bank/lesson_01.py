"""Questions of lesson 01: unit, patch, window; size, region, and the set of pixels really read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Interval, Number, Option, Region

_TWICE = [Layer(3, padding=1, name="conv1"), Layer(3, padding=1, name="conv2")]
_HOLES = [Layer(1, stride=2, name="conv1"), Layer(3, name="conv2")]
_CORNER = Layer(3, padding=1)
_SIDE = 5  # rows and columns of the grid in the question about the corner
_IMAGE = 16  # rows and columns of the lesson's image


def _changed(make: Callable[[], Any], row: int, column: int) -> Any:
    """Make layers with random weights, poke one pixel of an image, and compare their map bit for bit."""
    import torch  # here and not above: looking at one's progress needs no torch

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = make().double()
        image = torch.rand(1, 1, _IMAGE, _IMAGE, dtype=torch.float64)
        poked = image.clone()
        poked[0, 0, row, column] += 1e6
        return (model(poked) != model(image))[0, 0]


def _spoiled_units() -> int:
    """How many units of a 3 by 3 convolution one broken pixel in the middle changes."""
    from torch import nn

    return int(_changed(lambda: nn.Conv2d(1, 1, 3, padding=1), 8, 8).sum())


def _poked_hole() -> str:
    """What a dilated unit makes of the pixel beside the center of its window."""
    from torch import nn

    changed = _changed(lambda: nn.Conv2d(1, 1, 3, dilation=3, padding=3), 8, 9)
    return "changes" if changed[8, 8] else "same"


def _reveal_hole() -> list[Any]:
    from torch import nn

    found = rf.analyze(nn.Conv2d(1, 1, 3, dilation=3, padding=3), input_size=(1, 1, _IMAGE, _IMAGE)).output
    return ["The pixel lies in the window, between two taps.", rf.draw_mask(found, (8, 8))]


def _modes_that_spread() -> str:
    """In which modes of batch norm a pixel changes units that lie two or more away from it."""
    from torch import nn

    def make(training: bool) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1)).train(training)

    found = []
    for mode, training in (("evaluation", False), ("training", True)):
        changed = _changed(partial(make, training), 8, 8)
        changed[7:10, 7:10] = False  # the units that read the pixel in any case
        found += [mode] if changed.any() else []
    return " and ".join(found) or "neither"


def _poked_outside() -> str:
    """Poke a pixel just outside the window of two layers, very hard, and compare bit for bit."""
    import torch  # here and not above: looking at one's progress needs no torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 1, 3, padding=1)).double()
        image = torch.rand(1, 1, 9, 9, dtype=torch.float64)
    poked = image.clone()
    poked[0, 0, 4, 7] += 1e6  # the window of unit (4, 4) ends in column 6
    with torch.no_grad():
        return "same" if model(poked)[0, 0, 4, 4].equal(model(image)[0, 0, 4, 4]) else "changes"


def _shift_of_the_map() -> int:
    """Shift a bright spot by three columns; how far the highest place of the map moves."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        conv = nn.Conv2d(1, 1, 3, padding=1, bias=False).double()
    places = []
    for column in (6, 9):
        image = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
        image[0, 0, 8, column] = 1
        with torch.no_grad():
            places.append(int(conv(image)[0, 0].amax(dim=0).argmax()))
    return places[1] - places[0]


def _dense_reads() -> int:
    from torch import nn

    found = rf.analyze(nn.Sequential(nn.Flatten(), nn.Linear(36, 4)), input_size=(1, 1, 6, 6)).output
    return int(found.mask().sum())


def _corner_cells(padding: int) -> list[tuple[int, int]]:
    """What unit (0, 0) of a 3 by 3 convolution reads of the grid."""
    line = [position for position in Layer(3, padding=padding).reads(0) if 0 <= position < _SIDE]
    return [(row, column) for row in line for column in line]


def _reveal_holes() -> list[Any]:
    return [
        "The window spans five positions. The two between the taps are read by no one.",
        rf.draw_stack(_HOLES, unit=0),
    ]


LESSON = Lesson(
    "01",
    "What is a receptive field?",
    "lessons/01_what_is_a_receptive_field.ipynb",
    (
        Number(
            "A convolution with a 3 by 3 kernel, stride 1 and padding 1 makes a feature map of 16 by 16 units from an "
            "image of 16 by 16 pixels. One pixel in the middle of the image is broken. How many units does it change?",
            id="01-broken-pixel",
            unit="units",
            prediction=True,
            truth=_spoiled_units,
            reveal=lambda: "The pixel was poked on a real layer, and the two feature maps compared bit for bit.",
            mistakes=[
                (1, None, "You took the unit at the pixel's own place alone. Its neighbors read that pixel as well."),
                (3, None, "You thought of one axis. It is three rows of units, and three in each row."),
                (8, "M15", "You counted the neighbors and left out the unit at the pixel's own place."),
                (
                    lambda: _IMAGE * _IMAGE,
                    "A1",
                    "You let one pixel reach every unit. A unit of a convolution reads the pixels under its kernel "
                    "and no others.",
                ),
            ],
        ),
        Choice(
            "Two 3 by 3 convolutions, one after the other. You add a *million* to a pixel that lies one column outside "
            "the window of a unit. What does the unit do?",
            id="01-outside",
            prediction=True,
            truth=_poked_outside,
            reveal=lambda: "The pixel was poked on real layers, and the two values of the unit compared bit for bit.",
            options=[
                Option(
                    "changes",
                    "You expect influence to fade and never to end. The kernel ends, and with it the influence.",
                    "A1",
                    "It changes a little.",
                ),
                Option(
                    "large",
                    "You expect a large poke to leak through. A weight that does not exist multiplies no "
                    "number, however large.",
                    "A1",
                    "It changes, because the poke is so large.",
                ),
                Option("same", text="It stays the same, bit for bit."),
            ],
        ),
        Number(
            "Two convolutions with kernel 3 and stride 1. How many pixels wide is the window of a unit "
            "of the *second* one?",
            id="01-second-layer",
            unit="pixels",
            prediction=True,
            truth=lambda: rf.receptive_field(_TWICE).size,
            reveal=lambda: rf.draw_stack(_TWICE, unit=4, input_size=9),
            mistakes=[
                (
                    lambda: _wrong.last_kernel(_TWICE),
                    "M2",
                    "You took the kernel for the field. The three units that it reads see three pixels each.",
                ),
                (
                    lambda: _wrong.kernels_added(_TWICE),
                    "A7",
                    "You added the kernels. Neighboring windows overlap, so a layer adds one less than its kernel.",
                ),
                (
                    lambda: _TWICE[0].kernel_size * _TWICE[1].kernel_size,
                    "A4",
                    "You multiplied the kernels. That would be so if neighboring windows did not overlap.",
                ),
            ],
        ),
        Choice(
            "One convolution with a 3 by 3 kernel and dilation 3: neighboring taps are three pixels apart. The broken "
            "pixel lies inside the window of a unit, right beside its center. What does the unit do?",
            id="01-hole",
            prediction=True,
            truth=_poked_hole,
            reveal=_reveal_hole,
            options=[
                Option(
                    "changes",
                    "You took the window for the set of pixels read. The window spans the taps; between them are "
                    "pixels that no tap touches.",
                    "M17",
                    "It changes: the pixel is inside the window.",
                ),
                Option("same", text="It stays the same, bit for bit."),
                Option(
                    "depends",
                    "You expect some weight to lie on that pixel. There are nine weights, and all of them lie on "
                    "other pixels, whatever their values.",
                    "M17",
                    "That depends on the weights.",
                ),
            ],
        ),
        Choice(
            "A 3 by 3 convolution, then batch norm, and a batch that holds one image. One pixel is broken. In which "
            "mode of batch norm does it change units that are *far away* from it?",
            id="01-batch-norm",
            prediction=True,
            truth=_modes_that_spread,
            reveal=lambda: "The pixel was poked in both modes, and the units two or more places away were compared.",
            options=[
                Option(
                    "neither",
                    "You hold batch norm for an operation on each place alone. In training mode it divides by the "
                    "spread of the whole batch, and the pixel is part of that.",
                    "M22",
                    "In neither.",
                ),
                Option(
                    "evaluation",
                    "You mixed the modes up. In evaluation mode mean and spread are stored numbers, which no pixel "
                    "can change.",
                    "M22",
                    "In evaluation mode alone.",
                ),
                Option("training", text="In training mode alone."),
                Option(
                    "evaluation and training",
                    "You let batch norm look at the image in evaluation mode too. There it uses stored numbers, "
                    "which no pixel can change.",
                    "M22",
                    "In both.",
                ),
            ],
        ),
        Number(
            "An image of 6 by 6 pixels is flattened and goes through a dense layer (`nn.Linear`). "
            "How many pixels does *one* of its units read?",
            id="01-dense",
            unit="pixels",
            truth=_dense_reads,
            reveal=lambda: "A dense layer has a receptive field: the whole input.",
            hints=(
                "Count the weights that lead to one unit of a dense layer.",
                "Poke any pixel in your mind: is there a unit that does not notice?",
                "`nn.Linear(36, 4)` has a weight matrix of 4 by 36. One row belongs to one unit.",
            ),
            mistakes=[
                (
                    0,
                    "A3",
                    "You hold that a dense layer has no receptive field. It has one: everything that reaches it.",
                ),
                (
                    1,
                    "M21",
                    "You counted the dense layer as a 1 by 1 convolution. That one reads one place; a "
                    "dense layer reads all places.",
                ),
                (4, "M9", "You counted the units of the layer, not what one of them reads."),
                (6, None, "You counted one row of the image. Flattening keeps every pixel."),
            ],
        ),
        Region(
            "Choose the pixels that unit 5 of the *second* convolution reads. Both have kernel 3, stride "
            "1 and padding 1, "
            "so unit 5 stands above pixel 5, which is marked u.",
            id="01-region",
            cells=(11,),
            marks=((5, "u"),),
            truth=lambda: rf.receptive_field(_TWICE).positions(5, input_size=11),
            reveal=lambda: rf.draw_stack(_TWICE, unit=5, input_size=11),
            hints=(
                "Begin above: which three units of the first convolution does it read?",
                "Each of those three reads three pixels. Choose every pixel that one of them reads.",
                "The outermost of the three stand above pixels 4 and 6.",
            ),
            mistakes=[
                (
                    lambda: _TWICE[1].reads(5),
                    "M2",
                    "You took the last kernel alone: these are the units of the first convolution, not pixels.",
                ),
                (
                    lambda: rf.receptive_field(_wrong.without_padding(_TWICE)).positions(5),
                    "M8",
                    "You left the padding out. It does not resize the window, it moves it.",
                ),
                (
                    lambda: range(2, 9),
                    "M25",
                    "You reached three to each side. Each of the two layers reaches one to each side.",
                ),
            ],
        ),
        Region(
            "A 3 by 3 convolution with padding 1 on an image of 5 by 5 pixels. Choose the pixels that "
            "its unit (0, 0) in the "
            "upper left corner reads *of the image*.",
            id="01-corner",
            cells=(_SIDE, _SIDE),
            truth=lambda: _corner_cells(padding=_CORNER.left),
            reveal=lambda: (
                "The window of unit (0, 0) begins at row -1 and column -1. What hangs over the border is padding."
            ),
            hints=(
                "With padding 1, on which pixel is unit (0, 0) centered?",
                "The window reaches one row above its center. Is there such a row in the image?",
                "Rows -1, 0 and 1, columns -1, 0 and 1: choose those that exist.",
            ),
            mistakes=[
                (
                    lambda: _corner_cells(padding=0),
                    "M8",
                    "You left the padding out: this is the window of a unit without padding. Padding "
                    "moves it up and to the left.",
                ),
                ([(0, 0)], "M2", "You chose the place of the unit itself. It also reads the neighbors of that place."),
            ],
        ),
        Number(
            "You shift a bright spot by 3 columns to the right. By how many columns does its trace in "
            "the feature map of a "
            "convolution with kernel 3 and stride 1 move to the right?",
            id="01-shift",
            unit="columns",
            prediction=True,
            truth=_shift_of_the_map,
            reveal=lambda: "Shift the input, and the map shifts along: the convolution is equivariant to shifts.",
            mistakes=[
                (
                    0,
                    None,
                    "You took equivariance for invariance: a map that stays the same would not know where the spot is.",
                ),
                (1, None, "You divided by the kernel size. Neighboring units are a *stride* apart, not a kernel."),
                (9, None, "You multiplied by the kernel size. Neighboring units are a *stride* apart, not a kernel."),
            ],
        ),
        Number(
            "A convolution with kernel 1 and stride 2, then one with kernel 3 and stride 1. How many "
            "input positions does a unit of "
            "the second one *really read* along one axis?",
            id="01-really-read",
            unit="input positions",
            truth=lambda: len(rf.receptive_field(_HOLES).positions(0)),
            reveal=_reveal_holes,
            hints=(
                "The window and the set of positions read are two things.",
                "Which input positions does the first layer look at, with its stride of 2?",
                "Three units of the first layer, each of which reads one position.",
            ),
            mistakes=[
                (
                    lambda: rf.receptive_field(_HOLES).size,
                    "M23",
                    "You gave the size of the window. A strided 1 by 1 leaves holes in it.",
                ),
                (1, "M23", "You took the kernel of the first layer. The second one reads three of its units."),
                (6, None, "You multiplied the kernel by the stride. The stride moves the taps apart and adds none."),
                (4, "A7", "You added the kernel sizes. Each of three units reads one position."),
            ],
        ),
        Interval(
            "A unit has the window 12 to 20 along one axis, both included. Give the window of its "
            "*neighbor* on the right, "
            "two input positions further on.",
            id="01-neighbor",
            truth=lambda: rf.receptive_field([Layer(9, stride=2)]).interval(7),
            reveal=lambda: "Both ends move by the stride; the size stays.",
            hints=(
                "Neighbors have windows of the same size.",
                "Move the first position by the stride. Then move the last one as well.",
                "How many positions are there from 12 to 20, both included?",
            ),
            mistakes=[
                ((14, 20), None, "You moved the first position only. The window would shrink."),
                ((12, 22), None, "You moved the last position only. The window would grow."),
                (
                    (21, 29),
                    None,
                    "You put the windows side by side. Neighbors overlap: the next one begins one *stride* further on.",
                ),
                ((13, 21), "M7", "You moved the window by one. In input positions, neighbors here are two apart."),
            ],
        ),
    ),
)
