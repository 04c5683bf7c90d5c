"""Questions of lesson 07: more layers or larger kernels, what each reaches and what each costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.cost import stack_cost
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_THREE = (3, 3, 3)
_FAR, _FARTHER = 40, 30
_WIDTH = 64


def _stack(kernels: Sequence[int]) -> list[Layer]:
    return [Layer(kernel, padding=kernel // 2) for kernel in kernels]


def _size(kernels: Sequence[int]) -> int:
    return receptive_field(_stack(kernels)).size


def _pairs(kernels: Sequence[int], disparity: int) -> int:
    """How many dots of the left image are in view together with their partner in the right one."""
    seen = set(receptive_field(_stack(kernels)).positions(0))
    return sum(dot - disparity in seen for dot in seen)


def _largest_disparity(kernels: Sequence[int]) -> int:
    return next(d for d in count() if not _pairs(kernels, d + 1))


def _fewest(reaches: Callable[[int], bool]) -> int:
    return next(n for n in count(1) if reaches(n))


def _weights(kernels: Sequence[int], axes: int, first: int = _WIDTH) -> int:
    """Weights without biases: what comes in, then `_WIDTH` channels everywhere."""
    channels = [first] + [_WIDTH] * len(kernels)
    cost = stack_cost(_stack(kernels), channels=channels, input_size=16, axes=axes, bias=False)
    return cost.parameters


def _share(axes: int, first: int = _WIDTH, deep: Sequence[int] = _THREE, wide: int = 7) -> float:
    """Weights of the stack, as a share of those of the one layer that sees as much."""
    return _weights(deep, axes, first) / _weights([wide], axes, first)


def _percent(share: float) -> int:
    return round(100 * share)


def _maps_kept(kernels: Sequence[int]) -> int:
    """Feature maps that training keeps, counted by running the network."""
    import torch
    from torch import nn

    from rflib.experiments.memory import activation_memory

    parts: list[nn.Module] = []
    for kernel in kernels:
        parts += [nn.Conv2d(2, 2, kernel, padding=kernel // 2), nn.ReLU()]
    return activation_memory(nn.Sequential(*parts), torch.zeros(1, 2, 8, 8)).tensors


def _merges(relu: bool) -> bool:
    """Whether two layers without biases do to a sum of images what they do to each, as one kernel does."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(0)
    layers = [nn.Conv2d(1, 1, 3, bias=False).double() for _ in range(2)]
    one, other = torch.randn(2, 1, 1, 16, 16, generator=generator).double()
    between = nn.ReLU() if relu else nn.Identity()
    model = nn.Sequential(layers[0], between, layers[1])
    with torch.no_grad():
        for layer in layers:
            layer.weight.copy_(torch.randn(1, 1, 3, 3, generator=generator))
        return torch.allclose(model(one + other), model(one) + model(other))


def _when_it_merges() -> str:
    return {(True, True): "always", (False, True): "without", (False, False): "never"}[_merges(True), _merges(False)]


def _swap() -> tuple[int, int]:
    """Two layers of 3 in the place of one of 5: weights in percent, maps in percent."""
    return _percent(_share(2, deep=(3, 3), wide=5)), _percent(_maps_kept((3, 3)) / _maps_kept((5,)))


LESSON = Lesson(
    "07",
    "Deeper and wider",
    "lessons/07_deeper_and_wider.ipynb",
    (
        Number(
            "Three layers of kernel 3 along the row: each unit sees 7 dots of the left image and the same 7 places of "
            "the right one. What is the largest disparity at which a unit still has a dot and its partner in view?",
            id="07-disparity",
            unit="dots",
            prediction=True,
            truth=lambda: _largest_disparity(_THREE),
            reveal=lambda: "\n".join(
                f"disparity {d}: {_pairs(_THREE, d)} pairs in view" for d in range(_size(_THREE) + 1)
            ),
            mistakes=[
                (
                    lambda: _size(_THREE) // 2,
                    None,
                    "You measured from the middle of the window. A pair may lie from one end to the other.",
                ),
                (
                    lambda: _size(_THREE),
                    "M15",
                    "One too many: from the first place of the window to the last there is one step less than places.",
                ),
                (
                    lambda: 2 * _size(_THREE) - 1,
                    None,
                    "You laid the two windows side by side. They stand at the same places of both images.",
                ),
                (
                    lambda: _THREE[-1] - 1,
                    "M2",
                    "You took the last kernel alone. The window is that of all three layers.",
                ),
            ],
        ),
        Number(
            f"Another pair of cameras gives disparities up to {_FAR} dots. How many layers of kernel 3, with stride 1 "
            "and dilation 1, does the network need at least, so that a unit can have a pair in view?",
            id="07-depth",
            unit="layers",
            prediction=True,
            truth=lambda: _fewest(lambda n: _largest_disparity((3,) * n) >= _FAR),
            reveal=lambda: f"The window must be {_FAR + 1} dots wide, and every layer adds 2.",
            mistakes=[
                (
                    lambda: _fewest(lambda n: 2 ** (n + 1) - 1 > _FAR),
                    "A4",
                    "You let every layer add twice as much as the one before: 3, 7, 15, 31. Each adds the same 2.",
                ),
                (
                    lambda: _fewest(lambda n: 2**n > _FAR),
                    "A4",
                    "You let every layer double the window. With stride 1 and dilation 1 each adds the same 2.",
                ),
                (
                    lambda: _fewest(lambda n: 3**n > _FAR),
                    "A4",
                    "You let every layer multiply the window by 3. The windows of neighbors overlap, so it adds 2.",
                ),
                (
                    lambda: _fewest(lambda n: _wrong.kernels_added(_stack((3,) * n)) > _FAR),
                    "A7",
                    "You let every layer add its kernel size. It adds one less.",
                ),
                (
                    lambda: _fewest(lambda n: _size((3,) * n) // 2 >= _FAR),
                    None,
                    "You asked for the whole disparity to one side of the middle. It may lie across the whole window.",
                ),
            ],
        ),
        Number(
            "On images, with 64 channels before and after every layer: three layers of 3 by 3 take the place of one "
            "of 7 by 7. How many weights have the three together, in percent of the one?",
            id="07-share",
            unit="percent",
            tolerance=2,
            prediction=True,
            truth=lambda: _percent(_share(2)),
            reveal=lambda: f"{_weights(_THREE, 2):,} weights against {_weights([7], 2):,}.",
            mistakes=[
                (100, "M25", "You took the same window for the same layers. A kernel of 7 by 7 has 49 taps."),
                (300, None, "You counted layers. One tap of a kernel is one weight for each pair of channels."),
                (
                    lambda: _percent(_share(2) / 3),
                    None,
                    "You compared one layer of 3 by 3 with one of 7 by 7. There are three of them.",
                ),
                (
                    lambda: _percent(_share(1)),
                    None,
                    "You counted taps along one axis, 9 against 7. An image has two, so a kernel of k has k times k.",
                ),
                (
                    lambda: _percent(3 / 7),
                    None,
                    "You compared the kernel sizes, 3 with 7. What costs is the number of taps.",
                ),
            ],
        ),
        Choice(
            "The same exchange on a sound, which has one axis: three layers of kernel 3 in the place of one of "
            "kernel 7, with 64 channels everywhere. How many weights have the three, compared with the one?",
            id="07-sound",
            prediction=True,
            truth=lambda: _share(1),
            reveal=lambda: f"{_weights(_THREE, 1):,} weights against {_weights([7], 1):,}.",
            options=[
                Option(
                    lambda: _share(2),
                    "That is the answer for images, where a kernel of 7 has 49 taps. Here it has 7.",
                    text="about half as many",
                ),
                Option(1.0, "The windows are equal, the numbers of taps are not.", "M25", "as many"),
                Option(lambda: _share(1), text="more, by about a third"),
                Option(3.0, "Three layers, but each of them has fewer taps than the one.", text="three times as many"),
            ],
        ),
        Choice(
            "And at the input of a network for photos: three channels come in, 64 go out of every layer. Three layers "
            "of 3 by 3 in the place of one of 7 by 7: how many weights have the three, compared with the one?",
            id="07-stem",
            prediction=True,
            truth=lambda: round(_share(2, first=3)),
            reveal=lambda: f"{_weights(_THREE, 2, 3):,} weights against {_weights([7], 2, 3):,}.",
            options=[
                Option(
                    lambda: _share(2),
                    "That needs equal widths. Here only the first of the three has few channels to read.",
                    text="about half as many",
                ),
                Option(
                    1,
                    "Work it out: the one has 49 times 3 times 64 weights, each of the last two 9 times 64 times 64.",
                    text="about as many",
                ),
                Option(
                    3,
                    "It would be so if all layers had equally many weights. Those that read 64 channels have far more.",
                    text="about three times as many",
                ),
                Option(lambda: round(_share(2, first=3)), text="about eight times as many"),
            ],
        ),
        Choice(
            "To train a network, PyTorch keeps what the way back will need. Take images of 224 by 224 pixels, 64 "
            "channels, a ReLU behind every layer. What needs more memory: three layers of 3 by 3, or one of 7 by 7?",
            id="07-memory",
            prediction=True,
            truth=lambda: "three" if _maps_kept(_THREE) == 3 * _maps_kept((7,)) else "same",
            reveal=lambda: (
                f"Feature maps kept: {_maps_kept(_THREE)} by the three layers, {_maps_kept((7,))} by the one."
            ),
            options=[
                Option(
                    "wide",
                    "It has more weights. But all weights together are small beside one feature map of this image.",
                    text="The one of 7 by 7, about twice as much: it has more weights.",
                ),
                Option(
                    "same",
                    "The first and the last map are equal. Those in between exist in the deep one only.",
                    text="Both the same: what goes in and what comes out is equal.",
                ),
                Option("three", text="The three layers, about three times as much."),
            ],
        ),
        Number(
            "Two layers of 3 by 3 see as much as one layer of which kernel size?",
            id="07-replaced",
            unit="taps on each axis",
            prediction=True,
            truth=lambda: _size((3, 3)),
            reveal=lambda: rf.layer_table(_stack((3, 3))),
            mistakes=[
                (
                    lambda: _wrong.kernels_added(_stack((3, 3))),
                    "M25",
                    "You added the kernel sizes. The second layer adds one less than its kernel size.",
                ),
                (lambda: _wrong.last_kernel(_stack((3, 3))), "M2", "You took one of the layers alone."),
                (9, "M25", "You multiplied the kernel sizes. Neighboring windows overlap."),
                (lambda: _size(_THREE), None, "So much see three layers of 3 by 3."),
            ],
        ),
        Choice(
            "Take two layers of 3 by 3, one channel, no padding, no biases. Is there a single kernel that gives the "
            "same output for every image?",
            id="07-merge",
            prediction=True,
            truth=_when_it_merges,
            reveal=lambda: (
                "One kernel does to a sum of two images what it does to each of them. "
                f"Two layers do so without a ReLU: {_merges(False)}, with a ReLU between them: {_merges(True)}."
            ),
            options=[
                Option(
                    "always",
                    "With a ReLU in between, what the second layer gets is no longer a weighted sum of the image.",
                    "M25",
                    "Yes, with a ReLU between them or without.",
                ),
                Option("without", text="Only if there is no ReLU between them."),
                Option(
                    "never",
                    "A weighted sum of weighted sums is a weighted sum again. Without a ReLU one kernel holds it.",
                    None,
                    "Never: two layers are always more than one.",
                ),
            ],
        ),
        Number(
            "Four layers of kernel 7, one on another, with stride 1 and dilation 1. How wide is the window?",
            id="07-sevens",
            unit="input positions",
            truth=lambda: _size((7,) * 4),
            reveal=lambda: rf.layer_table(_stack((7,) * 4)),
            hints=(
                "How many steps is it from the first tap of a kernel of 7 to its last?",
                "Each layer adds 6 steps, and the jump is 1.",
                "One position to begin with, and four times 6.",
            ),
            mistakes=[
                (
                    lambda: _wrong.kernels_added(_stack((7,) * 4)),
                    "A7",
                    "You added the kernel sizes. Each layer adds one less.",
                ),
                (lambda: _size((7,) * 4) - 1, "M15", "You counted the steps. The first position counts as well."),
                (lambda: _wrong.last_kernel(_stack((7,) * 4)), "M2", "You took one layer alone."),
                (lambda: _size((4,) * 4), None, "You let every layer add 3, which is what it adds on one side."),
                (lambda: 7 * 2**3, "A4", "You let every layer double the window. Each adds the same 6."),
            ],
        ),
        Number(
            f"A stereo network with layers of kernel 5 is to find disparities up to {_FARTHER} dots. How many layers "
            "does it need at least?",
            id="07-fives",
            unit="layers",
            truth=lambda: _fewest(lambda n: _largest_disparity((5,) * n) >= _FARTHER),
            reveal=lambda: f"The window must be {_FARTHER + 1} dots wide, and every layer adds 4.",
            hints=(
                "How wide must the window be, so that two dots 30 apart are both in it?",
                "31 dots wide. How much does a layer of kernel 5 add?",
                "30 steps are needed, and a layer brings 4. Round up.",
            ),
            mistakes=[
                (
                    lambda: _fewest(lambda n: _wrong.kernels_added(_stack((5,) * n)) > _FARTHER),
                    "A7",
                    "You let every layer add its kernel size. It adds one less.",
                ),
                (
                    lambda: _fewest(lambda n: _size((5,) * n) // 2 >= _FARTHER),
                    None,
                    "You asked for the whole disparity on one side of the middle. It may lie across the whole window.",
                ),
                (
                    lambda: _fewest(lambda n: 5 * 2 ** (n - 1) > _FARTHER),
                    "A4",
                    "You let every layer double the window. Each adds the same 4.",
                ),
            ],
        ),
        Choice(
            "A scan of a body has three axes. Three layers of kernel 3 in the place of one of kernel 7, 64 channels "
            "everywhere: how many weights have the three, in percent of the one?",
            id="07-scan",
            unit="percent",
            truth=lambda: _percent(_share(3)),
            reveal=lambda: f"{_weights(_THREE, 3):,} weights against {_weights([7], 3):,}.",
            options=[
                Option(
                    lambda: _percent(_share(2)),
                    "That is for two axes, 27 taps against 49. Here a kernel of 3 has 27 taps by itself.",
                ),
                Option(lambda: _percent(_share(3))),
                Option(
                    lambda: _percent(_share(1)),
                    "That is for one axis, 9 taps against 7. With every axis the large kernel gets dearer.",
                ),
                Option(
                    lambda: _percent(_share(3) / 3),
                    "You compared one layer of 3 with one of 7. There are three of them.",
                ),
            ],
        ),
        Choice(
            "In an image network of 64 channels you replace every layer of 5 by 5 by two of 3 by 3, each with its "
            "ReLU. What becomes of the weights, and of the feature maps that training keeps?",
            id="07-swap",
            truth=_swap,
            reveal=lambda: "Weights: {} percent of what they were. Maps: {} percent.".format(*_swap()),
            options=[
                Option(
                    lambda: (_swap()[0], 100),
                    "The weights are right. But there is one more map for every layer that you replaced.",
                    text=lambda: f"{_percent(_share(2, deep=(3, 3), wide=5))} percent of the weights, as many maps",
                ),
                Option(
                    _swap,
                    text=lambda: (
                        f"{_percent(_share(2, deep=(3, 3), wide=5))} percent of the weights, twice as many maps"
                    ),
                ),
                Option(
                    lambda: (200, 200),
                    "Twice as many layers, but each has 9 taps and not 25.",
                    text="twice as many weights, twice as many maps",
                ),
                Option(
                    lambda: (_percent(_share(2)), _swap()[1]),
                    "The maps are right. The share of the weights is that of three layers of 3 by 3 for one of 7 by 7.",
                    text=lambda: f"{_percent(_share(2))} percent of the weights, twice as many maps",
                ),
            ],
        ),
    ),
)
