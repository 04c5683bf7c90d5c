"""Questions of lesson 14: the field that a task needs, the budget, the grid, and what a trained network uses."""

from __future__ import annotations

from functools import cache
from math import isqrt
from typing import TYPE_CHECKING, Any

from rflib.arithmetic import Layer, receptive_field
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

if TYPE_CHECKING:
    from rflib.experiments.capstone_results import Score
    from rflib.experiments.windows import WindowReading

# torch is imported where something is computed: looking at one's progress needs no torch.

DIGIT = 24  # pixels of a digit along each axis
STEPS, BATCH = 300, 4  # of training, as in the lesson
_FEW_STEPS = 150  # are enough to see that a narrow window is not
_DEPTH = 13  # layers of kernel 3 that reach 27 pixels
_WINDOWS = (9, 15, 27, 45)
_NARROW = 15
_TRUNK = [Layer(2, 2, name="pool 1"), Layer(2, 2, name="pool 2"), Layer(3, dilation=2, name="conv")]
_IN, _OUT = 16, 32
_SCENE, _FIELD = 56, 70


def _whole_digit() -> int:
    """The smallest odd window that holds all places of a digit, whichever of them is in its middle; no formula."""
    places = range(DIGIT)
    return next(w for w in range(1, 4 * DIGIT, 2) if all(abs(a - b) <= w // 2 for a in places for b in places))


@cache
def _read() -> WindowReading:
    from rflib.experiments.windows import read_windows

    return read_windows(_WINDOWS)


def _enough() -> int:
    from rflib.experiments import INK_ACCURACY

    width = _read().least(INK_ACCURACY)
    assert width is not None
    return width


def _budget() -> int:
    from rflib.experiments import BUDGET

    return BUDGET


def _channels() -> int:
    """The largest width that the budget allows a stack of that depth, counted layer by layer."""
    from rflib.experiments import conv, multiply_adds

    return max(width for width in range(1, 100) if multiply_adds([conv(width)] * _DEPTH) <= _budget())


@cache
def _masks() -> dict[int, float]:
    """Perfect masks on grids of jump 1, 2, 4 and 8, enlarged again: intersection over union with the truth."""
    import torch
    from torch.nn import functional

    from rflib.experiments import NOISE, draw_scenes

    _, labels = draw_scenes(torch.Generator().manual_seed(0), 64, "test", 56, NOISE)
    ink = (labels > 0)[:, None]
    found = {}
    for jump in (1, 2, 4, 8):
        coarse = functional.avg_pool2d(ink.float(), jump)
        again = functional.interpolate(coarse, scale_factor=jump, mode="bilinear") > 0.5
        found[jump] = float((again & ink).sum() / (again | ink).sum())
    return found


def _coarsest() -> int:
    from rflib.experiments import MASK_IOU

    return max(jump for jump, iou in _masks().items() if iou >= MASK_IOU)


@cache
def _pooled() -> Score:
    from rflib.experiments import train_capstone

    return train_capstone(["pooling alone"], steps=STEPS, batch=BATCH, progress=False).runs[0].score


def _pooling_misses() -> str:
    from rflib.experiments import INK_ACCURACY, MASK_IOU

    names, cuts = _pooled().ink_accuracy >= INK_ACCURACY, _pooled().mask_iou >= MASK_IOU
    return {(True, True): "nothing", (True, False): "cuts", (False, True): "names", (False, False): "both"}[names, cuts]


@cache
def _narrow() -> float:
    """What the trained mixed network names right with a narrow window."""
    from rflib.experiments import DESIGNS, fit_capstone
    from rflib.experiments.windows import uncover_windows

    model = fit_capstone(DESIGNS["mixed"], steps=_FEW_STEPS, batch=BATCH, progress=False)
    return uncover_windows(model, (_NARROW,)).accuracies[0]


def _third() -> str:
    return "most" if _narrow() > 2 / 3 else "half" if _narrow() >= 1 / 2 else "few"


def _trunk() -> list[Any]:
    import rflib as rf

    return [rf.layer_table(_TRUNK), rf.draw_stack(_TRUNK)]


def _added() -> int:
    return receptive_field(_TRUNK).size - receptive_field(_TRUNK[:-1]).size


def _joined() -> int:
    """The field behind a join, of the network as traced; the options are plain numbers, since tracing needs torch."""
    from rflib.experiments import Stage, conv
    from rflib.experiments.stages import tabulate_stages

    deep = [Stage("pool"), conv(8), conv(8), Stage("up")]
    return tabulate_stages([conv(8), Stage("save"), *deep, Stage("join")]).field


def _price() -> int:
    """Multiply-adds for each pixel, from the counts of a real layer on a real map."""
    import torch
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    side = 16
    layer = nn.Conv2d(_IN, _OUT, 3, padding=1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(torch.zeros(1, _IN, side // 4, side // 4))
    return int(counter.get_total_flops()) // 2 // side**2


def _beyond() -> str:
    """Whether a window wider than the scene lets some unit read more than one as wide as the scene."""
    wide, narrow = (receptive_field([Layer(k, padding=k // 2)]) for k in (_FIELD + 1, _SCENE + 1))
    gains = [len(wide.positions(u, _SCENE)) - len(narrow.positions(u, _SCENE)) for u in range(_SCENE)]
    return "hangs" if max(gains) > 0 else "useless"


LESSON = Lesson(
    "14",
    "Capstone",
    "lessons/14_capstone.ipynb",
    (
        Number(
            f"A digit takes up {DIGIT} pixels along each axis. A unit stands on one of these pixels, in the middle of "
            "its window, and you do not know on which. How wide must the window be, at least, so that it holds the "
            "whole digit in any case?",
            id="14-whole-digit",
            unit="pixels",
            prediction=True,
            truth=_whole_digit,
            reveal=lambda: (
                f"From the first pixel of the digit to its last are {DIGIT - 1} steps, to either side: "
                f"{DIGIT - 1} + 1 + {DIGIT - 1} = {_whole_digit()}."
            ),
            mistakes=[
                (
                    DIGIT,
                    "A2",
                    "You took the digit for the window. A unit on the digit's left edge has half of that window "
                    "outside of the digit.",
                ),
                (2 * DIGIT, "M15", "You counted one pixel too many: the unit's own pixel lies in both halves."),
                (2 * DIGIT + 1, "M15", "You took the digit's width for the steps across it, which are one fewer."),
                (DIGIT - 1, "A2", "That is the reach to one side. A centered window has the other side too."),
            ],
        ),
        Choice(
            "No network yet. A reader gets a window cut out around an ink pixel, noise and all, and looks which "
            "known windows are most like it. Which is the narrowest window with which it names at least 0.78 of the "
            "ink pixels right?",
            id="14-enough",
            prediction=True,
            unit="pixels",
            truth=_enough,
            reveal=lambda: _read(),
            options=[
                Option(
                    9,
                    "You expect a stroke and its bend to tell the digit. Most digits share their strokes.",
                    "A2",
                ),
                Option(
                    15,
                    "You expect half a digit to be enough. It names more than half of the pixels, and not enough.",
                    "A2",
                ),
                Option(27),
                Option(
                    45,
                    "You asked for the whole digit in any case. A part of it already tells most digits apart, and the "
                    "wider the window, the more of the neighbors it shows.",
                ),
            ],
        ),
        Number(
            f"Depth alone: {_DEPTH} convolutions of 3 by 3 see 27 pixels. All are equally wide; one channel "
            "goes in, and a last convolution of 1 by 1 makes eleven scores. The budget is 6,500 multiply-adds for each "
            "pixel. How many channels can the layers have, at most?",
            id="14-channels",
            unit="channels",
            prediction=True,
            truth=_channels,
            reveal=lambda: (
                f"Between two layers with {_channels()} channels, 9 * {_channels()} * {_channels()} = "
                f"{9 * _channels() ** 2} multiply-adds a pixel; there are {_DEPTH - 1} such pairs."
            ),
            mistakes=[
                (
                    lambda: _budget() // (9 * _DEPTH),
                    None,
                    "You let the cost grow with the channels. Every output channel reads every input channel: it grows "
                    "with their square.",
                ),
                (lambda: isqrt(_budget() // 9), None, "You paid for one layer. There are thirteen of them."),
                (
                    lambda: isqrt(_budget() // _DEPTH),
                    None,
                    "You left out the nine taps of each kernel.",
                ),
                (
                    lambda: _channels() + 1,
                    "M15",
                    "You rounded up. That is one channel more than the budget pays for.",
                ),
            ],
        ),
        Choice(
            "Somebody gives you the perfect mask of all ink, but on a coarser grid: each cell says which share of it "
            "is ink. You enlarge it to full size again, bilinearly, and call ink what is above a half. On which is "
            "the coarsest grid with which that still meets the requirement for cutting out, an intersection over union "
            "of 0.85?",
            id="14-grid",
            prediction=True,
            truth=_coarsest,
            reveal=lambda: "\n".join(f"cells of {j} pixels: {iou:.2f}" for j, iou in _masks().items()),
            options=[
                Option(
                    1,
                    "You expect any coarser grid to be too coarse. One step loses a little at the edges, and no more.",
                    text="Full resolution alone.",
                ),
                Option(2, text="Cells of 2 pixels, behind one pooling."),
                Option(
                    4,
                    "You took the stroke for wider than it is. Most strokes are not much wider than one such cell.",
                    text="Cells of 4 pixels, behind two poolings.",
                ),
                Option(
                    8,
                    "You compared the cell with the digit. What has to be cut out is its stroke.",
                    text="Cells of 8 pixels, behind three poolings.",
                ),
            ],
        ),
        Choice(
            "*Pooling alone*: three poolings, five convolutions of 3 by 3, a field of 70 pixels, half of the budget. "
            f"It is trained for {STEPS} steps of {BATCH} scenes. Which requirement does it meet, naming (0.78 of the "
            "ink pixels) or cutting out (0.85)?",
            id="14-pooling",
            prediction=True,
            truth=_pooling_misses,
            reveal=lambda: f"Ink named right: {_pooled().ink_accuracy:.2f}. Mask: {_pooled().mask_iou:.2f}.",
            options=[
                Option(
                    "nothing",
                    "You took the large field and the low price for the whole order. Its grid has cells of 8 pixels.",
                    "A2",
                    "Both of them.",
                ),
                Option(
                    "cuts",
                    "You let the large field do the naming. But naming is counted on ink pixels: where the mask misses "
                    "a stroke, nobody names it.",
                    "A2",
                    "Naming, and not cutting out.",
                ),
                Option(
                    "names",
                    "You have the two the wrong way round: cutting out suffers first from a coarse grid.",
                    None,
                    "Cutting out, and not naming.",
                ),
                Option("both", text="Neither of them."),
            ],
        ),
        Choice(
            "The mixed network has a field of 50 pixels. By the measure of the paper on effective fields, the trained "
            "unit's effective field is 10 to 20 pixels wide. You leave the trained network a window of "
            f"{_NARROW} pixels around each ink pixel and put empty noise everywhere else. Which share of the ink "
            "pixels does it still name right?",
            id="14-narrow",
            prediction=True,
            truth=_third,
            reveal=lambda: (
                f"With a window of {_NARROW} pixels, and after {_FEW_STEPS} steps of training, it names "
                f"{_narrow():.2f} right. Below you see your own network, after {STEPS}."
            ),
            options=[
                Option(
                    "most",
                    "You took the effective field for all that counts. That measure counts where the gradient is "
                    "high; the many low values around it say which digit it is.",
                    "M18",
                    "Nearly as many as before, above two thirds.",
                ),
                Option(
                    "half",
                    "You took the share of the gradient for the share of the answer. The two need not agree.",
                    "A14",
                    "Between a half and two thirds.",
                ),
                Option("few", text="Fewer than half."),
            ],
        ),
        Number(
            "Behind two poolings of 2 by 2 with stride 2 stands a convolution of 3 by 3 with dilation 2. By how many "
            "input positions does it widen the window?",
            id="14-adds",
            unit="input positions",
            truth=_added,
            reveal=_trunk,
            hints=(
                "How far apart are two neighboring units behind the second pooling?",
                "How many units is it from the first tap of the kernel to the last?",
                "Two gaps of 2 units each, and each unit is a jump of 4 wide.",
            ),
            mistakes=[
                (lambda: 2 * 4, "M4", "You left the dilation out."),
                (lambda: 2 * 2, "M7", "You left the jump out: its units are 4 positions apart."),
                (lambda: 5 * 4, "A7", "You added the whole extent. From the first tap to the last is one less."),
                (lambda: 3 * 4, "A7", "You added the kernel size times the jump, and left the dilation out."),
            ],
        ),
        Number(
            f"The same place, behind two poolings: a convolution of 3 by 3 from {_IN} channels to {_OUT}. How many "
            "multiply-adds does it cost for each pixel of the *image*?",
            id="14-price",
            unit="multiply-adds per pixel",
            truth=_price,
            reveal=lambda: f"9 * {_IN} * {_OUT} for each of its units, and there is one unit for every 4 by 4 pixels.",
            hints=(
                "What does one unit of that layer cost?",
                "How many pixels of the image are there for each unit?",
                f"9 * {_IN} * {_OUT}, divided by 4 by 4.",
            ),
            mistakes=[
                (
                    lambda: 9 * _IN * _OUT,
                    None,
                    "That is the price of one unit. There is not one for every pixel, but for every 4 by 4 pixels.",
                ),
                (
                    lambda: 9 * _IN * _OUT // 4,
                    None,
                    "You divided by the jump once. There are two axes.",
                ),
                (lambda: _IN * _OUT // 16, None, "You left out the nine taps."),
                (
                    lambda: 9 * _OUT // 16,
                    "A13",
                    "You let each output channel read one input channel. That would be a depthwise convolution.",
                ),
            ],
        ),
        Choice(
            "A convolution of 3 by 3; its map is kept. Then a pooling of 2 by 2, two convolutions of 3 by 3, and the "
            "map is enlarged bilinearly to full size. There it is joined with the map that was kept. How wide is the "
            "field of a unit behind the join? (Where windows differ: the widest.)",
            id="14-joined",
            unit="pixels",
            truth=_joined,
            reveal=lambda: "The field is the union of what the paths see, and the deep path sees all of it.",
            options=[
                Option(3, "You took the kept map alone. The unit reads both.", "M13"),
                Option(14),
                Option(
                    16,
                    "You added the branch, as if it stood in line. The windows lie over each other: take their union.",
                    "M13",
                ),
            ],
        ),
        Choice(
            "Pooling alone has a field of 70 pixels, and the scenes have 56. Is something wrong?",
            id="14-larger-than-the-scene",
            truth=_beyond,
            reveal=lambda: "The window of a unit in the middle hangs over all four borders; there it reads padding.",
            options=[
                Option(
                    "wrong",
                    "You hold that a field cannot exceed its image. It belongs to the network, and the next image may "
                    "be larger.",
                    "M12",
                    "Yes: the field must be 56 here.",
                ),
                Option(
                    "useless",
                    "You hold that a unit gets nothing from a window that hangs over. A unit in a corner needs a "
                    "window of 111 pixels to see the opposite one.",
                    "M12",
                    "Nothing is wrong, but everything above 56 is of no use to any unit.",
                ),
                Option("hangs", text="Nothing is wrong: windows hang over the border, and units at the edge use them."),
            ],
        ),
    ),
)
