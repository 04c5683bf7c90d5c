"""Questions of lesson 06: paths that part and meet, alignment, phases, operations that read everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.graph.axis_graph import Graph
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

if TYPE_CHECKING:
    from torch import nn

Path = Sequence[Layer]

_TWO = [Layer(3, padding=1, name="conv1"), Layer(3, padding=1, name="conv2")]
_SAME = [Layer(3, stride=2, padding=(0, 1), name="conv")]
_EVERY_SECOND = [Layer(1, stride=2, name="shortcut")]
_DOWN = [Layer(3, stride=2, padding=1, name="conv1"), Layer(3, padding=1, name="conv2")]
_AFTER = Layer(3, padding=1, name="conv3")
_STEM = Layer(3, stride=2, padding=1, name="stem")
_ONE = Layer(1, name="1x1")
_INCEPTION = [
    [_ONE],
    [_ONE, Layer(3, padding=1)],
    [_ONE, Layer(5, padding=2)],
    [Layer(3, padding=1, name="pool"), _ONE],
]
_EVEN = Layer(4, stride=2, padding=1, name="conv")
_CAUSAL = [Layer(2, padding=(2**n, 0), dilation=2**n, name=f"conv{n + 1}") for n in range(3)]
_MENDS: dict[str, tuple[Path, Path]] = {
    "main": ([Layer(4, stride=2, padding=2)], _EVERY_SECOND),
    "right": ([Layer(4, stride=2, padding=(1, 2))], _EVERY_SECOND),
    "shortcut": ([_EVEN], [Layer(1, stride=2, padding=1)]),
    "pool": ([_EVEN], [Layer(2, stride=2, name="average pool")]),
}
_UP = ((3, 2), (4, 2), (5, 2), (4, 3))  # kernel and stride of transposed convolutions
_ROW, _LONG = 32, 64  # positions


def _meet(*paths: Path, before: Path = (), after: Path = ()) -> Any:
    """The window behind the sum of some paths, as the graph says."""
    graph = Graph()
    start = graph.stack(before, graph.input()) if before else graph.input()
    node = graph.add(*(graph.stack(path, start) if path else start for path in paths))
    return graph.window(graph.stack(after, node) if after else node)


def _pictured(*paths: Path) -> Any:
    return rf.BranchExplorer([list(path) for path in paths]).picture()


def _centers(*paths: Path) -> list[float]:
    return [float(receptive_field(path).center(0)) for path in paths]


def _apart(*paths: Path) -> int:
    """How far apart the centers of unit 0 are."""
    centers = _centers(*paths)
    return int(max(centers) - min(centers))


def _ends_apart() -> int:
    """The last positions of the windows compared, where the centers were asked for."""
    return int(receptive_field(_SAME).interval(0)[1] - receptive_field(_EVERY_SECOND).interval(0)[1])


def _read_above(kernel_size: int, stride: int) -> str:
    """How many units of its input a unit of a transposed convolution reads."""
    from torch import nn  # here and not above: looking at one's progress needs no torch

    layer = nn.ConvTranspose1d(1, 1, kernel_size, stride=stride)
    [(least, most)] = rf.analyze(layer, input_size=(1, 1, 12)).output.sizes
    return str(most) if least == most else f"{least} or {most}"


def _even_windows() -> tuple[int, int]:
    """The one transposed convolution of the question whose windows are all of one size."""
    [found] = [way for way in _UP if " or " not in _read_above(*way)]
    return found


def _reveal_windows() -> str:
    return "\n".join(f"kernel {k}, stride {s}: a unit reads {_read_above(k, s)}" for k, s in _UP)


def _gated(convolutions: int) -> nn.Module:
    """One convolution, squeeze-and-excitation, and the other convolutions."""
    from torch import Tensor, nn

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before = nn.Conv1d(1, 4, 3, padding=1)
            self.gate = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Conv1d(4, 4, 1), nn.Sigmoid())
            self.after = nn.Sequential(*(nn.Conv1d(4, 4, 3, padding=1) for _ in range(convolutions - 1)))

        def forward(self, x: Tensor) -> Tensor:
            x = self.before(x)  # (B, 4, N)
            out: Tensor = self.after(x * self.gate(x))
            return out

    return Gated()


def _poked() -> int:
    """How many positions the middle unit reads, by poking."""
    return int(rf.measure(_gated(1), (1, 1, _ROW), progress=False).mask.sum())


def _local_size() -> int:
    return int(rf.analyze(_gated(2), input_size=(1, 1, _LONG)).local.output.size[0])


def _in_line() -> int:
    """M13: the shortcut's layer counted behind the main path's."""
    return receptive_field([*_DOWN, *_EVERY_SECOND, _AFTER]).size


def _larger_variant() -> str:
    sizes = {"3x3": network("resnet50").field[0], "1x1": network("resnet50_original").field[0]}
    return "same" if len(set(sizes.values())) == 1 else max(sizes, key=lambda name: sizes[name])


def _reveal_variants() -> str:
    rows = (("stride in the 3x3", "resnet50"), ("stride in the first 1x1", "resnet50_original"))
    return "\n".join(f"{said}: the last map has a window of {network(name).field[0]}" for said, name in rows)


def _mended() -> str:
    [found] = [name for name, paths in _MENDS.items() if _meet(*paths).aligned]
    return found


def _reveal_mends() -> str:
    said = {"main": "padding 2", "right": "padding (1, 2)", "shortcut": "shortcut padded", "pool": "average pool"}
    lines = {name: _centers(*paths) for name, paths in _MENDS.items()}
    return "\n".join(f"{said[name]}: centers {main:g} and {other:g}" for name, (main, other) in lines.items())


def _causal_verdict() -> str:
    """Whether the stack beside the identity is aligned; if not, whether it sees the future."""
    if _meet(_CAUSAL, []).aligned:
        return "wrong"
    return "mend" if receptive_field(_CAUSAL).interval(0)[1] > 0 else "leave"


LESSON = Lesson(
    "06",
    "Branches",
    "lessons/06_branches.ipynb",
    (
        Number(
            "A residual block along one axis: two convolutions with kernel 3, and beside them a shortcut that hands "
            "the input on as it is. Both are added. How many input positions does the window of a unit behind the "
            "sum span?",
            id="06-union",
            unit="input positions",
            prediction=True,
            truth=lambda: _meet(_TWO, []).size,
            reveal=lambda: _pictured(_TWO, []),
            mistakes=[
                (
                    lambda: receptive_field(_TWO).size + 1,
                    "M13",
                    "You added the shortcut's one position. It lies inside the other window already: a union "
                    "counts it once.",
                ),
                (
                    lambda: _wrong.last_kernel(_TWO),
                    "M2",
                    "You took the last kernel for the field.",
                ),
                (
                    lambda: 1,
                    "M13",
                    "You let the shorter path decide. A unit behind a sum can be changed through either path.",
                ),
            ],
        ),
        Number(
            "Two paths meet in a sum. The main one: a convolution with kernel 3 and stride 2, with one zero padded on "
            "the *right* and none on the left. The other: a convolution with kernel 1 and stride 2, no padding. "
            "How many input positions are the centers of their windows apart?",
            id="06-centers",
            unit="input positions",
            prediction=True,
            truth=lambda: _apart(_SAME, _EVERY_SECOND),
            reveal=lambda: _pictured(_SAME, _EVERY_SECOND),
            mistakes=[
                (
                    0,
                    "M5",
                    "You looked at the strides, which agree, or took every padding for a centering one. Padding on "
                    "the right moves no window.",
                ),
                (
                    _ends_apart,
                    "M24",
                    "You compared where the windows end. The center of a window of 3 is one position before its end.",
                ),
            ],
        ),
        Choice(
            "A transposed convolution with kernel 3 and stride 2 makes a map twice as long. How many units of its "
            "input does one unit of its output read?",
            id="06-transposed",
            prediction=True,
            truth=lambda: _read_above(3, 2),
            reveal=_reveal_windows,
            options=[
                Option(
                    "3",
                    "That is how many output units one *input* unit reaches. Turned round, the taps are shared out "
                    "among neighbors.",
                    text="3",
                ),
                Option(
                    "2",
                    "Two is right for every other unit. Three taps in steps of two cannot be shared out evenly.",
                    text="2",
                ),
                Option("1 or 2", text="1 or 2, in turn"),
                Option(
                    "1",
                    "That would be nearest upsampling. Here the reaches of neighboring input units overlap in one "
                    "place.",
                    text="1",
                ),
            ],
        ),
        Number(
            f"A row of {_ROW} positions, a convolution with kernel 3, then squeeze-and-excitation: each channel is "
            "averaged over the whole row, and a factor made of the averages multiplies every unit. How many positions "
            "does the middle unit read?",
            id="06-gate",
            unit="input positions",
            prediction=True,
            truth=_poked,
            reveal=lambda: "Poked: " + repr(rf.measure(_gated(1), (1, 1, _ROW), progress=False)),
            mistakes=[
                (
                    3,
                    "M21",
                    "You counted the average over the row as a layer of kernel 1. It reads everything that reaches it.",
                ),
                (
                    _ROW - 3,
                    None,
                    "You left out the unit's own three positions. The average holds them too.",
                ),
            ],
        ),
        Number(
            "A strided residual block. Main path: kernel 3 with stride 2, then kernel 3. Shortcut: kernel 1 with "
            "stride 2. Behind their sum stands one more convolution with kernel 3. How many input positions does the "
            "window of its units span?",
            id="06-chain",
            unit="input positions",
            prediction=True,
            truth=lambda: _meet(_DOWN, _EVERY_SECOND, after=[_AFTER]).size,
            reveal=lambda: rf.layer_table([*_DOWN, _AFTER]),
            mistakes=[
                (
                    _in_line,
                    "M13",
                    "You put the shortcut's layer in line with the others, so its stride counted a second time. "
                    "No signal passes through both.",
                ),
                (
                    lambda: _wrong.kernels_added([*_DOWN, _AFTER]),
                    "A7",
                    "You added the kernel sizes, or let each layer count its own stride. A layer adds its kernel size "
                    "less one, times the jump before it.",
                ),
                (
                    lambda: _wrong.without_strides([*_DOWN, _AFTER]),
                    "M6",
                    "You left the stride out, or stopped at the sum. The stride counts for the two convolutions "
                    "after it, and the second of them stands behind the sum.",
                ),
            ],
        ),
        Choice(
            "ResNet-50. In the paper a stage that halves the map has its stride in the first 1x1 convolution of its "
            "first block. In torchvision the stride is in the 3x3 that follows. Everything else is the same. Which "
            "of the two has the larger window in the last feature map?",
            id="06-variant",
            prediction=True,
            truth=_larger_variant,
            reveal=_reveal_variants,
            options=[
                Option("1x1", text="The one with the stride in the 1x1"),
                Option(
                    "3x3",
                    "A stride widens what comes *after* it. In the 3x3 it comes too late for the 3x3 itself.",
                    "M7",
                    "The one with the stride in the 3x3",
                ),
                Option(
                    "same",
                    "The kernels and the product of the strides are the same. But the 3x3 stands once before "
                    "the stride and once behind it.",
                    "M26",
                    "Both have the same window",
                ),
            ],
        ),
        Number(
            "A convolution with kernel 3 and stride 2, then an inception module: four paths side by side, 1x1; 1x1 "
            "and 3x3; 1x1 and 5x5; a pool with kernel 3 and a 1x1. All strides in the module are 1, and the paths are "
            "concatenated. How wide is the window of a unit behind it, along one axis?",
            id="06-inception",
            unit="input positions",
            truth=lambda: _meet(*_INCEPTION, before=[_STEM]).size,
            reveal=lambda: rf.layer_table([_STEM, *_INCEPTION[2]]),
            hints=(
                "Each path has a window of its own. All are centered on the same position.",
                "The union of centered windows is the widest of them. Which path is that?",
                "The 5x5 adds four steps, and the jump before it is 2: 3 + 4 * 2.",
            ),
            mistakes=[
                (
                    lambda: receptive_field([_STEM, *(layer for path in _INCEPTION for layer in path)]).size,
                    "M13",
                    "You put the paths in line, so their kernels added up. They stand side by side.",
                ),
                (
                    lambda: _wrong.without_strides([_STEM, *_INCEPTION[2]]),
                    None,
                    "You left out the stride. Behind it neighboring units are two positions apart.",
                ),
                (
                    lambda: _STEM.kernel_size + 5,
                    "A7",
                    "You added the kernel sizes of the widest path.",
                ),
                (5, "M2", "You took the largest kernel for the field."),
            ],
        ),
        Choice(
            "A main path: one convolution with kernel 4, stride 2 and padding 1. A shortcut: kernel 1, stride 2, no "
            "padding. They are added, and their centers are half a position apart. Which change aligns them?",
            id="06-mend",
            truth=_mended,
            reveal=_reveal_mends,
            options=[
                Option(
                    "main",
                    "One more zero on the left moves the window by one whole position, to the other side: it is now "
                    "half a position too far left.",
                    None,
                    "Padding 2 in the main path",
                ),
                Option(
                    "right",
                    "Padding on the right adds units at the end. It moves no window.",
                    "M5",
                    "Padding (1, 2): one more zero on the right of the main path",
                ),
                Option(
                    "shortcut",
                    "That moves the shortcut by one whole position, away from the main path.",
                    None,
                    "Padding 1 in the shortcut",
                ),
                Option("pool", text="An average pool with kernel 2 and stride 2 as the shortcut"),
            ],
        ),
        Choice(
            "Three causal convolutions with kernel 2 and the dilations 1, 2, 4 are padded on the left only, and the "
            "input is added to their output. `aligned` is False. What do you do?",
            id="06-causal",
            truth=_causal_verdict,
            reveal=lambda: _pictured(_CAUSAL, []),
            options=[
                Option(
                    "wrong",
                    "The verdict is right. A unit's window reaches from seven positions back to the present, so its "
                    "center lies in the past; the shortcut's lies in the present.",
                    None,
                    "I report a bug: both paths have stride 1, so they are aligned.",
                ),
                Option(
                    "mend",
                    "Then the centers agree, and the units see the future. The network is no longer causal.",
                    None,
                    "I pad on both sides, so that the centers agree.",
                ),
                Option(
                    "leave",
                    text="Nothing. The centers do differ, and in a causal network they are meant to.",
                ),
            ],
        ),
        Choice(
            "Behind which of these transposed convolutions do all units have windows of one size?",
            id="06-phases",
            truth=_even_windows,
            reveal=_reveal_windows,
            options=[
                Option(
                    (3, 2),
                    "Three taps in steps of two: one unit gets two of them, the next gets one.",
                    None,
                    "kernel 3, stride 2",
                ),
                Option((4, 2), text="kernel 4, stride 2"),
                Option(
                    (5, 2),
                    "Five taps in steps of two: three for one unit, two for the next.",
                    None,
                    "kernel 5, stride 2",
                ),
                Option(
                    (4, 3),
                    "Four taps in steps of three: two for one unit, one for the next two.",
                    None,
                    "kernel 4, stride 3",
                ),
            ],
        ),
        Number(
            f"A row of {_LONG} positions: a convolution with kernel 3, squeeze-and-excitation, a convolution with "
            "kernel 3. `size` says that a unit reads everything. What size does `analysis.local` give, which leaves "
            "out gates and statistics?",
            id="06-local",
            unit="input positions",
            truth=_local_size,
            reveal=lambda: repr(rf.analyze(_gated(2), input_size=(1, 1, _LONG)).local.output),
            hints=(
                "Without the gate, what is left of the network?",
                "Two convolutions with kernel 3, one behind the other.",
                "The first gives 3, the second adds 2.",
            ),
            mistakes=[
                (_LONG, None, "That is the whole row. The gate is what reads it, and `local` leaves the gate out."),
                (3, "M2", "You took the last kernel for the field. Two convolutions stand in line."),
                (6, "A7", "You added the kernel sizes."),
                (1, None, "You left out the convolutions too. Only the gate is left out."),
            ],
        ),
    ),
)
