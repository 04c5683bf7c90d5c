"""Questions of lesson 00, about a ResNet-18 and the photograph of a dahlia."""

from __future__ import annotations

from typing import Any

import rflib as rf
from rflib.arithmetic import Layer
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

DAHLIA = 279  # columns that the flower fills in scikit-learn's photograph
WIDE = 400
_FRONT = [Layer(7, stride=2, padding=3, name="conv1"), Layer(3, stride=2, padding=1, name="maxpool")]
_FRONT += [Layer(3, padding=1, name=f"layer1 conv {number}") for number in (1, 2, 3, 4)]
_STAGES = ("layer1", "layer2", "layer3", "layer4")


def _width(stage: str) -> int:
    return network("resnet18").window(stage).size


def _first_stage(pixels: int) -> str:
    return next((stage for stage in _STAGES if _width(stage) >= pixels), "none")


def _too_narrow(stage: str, pixels: int) -> str:
    return f"One unit of `{stage}` sees {_width(stage)} columns, and the object has {pixels}."


def _stage_table() -> str:
    return "\n".join(f"`{stage}`: a window of {_width(stage)} columns" for stage in _STAGES)


def _windows_after_a_change() -> str:
    """Measure a small network, exchange weights and signal, measure again."""
    import torch  # here and not above: looking at one's progress needs no torch
    from torch import nn

    masks = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = nn.Sequential(nn.Conv2d(1, 4, 5, stride=2), nn.ReLU(), nn.Conv2d(4, 4, 3)).double().eval()
            signal = torch.rand(1, 1, 17, 17, dtype=torch.float64)
            masks.append(rf.measure(model, tuple(signal.shape), progress=False).mask)
    return "stay" if (masks[0] == masks[1]).all() else "move"


def _windows_after_training() -> str:
    """Train a small network for some steps; compare the size of its window before and after."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv1d(1, 4, 5, stride=2), nn.Tanh(), nn.Conv1d(4, 1, 3)).double()
        before = rf.measure(model, (1, 1, 33), progress=False).size[0]
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(30):
            optimizer.zero_grad()
            model(torch.randn(8, 1, 33, dtype=torch.float64)).square().mean().backward()
            optimizer.step()
        after = rf.measure(model, (1, 1, 33), progress=False).size[0]
    return "same" if after == before else "larger" if after > before else "smaller"


def _poked() -> str:
    half = (_width("layer2") - 1) // 2
    return "changes" if half >= 60 else "same"


def _reveal_width() -> list[Any]:
    return ["Every stride before a layer multiplies what that layer adds.", rf.layer_table(_FRONT)]


LESSON = Lesson(
    "00",
    "Start here",
    "lessons/00_start_here.ipynb",
    (
        Number(
            "On its way to `layer1` of a ResNet-18 the photograph passes `conv1` (kernel 7, stride 2), `maxpool` "
            "(kernel 3, stride 2) and four convolutions (kernel 3, stride 1).\n"
            "How many pixels wide is the window of *one unit* of `layer1`?",
            id="00-width",
            unit="pixels",
            prediction=True,
            truth=lambda: rf.receptive_field(_FRONT).size,
            reveal=_reveal_width,
            mistakes=[
                (
                    lambda: _wrong.last_kernel(_FRONT),
                    "M2",
                    "You took the last kernel alone. It reads three places of the layer before it, not "
                    "of the photograph.",
                ),
                (
                    lambda: max(layer.kernel_size for layer in _FRONT),
                    "M2",
                    "You took the largest kernel and stopped. Every later layer widens the window.",
                ),
                (
                    lambda: _wrong.kernels_added(_FRONT),
                    "A7",
                    "You added up the kernel sizes. A layer adds its kernel size less one, times the "
                    "distance between its neighbors.",
                ),
                (
                    lambda: _wrong.without_strides(_FRONT),
                    "A7",
                    "You counted every kernel and left out the strides: after `maxpool`, neighbors are "
                    "four pixels apart.",
                ),
                (
                    lambda: _wrong.own_stride(_FRONT),
                    "M7",
                    "You multiplied each layer by its own stride. What counts are the strides of the layers before it.",
                ),
                (
                    lambda: _wrong.from_the_wrong_end(_FRONT),
                    "M6",
                    "You walked the layers from the wrong end: the strides that count stand before a "
                    "layer, not after it.",
                ),
                (640, "M21", "You gave one unit the whole photograph. A convolution reads only as far as its kernel."),
            ],
        ),
        Choice(
            f"After `layer1` come `layer2`, `layer3` and `layer4`, each of four convolutions, the first with stride 2. "
            f"The dahlia is {DAHLIA} columns wide.\nWhich is the first stage in which *one unit* can see all of it?",
            id="00-stage",
            prediction=True,
            truth=lambda: _first_stage(DAHLIA),
            reveal=_stage_table,
            options=[
                Option("layer1", lambda: _too_narrow("layer1", DAHLIA)),
                Option("layer2", lambda: _too_narrow("layer2", DAHLIA)),
                Option(
                    "layer3",
                    lambda: (
                        f"{_too_narrow('layer3', DAHLIA)} Its units *together* cover the flower, but no "
                        "single one holds it."
                    ),
                    "M9",
                ),
                Option("layer4"),
                Option(
                    "none",
                    lambda: f"You stopped one stage early: one unit of `layer4` sees {_width('layer4')} columns.",
                    text="none of them",
                ),
            ],
        ),
        Choice(
            "You exchange the photograph for another one, and the random weights for other random weights. "
            "Do the edges of a unit's window move?",
            id="00-signal",
            prediction=True,
            truth=_windows_after_a_change,
            reveal=lambda: (
                "A small network was measured twice, with other weights and another image: the same pixels are read."
            ),
            options=[
                Option(
                    "signal",
                    "You took the field for something that belongs to a signal, as a radio frequency "
                    "does. It belongs to the network.",
                    "A12",
                    "Yes, they depend on the photograph.",
                ),
                Option(
                    "move",
                    "Weights say how much a pixel counts. Which pixels can count follows from kernels, "
                    "strides and wiring.",
                    "M18",
                    "Yes, they depend on the weights.",
                ),
                Option("stay", text="No, they stay where they are."),
            ],
        ),
        Choice(
            "A unit of `layer2` has a window of 99 by 99 pixels. You poke a pixel 60 columns to the "
            "right of its center. "
            "What does the unit do?",
            id="00-poke",
            truth=_poked,
            reveal=lambda: f"The window of `layer2` ends {(_width('layer2') - 1) // 2} columns from its center.",
            options=[
                Option(
                    "changes",
                    "You took 99 for the distance that it sees to each side. It is the whole width: as "
                    "many columns on the left, the center, as many on the right.",
                    None,
                    "It changes.",
                ),
                Option(
                    "weights",
                    "How much a pixel *inside* the window counts depends on the weights. That no pixel "
                    "outside counts does not.",
                    "M18",
                    "That depends on the weights.",
                ),
                Option("same", text="It stays the same, bit for bit."),
            ],
        ),
        Choice(
            "The network trains ten times longer. What happens to the windows of `layer3`?",
            id="00-training",
            truth=_windows_after_training,
            reveal=lambda: (
                "A small network was measured before and after training: its window has the same size. "
                "Training changes weights; the window comes from kernels, strides and wiring."
            ),
            options=[
                Option(
                    "larger",
                    "You expect training to widen the view. It can change how much a pixel counts, and "
                    "not which pixels can count.",
                    "M18",
                    "They get larger.",
                ),
                Option("same", text="They stay as they are."),
                Option(
                    "smaller",
                    "You think of the *effective* receptive field, of how much each pixel counts. The "
                    "set of pixels that can count stays.",
                    "M18",
                    "They get smaller: training picks the best pixels.",
                ),
            ],
        ),
        Choice(
            f"An object is {WIDE} pixels wide. Which is the first stage of this ResNet-18 in which one "
            "unit can see all of it?",
            id="00-object",
            truth=lambda: _first_stage(WIDE),
            reveal=_stage_table,
            options=[
                Option("layer2", lambda: _too_narrow("layer2", WIDE)),
                Option("layer3", lambda: f"You took the whole map for one unit. {_too_narrow('layer3', WIDE)}", "M9"),
                Option("layer4"),
                Option(
                    "none",
                    lambda: (
                        "You stopped one stage early, or asked for room around the object: "
                        f"{_width('layer4')} columns hold {WIDE}."
                    ),
                    text="none of them",
                ),
            ],
        ),
    ),
)
