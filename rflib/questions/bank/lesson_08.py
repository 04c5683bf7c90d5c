"""Questions of lesson 08: what subsampling adds, what it makes cheap, and what it loses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.design.designs import Design
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_CONV, _POOL = Layer(3, padding=1, name="conv"), Layer(2, stride=2, name="pool")
_BEFORE, _BEHIND = 4, 2
_PLACES = 16
_STRIPES, _WIDTH = 24, 64
_FINE, _WIDE, _KEEP = 40, 128, 4

_STACKS: dict[str, list[Layer]] = {
    "a": [_CONV] * 8,
    "b": [_CONV, _CONV, _POOL, _CONV, _CONV, _POOL, _CONV, _CONV, _CONV],
    "c": [_CONV, _POOL] * 4,
    "d": [_CONV] * 6 + [_POOL, _POOL, _CONV],
}


def _size(layers: Sequence[Layer]) -> int:
    return receptive_field(layers).size


def _pooled() -> list[Layer]:
    return [_CONV] * _BEFORE + [_POOL]


def _work(layers: Sequence[Layer]) -> float:
    """Multiply-adds of a stack on an image, in units of its first layer."""
    kinds = ["pool" if layer is _POOL else "conv" for layer in layers]
    whole, first = (Design(layers[:n], kinds[:n], input_size=256).cost.multiply_adds for n in (len(layers), 1))
    return whole / first


def _different_maps(pools: int) -> int:
    """How many different outputs a bright pixel makes that stands at each place of a row in turn."""

    def output(place: int) -> tuple[int, ...]:
        row = [int(place == here) for here in range(_PLACES)]
        for _ in range(pools):
            row = [max(row[i : i + 2]) for i in range(0, len(row), 2)]
        return tuple(row)

    return len({output(place) for place in range(_PLACES)})


def _follows() -> str:
    """Which shifts the output of a pool follows, found by pooling rows of random numbers."""
    import random

    draw = random.Random(0)
    row = [draw.random() for _ in range(32)]

    def pooled(shift: int) -> list[float]:
        moved = row[-shift:] + row[:-shift] if shift else row
        return [max(moved[i : i + 2]) for i in range(0, len(moved), 2)]

    def is_moved(shift: int) -> bool:
        still = pooled(0)
        return any(pooled(shift) == still[-n:] + still[:-n] for n in range(len(still)))

    return {(True, True): "all", (False, True): "even", (False, False): "none"}[is_moved(1), is_moved(2)]


def _stripes_seen(stripes: int, width: int, stride: int) -> int:
    """Stripes after keeping one pixel in so many: the whole number whose wave has the same samples."""
    import cmath

    kept = [cmath.exp(2j * cmath.pi * stripes * i / width) for i in range(0, width, stride)]
    shares: dict[int, float] = {
        n: abs(sum(value * cmath.exp(-2j * cmath.pi * n * i / len(kept)) for i, value in enumerate(kept)))
        for n in range(-len(kept) // 2 + 1, len(kept) // 2 + 1)
    }
    strongest: int = max(shares, key=lambda n: shares[n])
    return abs(strongest)


def _pixels_for_a_unit() -> int:
    return receptive_field(rf.network("vgg16").layers).stride


def _meets() -> str:
    """The one stack with a field of 40 or more and a unit for every 4 pixels or fewer."""
    [name] = [
        name
        for name, layers in _STACKS.items()
        if receptive_field(layers).size >= 40 and receptive_field(layers).stride <= 4
    ]
    return name


def _says(name: str, why: str) -> Callable[[], str]:
    def sentence() -> str:
        field = receptive_field(_STACKS[name])
        return f"It has a field of {field.size} and a stride of {field.stride}. {why}"

    return sentence


def _fields_and_strides() -> str:
    found = (receptive_field(layers) for layers in _STACKS.values())
    return "In this order: " + "; ".join(f"field {field.size}, stride {field.stride}" for field in found) + "."


def _added(layers: Sequence[Layer]) -> list[int]:
    sizes = [1, *(row.size for row in rf.layer_table(layers))]
    return [after - before for before, after in pairwise(sizes)]


LESSON = Lesson(
    "08",
    "Subsampling",
    "lessons/08_subsampling.ipynb",
    (
        Number(
            "Four convolutions of kernel 3 with stride 1 see 9 positions. A max-pool of kernel 2 with stride 2 comes "
            "behind them. How many positions does one of its units see?",
            id="08-pool",
            unit="input positions",
            prediction=True,
            truth=lambda: _size(_pooled()),
            reveal=lambda: rf.layer_table(_pooled()),
            mistakes=[
                (
                    lambda: 2 * _size([_CONV] * _BEFORE),
                    "M1",
                    "You doubled the field. The pool reads two neighbors whose windows overlap in all but one position "
                    "each.",
                ),
                (
                    lambda: _size([_CONV] * _BEFORE) + _POOL.kernel_size,
                    "A7",
                    "You added the kernel size of the pool. A layer adds one less, times the jump before it.",
                ),
                (
                    lambda: _size([_CONV] * _BEFORE),
                    None,
                    "You let the pool add nothing. Its unit reads two neighbors, the second sees one position more.",
                ),
                (lambda: _wrong.last_kernel(_pooled()), "M2", "You took the pool alone."),
            ],
        ),
        Number(
            "Four convolutions of kernel 3, the pool of kernel 2 with stride 2, and then two more convolutions of "
            "kernel 3. How many positions does one unit at the end see?",
            id="08-behind",
            unit="input positions",
            prediction=True,
            truth=lambda: _size([*_pooled(), *[_CONV] * _BEHIND]),
            reveal=lambda: rf.layer_table([*_pooled(), *[_CONV] * _BEHIND]),
            mistakes=[
                (
                    lambda: 2 * _size([_CONV] * _BEFORE) + 2 * _BEHIND,
                    "A8",
                    "You doubled the field at the pool and let the layers behind it add 2 each. It is the other way "
                    "round: the pool adds 1, and each layer behind it adds 4.",
                ),
                (
                    lambda: 2 * _size([_CONV] * (_BEFORE + _BEHIND)),
                    "M1",
                    "You doubled the field of the whole stack. Only what stands behind the pool is doubled.",
                ),
                (
                    lambda: _wrong.without_strides([*_pooled(), *[_CONV] * _BEHIND]),
                    None,
                    "You left the jump out. Behind the pool neighbors are 2 positions apart, so each layer adds 4.",
                ),
                (
                    lambda: _size([_CONV] * (_BEFORE + _BEHIND)),
                    None,
                    "You left the pool out. It adds 1, and the layers behind it add 4 each.",
                ),
            ],
        ),
        Choice(
            "On a large image: a convolution of 3 by 3, then a pool of 2 by 2 with stride 2, and this pair seven "
            "times, 64 channels everywhere. How much work, in multiply-adds, are the seven convolutions together?",
            id="08-work",
            prediction=True,
            truth=lambda: round(_work([_CONV, _POOL] * 7), 2),
            reveal=lambda: f"All seven together: {_work([_CONV, _POOL] * 7):.2f} times the first.",
            options=[
                Option(
                    7.0,
                    "They have equally many weights, but each works at a quarter of the places of the one before.",
                    text="seven times as much as the first",
                ),
                Option(
                    2.0,
                    "You let the work halve at each pool. It halves the height and the width, so a quarter is left.",
                    text="about twice as much as the first",
                ),
                Option(lambda: round(_work([_CONV, _POOL] * 7), 2), text="about a third more than the first"),
                Option(
                    lambda: round(_work([_CONV, _POOL]), 2),
                    "Nearly, but the second convolution alone adds a quarter of the first.",
                    text="no more than the first",
                ),
            ],
        ),
        Number(
            "A row of 16 pixels is dark but for one bright pixel. It goes through two max-pools of kernel 2 with "
            "stride 2. You try all 16 places of the bright pixel. How many different outputs do you get?",
            id="08-places",
            unit="outputs",
            prediction=True,
            truth=lambda: _different_maps(2),
            reveal=lambda: "A unit at the end says that the bright pixel is one of its four. Which one, is gone.",
            mistakes=[
                (
                    _PLACES,
                    None,
                    "That would keep every place apart. Move the bright pixel by one inside a pair: the maximum stays.",
                ),
                (lambda: _different_maps(1), None, "That is after one pool. The second one halves again."),
                (
                    lambda: _different_maps(3),
                    None,
                    "That is after three pools.",
                ),
                (1, None, "The output still says in which of its units the bright pixel is."),
            ],
        ),
        Choice(
            "Convolutions with one max-pool of 2 by 2 with stride 2 among them, no borders near. You shift the image "
            "to the right, one pixel after the other. When is the output the old one, moved along?",
            id="08-shift",
            prediction=True,
            truth=_follows,
            reveal=lambda: (
                "The pool's windows stay where they are. After a shift by 2 each holds what its neighbor "
                "held; after a shift by 1 each holds half of one and half of another."
            ),
            options=[
                Option(
                    "all",
                    "Convolutions do that. The windows of a pool with stride 2 do not move by one pixel.",
                    None,
                    "At every shift: convolutions and pools do the same at every place.",
                ),
                Option("even", text="At shifts by 2, 4, 6 and so on, and at no other."),
                Option(
                    "none",
                    "At a shift by 2 every window of the pool holds what its neighbor held, so the map moves by one.",
                    None,
                    "Never: a pool forgets where things were.",
                ),
            ],
        ),
        Number(
            f"An image is {_WIDTH} pixels wide and shows {_STRIPES} upright stripes, light and dark counted as one. "
            "You keep every second column. How many stripes do the 32 columns show?",
            id="08-stripes",
            unit="stripes",
            prediction=True,
            truth=lambda: _stripes_seen(_STRIPES, _WIDTH, 2),
            reveal=lambda: "32 columns can show 16 stripes at most. 24 are 8 fewer than 32, and look like 8.",
            mistakes=[
                (
                    _STRIPES,
                    None,
                    "32 columns cannot show 24 stripes: each needs a light and a dark column, so 16 is the most.",
                ),
                (
                    _STRIPES // 2,
                    None,
                    "You dropped every second stripe. Columns are dropped, and a column is no stripe.",
                ),
                (16, None, "That is the most that 32 columns can show. What these columns show is less."),
                (0, None, "They do not vanish: the columns that are kept are light and dark in turns, but slowly."),
            ],
        ),
        Number(
            "VGG-16 has 13 convolutions with stride 1 and five max-pools with stride 2. By how many pixels must the "
            "image shift, at least, so that the output of the last pool is the old one, moved by one unit?",
            id="08-one-unit",
            unit="pixels",
            truth=_pixels_for_a_unit,
            reveal=lambda: rf.layer_table(rf.network("vgg16").layers),
            hints=(
                "By how many pixels do the windows of neighboring units differ?",
                "That is the product of all strides.",
                "Five strides of 2, multiplied.",
            ),
            mistakes=[
                (10, None, "You added the strides. Each pool doubles the jump that it finds."),
                (2, None, "That is enough behind one pool. There are five of them, one behind the other."),
                (
                    lambda: _size(rf.network("vgg16").layers),
                    None,
                    "That is the size of the window. Neighboring windows overlap: they are one jump apart.",
                ),
                (
                    16,
                    "M15",
                    "That is the jump before the last pool. It has a stride of 2 itself.",
                ),
            ],
        ),
        Number(
            f"An image {_WIDE} pixels wide shows {_FINE} stripes. A layer of kernel 1 with stride {_KEEP} keeps one "
            "column in four. How many stripes do the columns show?",
            id="08-fold",
            unit="stripes",
            truth=lambda: _stripes_seen(_FINE, _WIDE, _KEEP),
            reveal=lambda: "128 / 4 = 32 columns are left. 40 stripes are 8 more than 32, and look like 8.",
            hints=(
                "How many columns are left, and how many stripes can these show at most?",
                "One stripe for every column looks like no stripe at all. How many more are there than that?",
                "40 stripes in 32 columns.",
            ),
            mistakes=[
                (_FINE, None, "32 columns cannot show so many: each stripe needs a light and a dark one."),
                (_FINE // _KEEP, None, "You kept one stripe in four. Columns are dropped, and a column is no stripe."),
                (16, None, "That is the most that 32 columns can show."),
                (
                    lambda: _stripes_seen(_FINE, _WIDE, 2),
                    None,
                    "That is what stride 2 would show.",
                ),
            ],
        ),
        Choice(
            "You need a field of at least 40 and a unit for every 4 pixels or fewer. All convolutions are of kernel 3, "
            "all pools of kernel 2 with stride 2. Which stack does it?",
            id="08-needs",
            truth=_meets,
            reveal=_fields_and_strides,
            options=[
                Option(
                    "a",
                    _says("a", "Without a stride each layer adds 2, so depth alone is slow."),
                    "A4",
                    "8 convolutions",
                ),
                Option("b", text="2 convolutions, pool, 2 convolutions, pool, 3 convolutions"),
                Option(
                    "c",
                    _says("c", "It sees enough, but four pools leave one unit for 16 pixels."),
                    None,
                    "convolution and pool in turn, 4 of each",
                ),
                Option(
                    "d",
                    _says("d", "The pools come late: only one layer stands behind both."),
                    "A8",
                    "6 convolutions, pool, pool, convolution",
                ),
            ],
        ),
        Number(
            "Convolution, pool, convolution, pool, convolution: kernels 3, 2, 3, 2, 3, and each pool has stride 2. How "
            "many positions does the last convolution add?",
            id="08-last",
            unit="input positions",
            truth=lambda: _added([_CONV, _POOL, _CONV, _POOL, _CONV])[-1],
            reveal=lambda: rf.layer_table([_CONV, _POOL, _CONV, _POOL, _CONV]),
            hints=(
                "How far apart are the units that it reads?",
                "Two pools stand before it, so neighbors are 4 positions apart.",
                "From its first tap to its last it is 2 steps of 4 positions.",
            ),
            mistakes=[
                (2, None, "You left the jump out: behind two pools a step is 4 positions long."),
                (4, "A8", "Behind one pool it would be so. Two stand before it."),
                (
                    12,
                    "A7",
                    "You took the kernel size, 3, times the jump. From the first tap to the last it is 2 steps.",
                ),
                (
                    lambda: _size([_CONV, _POOL, _CONV, _POOL]),
                    "M1",
                    "You doubled the field that was there. What a layer adds does not depend on it.",
                ),
            ],
        ),
    ),
)
