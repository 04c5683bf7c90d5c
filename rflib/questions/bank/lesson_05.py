"""Questions of lesson 05: where a window stands, what padding does to it, what a unit at the border really reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, jumps, output_size, receptive_field
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Interval, Number, Option, Region

_TWO = [Layer(5, stride=2, padding=2, name="conv1"), Layer(3, padding=1, name="conv2")]
_UNIT = 3
_SPARSE = [Layer(3, padding=4, dilation=4, name="conv1"), Layer(3, padding=1, name="conv2")]
_ROW = 12  # positions in the question about the border
_PHOTO = 256
_TILES = 2
_STEM = [Layer(7, stride=2, padding=3, name="conv1"), Layer(3, stride=2, padding=1, name="maxpool")]
_POOLS = [Layer(2, stride=2, name="pool1"), Layer(2, stride=2, name="pool2")]
_CAUSAL = [Layer(3, dilation=2**step, name=f"conv{step + 1}") for step in range(3)]
_WIDE = (Layer(3, padding=1), Layer(7, padding=3))  # rows, columns of one convolution; the question stacks two


def _shifted(layers: Sequence[Layer], unit: int, padding: int) -> tuple[int, int]:
    """The window of a unit, with another effective padding than the stack's own."""
    field = receptive_field(layers)
    first = field.stride * unit - padding
    return first, first + field.size - 1


def _unscaled_padding(layers: Sequence[Layer]) -> int:
    """The paddings added, as if each were counted in input positions."""
    return sum(layer.left for layer in layers)


def _late_padding(layers: Sequence[Layer]) -> int:
    """M7: each padding times the jump after its layer."""
    return sum(layer.left * jump * layer.stride for layer, jump in zip(layers, jumps(tuple(layers)), strict=True))


def _judge(name: str = "patchgan_70", padding: int | None = None) -> list[Layer]:
    layers = network(name).layers
    return list(layers) if padding is None else [replace(layer, padding=padding) for layer in layers]


def _scores_and_size(padding: int | None = None) -> tuple[int, int]:
    """Scores along an axis, and the pixels that each of them sees."""
    layers = _judge(padding=padding)
    return output_size(layers, _PHOTO), receptive_field(layers).size


def _what_changes() -> str:
    """What the padding changes in a PatchGAN: its scores, their windows, or both."""
    (scores, size), (bare_scores, bare_size) = _scores_and_size(), _scores_and_size(0)
    return ("fewer" if bare_scores < scores else "as many") + (" smaller" if bare_size < size else " same")


def _reveal_padding() -> list[Any]:
    rows = [(way, *_scores_and_size(padding)) for way, padding in (("with", None), ("without", 0))]
    return [f"{way} padding: {scores} by {scores} scores, each sees {size} by {size}" for way, scores, size in rows]


def _ideal_cut() -> list[int]:
    """The ideal set, cut off at the border."""
    return [position for position in receptive_field(_SPARSE).positions(0) if position >= 0]


def _poked_border() -> tuple[int, ...]:
    """What unit 0 reads, found by poking real layers."""
    from torch import nn  # here and not above: looking at one's progress needs no torch

    model = nn.Sequential(
        *(nn.Conv1d(1, 1, each.kernel_size, padding=each.left, dilation=each.dilation) for each in _SPARSE)
    )
    positions: tuple[int, ...] = rf.measure(model, (1, 1, _ROW), unit=0, progress=False).positions[0]
    return positions


def _intervals(name: str) -> list[tuple[int, int]]:
    field = receptive_field(_judge(name))
    return [field.interval(unit) for unit in range(output_size(field.layers, _PHOTO))]


def _that_see_it_all(name: str = "patchgan_286") -> int:
    """How many scores, of both axes, have the whole photo inside their window."""
    return sum(first <= 0 and last >= _PHOTO - 1 for first, last in _intervals(name)) ** 2


def _reveal_larger() -> list[Any]:
    said = [f"unit {u}: columns {a} to {b}" for u, (a, b) in enumerate(_intervals("patchgan_286"))]
    return [f"The photo has the columns 0 to {_PHOTO - 1}. The windows along one axis:\n" + "\n".join(said)]


def _tiles_without_overlap() -> str:
    """Tiles side by side against the whole photo: how many scores, and how many of them are right."""
    layers, tile = _judge(), _PHOTO
    field, whole = receptive_field(layers), output_size(layers, _TILES * tile)
    each = output_size(layers, tile)
    inside = field.interval(each - 1)[1] < tile  # the last score of a tile that has a neighbor on the right
    number = "as many" if _TILES * each == whole else "fewer"
    return f"{number} {'right' if inside else 'wrong'}"


def _reveal_tiles() -> str:
    layers = _judge()
    each, whole = output_size(layers, _PHOTO), output_size(layers, _TILES * _PHOTO)
    last = receptive_field(layers).interval(each - 1)[1]
    return (
        f"Along one axis: {_TILES} tiles give {_TILES} times {each} scores, the photo as a whole gives {whole}. "
        f"The last score of the first tile looks on to column {last}; its tile ends in column {_PHOTO - 1}."
    )


def _window_of_two(axes: Sequence[Layer]) -> str:
    rows, columns = (receptive_field([axis] * 2).size for axis in axes)
    return f"{rows} by {columns}"


def _poked_pool() -> str:
    """A gradient and a poke, on the same max-pool of four positions."""
    import torch
    from torch import nn

    pool, line = nn.MaxPool1d(4), torch.tensor([[[3.0, 9.0, 1.0, 4.0]]], requires_grad=True)
    pool(line).sum().backward()
    assert line.grad is not None
    graded = int((line.grad != 0).sum())
    poked = int(rf.measure(pool, (1, 1, 4), progress=False).mask.sum())
    return "gradient" if graded < poked else "agree"


LESSON = Lesson(
    "05",
    "Where does it look?",
    "lessons/05_where_does_it_look.ipynb",
    (
        Interval(
            "First a convolution with kernel 5, stride 2 and padding 2, then one with kernel 3, stride 1 and "
            f"padding 1. From which input position to which does the window of unit {_UNIT} of the *last* layer reach?",
            id="05-window",
            prediction=True,
            truth=lambda: receptive_field(_TWO).interval(_UNIT),
            reveal=lambda: rf.draw_stack(_TWO, unit=_UNIT, input_size=16),
            mistakes=[
                (
                    lambda: receptive_field(_wrong.without_padding(_TWO)).interval(_UNIT),
                    "M8",
                    "You left the padding out. It moves the window to the left.",
                ),
                (
                    lambda: _shifted(_TWO, _UNIT, _unscaled_padding(_TWO)),
                    None,
                    "You added the paddings. The second one counts units of the first layer, and these are two "
                    "positions apart.",
                ),
                (
                    lambda: _shifted(_TWO, _UNIT, _late_padding(_TWO)),
                    "M7",
                    "You took the jumps after the layers. A padding is worth the jump before its layer.",
                ),
                (
                    lambda: _shifted(_wrong.without_padding(_TWO)[1:], _UNIT, _TWO[1].left),
                    "M2",
                    "You stopped one layer too early: these are units of the first layer.",
                ),
                (
                    lambda: (_UNIT - receptive_field(_TWO).size // 2, _UNIT + receptive_field(_TWO).size // 2),
                    None,
                    "The size is right, and you centered it on the position with the unit's own number. Units are two "
                    "positions apart.",
                ),
            ],
        ),
        Choice(
            "A PatchGAN has five convolutions, each with padding 1. From a photo of 256 by 256 pixels it makes "
            "30 by 30 scores, and each score sees a window of 70 by 70 pixels. You set all paddings to 0. "
            "What do you get?",
            id="05-padding",
            prediction=True,
            truth=_what_changes,
            reveal=_reveal_padding,
            options=[
                Option(
                    "as many smaller",
                    "The padding adds places for windows, so without it there are fewer. And no kernel gets smaller.",
                    "M8",
                    "30 by 30 scores, each with a smaller window",
                ),
                Option(
                    "fewer smaller",
                    "There are fewer scores. But the window is made from kernels and strides, and these are the same "
                    "as before.",
                    "M8",
                    "fewer scores, each with a smaller window",
                ),
                Option("fewer same", text="fewer scores, each with a window of the same size"),
                Option(
                    "as many same",
                    "The windows keep their size. Fewer of them fit, now that none may hang over the border.",
                    None,
                    "30 by 30 scores, each with a window of the same size",
                ),
            ],
        ),
        Region(
            "Two convolutions: first kernel 3, dilation 4, padding 4, then kernel 3, padding 1. The row below is the "
            "whole input. Mark the positions that unit 0 of the *second* layer really reads.",
            id="05-border",
            prediction=True,
            cells=(_ROW,),
            noun="position",
            truth=_poked_border,
            reveal=lambda: rf.draw_stack(_SPARSE, unit=0, input_size=_ROW),
            mistakes=[
                (
                    _ideal_cut,
                    None,
                    "You cut the ideal window off at the border, as nearly everybody does. One of these positions "
                    "would be read by unit -1 of the first layer, and no such unit exists.",
                ),
                (
                    lambda: list(range(max(_ideal_cut()) + 1)),
                    "M17",
                    "You marked everything up to the end of the window. Dilation leaves holes.",
                ),
                (
                    lambda: [position for position in _SPARSE[0].reads(0) if position >= 0],
                    "M2",
                    "You followed unit 0 of the first layer alone. The second layer reads its neighbor too.",
                ),
                (
                    lambda: [position for position in _SPARSE[1].reads(0) if position >= 0],
                    "M2",
                    "You took the units that the second layer reads for input positions.",
                ),
            ],
        ),
        Choice(
            "A larger PatchGAN sees windows of 286 by 286. From a photo of 256 by 256 pixels it makes 6 by 6 scores. "
            "How many of them have the *whole* photo inside their window?",
            id="05-larger",
            prediction=True,
            truth=_that_see_it_all,
            reveal=_reveal_larger,
            options=[
                Option(
                    36,
                    "You took a window that is larger than the photo for one that covers it. It also depends on where "
                    "the window stands.",
                    "M12",
                    "all 36",
                ),
                Option(
                    16,
                    "You left out the outermost scores. There is less room than that: the window has 30 pixels to "
                    "spare, and between two windows lie 32.",
                    None,
                    "16, all but the outermost",
                ),
                Option(
                    4,
                    "You gave it to the four scores in the middle. They come close: look at where their windows begin "
                    "and end.",
                    None,
                    "the 4 in the middle",
                ),
                Option(0, text="none"),
            ],
        ),
        Choice(
            "A photo of 512 columns is too large for your memory. You cut it into two tiles of 256, run the PatchGAN "
            "with padding on each, and put the scores side by side. Compare with the scores of the photo as a whole.",
            id="05-tiles",
            prediction=True,
            truth=_tiles_without_overlap,
            reveal=_reveal_tiles,
            options=[
                Option(
                    "as many right",
                    "At the seam each tile sees padding where the photo goes on.",
                    "M8",
                    "The same scores: that is what padding is for.",
                ),
                Option(
                    "as many wrong",
                    "Those near the seam are wrong, yes. Count the scores as well: twice 30, and not 62.",
                    None,
                    "As many scores, and those near the seam are wrong.",
                ),
                Option("fewer wrong", text="Fewer scores, and those near the seam are wrong."),
                Option(
                    "fewer right",
                    "Some are missing, yes. And the last scores of the first tile look beyond its end, where they find "
                    "padding instead of the photo.",
                    "M8",
                    "Fewer scores, and those that are there are right.",
                ),
            ],
        ),
        Interval(
            "The stem of a ResNet: a convolution with kernel 7, stride 2, padding 3, then a max-pool with kernel 3, "
            "stride 2, padding 1. From where to where does the *ideal* window of unit 0 reach?",
            id="05-stem",
            truth=lambda: receptive_field(_STEM).interval(0),
            reveal=lambda: rf.draw_stack(_STEM, unit=0, input_size=24),
            hints=(
                "The window begins at minus the effective padding.",
                "The second padding counts units of the first layer, which are 2 apart: P = 3 + 1 * 2.",
                "The size is 7 + 2 * 2. Its last position is the first one plus the size, less 1.",
            ),
            mistakes=[
                (
                    lambda: (0, receptive_field(_STEM).interval(0)[1]),
                    None,
                    "That is what the unit really reads. The ideal window hangs over the border.",
                ),
                (
                    lambda: receptive_field(_wrong.without_padding(_STEM)).interval(0),
                    "M8",
                    "You left the padding out. It moves the window to the left.",
                ),
                (
                    lambda: _shifted(_STEM, 0, _unscaled_padding(_STEM)),
                    None,
                    "You added the paddings. The second one is worth the jump before its layer, which is 2.",
                ),
                (
                    lambda: _shifted(_STEM, 0, _late_padding(_STEM)),
                    "M7",
                    "You took the jumps after the layers. A padding is worth the jump before its layer.",
                ),
                (
                    lambda: (receptive_field(_STEM).interval(0)[0], receptive_field(_STEM).interval(0)[1] + 1),
                    "M24",
                    "You added the size to the first position. Both ends belong to the window: subtract 1.",
                ),
            ],
        ),
        Number(
            "Two max-pools, each with kernel 2 and stride 2. Where is the center of unit 2 of the second one?",
            id="05-half",
            unit="input positions",
            whole=False,
            truth=lambda: receptive_field(_POOLS).center(2),
            reveal=lambda: rf.draw_stack(_POOLS, unit=2),
            hints=(
                "How wide is the window, and where does it begin?",
                "It is 4 wide and begins at position 2 * 4.",
                "The mean of its first and its last position: (8 + 11) / 2.",
            ),
            mistakes=[
                (
                    lambda: receptive_field(_POOLS).interval(2)[0] + receptive_field(_POOLS).size / 2,
                    "M24",
                    "You added half the size. From the first position to the middle it is half of the size *less one*.",
                ),
                (lambda: receptive_field(_POOLS).interval(2)[0], None, "That is the first position of the window."),
                (
                    lambda: receptive_field(_POOLS[:1]).center(2),
                    "M7",
                    "You took the stride of one pool. Behind two of them units are 4 positions apart.",
                ),
                (
                    lambda: receptive_field(_POOLS).center(0),
                    None,
                    "That is the center of unit 0. Unit 2 stands two jumps further on.",
                ),
            ],
        ),
        Number(
            "Three causal convolutions with kernel 3 and the dilations 1, 2 and 4, stride 1. No unit may see the "
            "future, and the output is to be as long as the input. How many positions are padded on the left, in "
            "the three layers together?",
            id="05-causal",
            unit="positions",
            truth=lambda: receptive_field(_CAUSAL).size - 1,
            reveal=lambda: rf.draw_stack(
                [replace(layer, padding=(layer.extent - 1, 0)) for layer in _CAUSAL], unit=20, input_size=24
            ),
            hints=(
                "The last tap must stand at the unit's own place.",
                "Then the first tap stands d(k - 1) positions before it: that is the layer's padding.",
                "2 * 1 + 2 * 2 + 2 * 4. With stride 1, every layer's positions count alike.",
            ),
            mistakes=[
                (
                    lambda: receptive_field(_CAUSAL).size,
                    "M15",
                    "You took the size of the window. The unit's own place needs no padding.",
                ),
                (
                    lambda: (receptive_field(_CAUSAL).size - 1) // 2,
                    None,
                    "You counted one gap a layer, or the padding that centers the window: then half of it lies in the "
                    "future.",
                ),
                (
                    lambda: sum(layer.kernel_size - 1 for layer in _CAUSAL),
                    "M4",
                    "You left the dilation out: d(k - 1) positions a layer.",
                ),
                (
                    lambda: sum(layer.extent for layer in _CAUSAL),
                    "A7",
                    "You counted the extents. From the first tap to the last it is one less.",
                ),
            ],
        ),
        Choice(
            "Two convolutions, one after the other, each with a kernel of 3 rows and 7 columns, stride 1. "
            "Which window has a unit of the second one?",
            id="05-axes",
            truth=lambda: _window_of_two(_WIDE),
            reveal=lambda: "Each axis on its own: 3 + 2 rows, 7 + 6 columns.",
            options=[
                Option("6 by 14", "You added the kernels. A layer adds its kernel size less one.", "A7"),
                Option("5 by 13"),
                Option("13 by 13", "You took the larger side for both axes. Rows and columns never mix.", None),
                Option("3 by 7", "That is the last kernel alone.", "M2"),
            ],
        ),
        Choice(
            "You take the gradient of a max-pool of kernel 4 with respect to the four positions below it. At one of "
            "them it is not zero, at three it is zero. What do you conclude?",
            id="05-gradient",
            truth=_poked_pool,
            reveal=lambda: "Poked with large numbers, each of the four positions changes the unit.",
            options=[
                Option(
                    "agree",
                    "The other three do nothing *for this input*. Make one of them the largest, and it changes "
                    "the unit.",
                    "M20",
                    "The field of the unit is one position.",
                ),
                Option("gradient", text="The gradient shows the winner alone. The field is four positions."),
                Option(
                    "broken",
                    "It is right: a small change of a position that is not the largest does nothing. It answers "
                    "another question.",
                    "M20",
                    "The gradient was computed wrongly.",
                ),
            ],
        ),
    ),
)
