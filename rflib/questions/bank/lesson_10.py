"""Questions of lesson 10: depthwise separable convolutions, fields at equal price, and designs under a budget."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import Any

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.cost import conv_cost, depthwise_separable_cost
from rflib.design.affording import growth_within
from rflib.design.designs import Design, padded_layer
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

CHANNELS, DEPTH, WANTED = 64, 6, 101
KERNELS = (3, 5, 9, 31)
_POWERS = (1, 2, 4, 8, 16, 32)
_SKIPPING = [Layer(1, stride=2, name="1x1, stride 2"), Layer(3, name="conv")]


def _separable(depth: int, kernel_size: int = 3) -> list[Layer]:
    """The layers as they stand: depthwise, 1x1, depthwise, 1x1 and so on."""
    one = [Layer(kernel_size, padding=kernel_size // 2, name="depthwise"), Layer(1, name="1x1")]
    return one * depth


def _price(separable: bool, kernel_size: int = 3, channels: int = CHANNELS, bias: bool = True) -> int:
    cost = depthwise_separable_cost if separable else conv_cost
    return cost(kernel_size, channels, channels, (1, 1), bias=bias).parameters


def _depthwise_alone(kernel_size: int, channels: int) -> int:
    return conv_cost(kernel_size, channels, channels, (1, 1), groups=channels, bias=False).parameters


def budget(by: str = "parameters") -> int:
    """What six ordinary layers of kernel 3 cost."""
    spent: int = getattr(rf.growth("depth", DEPTH, CHANNELS)[-1].cost, by)
    return spent


def field_for(kernel_size: int) -> int:
    """How far separable layers of that kernel see for the price of six ordinary layers of kernel 3."""
    layers = budget() // _price(True, kernel_size)
    return receptive_field(_separable(layers, kernel_size)).size


def _best_kernel() -> int:
    return max(KERNELS, key=field_for)


@cache
def _kept() -> dict[str, int]:
    """Bytes that training keeps of the feature maps, for each way, at equal multiply-adds."""
    import torch  # looking at one's progress needs no torch

    from rflib.experiments.comparing import network_of
    from rflib.experiments.memory import activation_memory

    found = {}
    for way in rf.WAYS:
        design = growth_within(way, budget("multiply_adds"), "multiply_adds", CHANNELS)[-1]
        narrow = Design(design.layers, design.kinds, 2, 128)  # every width keeps in the same proportion
        found[way] = activation_memory(network_of(narrow), torch.zeros(1, 2, 128, 128)).bytes
    return found


def _hungriest() -> str:
    return max(_kept(), key=lambda way: _kept()[way])


def _reveal_kept() -> str:
    least = min(_kept().values())
    return "\n".join(f"{way}: {bytes_kept / least:.0f} times the least" for way, bytes_kept in _kept().items())


@cache
def _price_of_wanted(**allowed: Any) -> int:
    """Parameters of the cheapest stack with the field wanted, with full resolution and no holes."""
    usual = {"kernels": (3, 5, 7, 9), "dilations": _POWERS, "convolutions": ("conv", "separable"), "most_layers": 20}
    wanted = rf.Requirements(field=WANTED, no_holes=True, strides=(1,), channels=CHANNELS, **{**usual, **allowed})
    least: int = rf.cheapest(wanted).best.cost.parameters
    return least


def _without_dilation() -> int:
    return _price_of_wanted(dilations=(1,))


def _without_separable() -> int:
    return _price_of_wanted(convolutions=("conv",))


def _small_kernels() -> int:
    return _price_of_wanted(kernels=(3,))


def _part() -> str:
    """Which part of the budget the cheapest stack takes."""
    part = _price_of_wanted() / budget()
    return "all" if part > 0.75 else "half" if part > 0.35 else "quarter" if part > 0.1 else "tenth"


def _reveal_prices() -> str:
    return (
        f"Without separable layers: {_without_separable():,} parameters. Without dilation: {_without_dilation():,}. "
        f"With both: {_price_of_wanted():,}, which is {_price_of_wanted() / budget():.1%} of the budget."
    )


def _layers_for(size: int) -> int:
    return next(n for n in count(1) if receptive_field(_separable(n)).size >= size)


def _claim() -> str:
    """What depthwise layers do to the field: by themselves, and at equal price."""
    same_depth = receptive_field(_separable(DEPTH)).size == receptive_field([Layer(3)] * DEPTH).size
    further = growth_within("depthwise", budget())[-1].field.size > growth_within("depth", budget())[-1].field.size
    return {(True, True): "price", (False, True): "itself", (True, False): "never", (False, False): "less"}[
        same_depth, further
    ]


def _bars() -> Any:
    sizes = {way: growth_within(way, budget()).sizes for way in ("depth", "depthwise")}
    return rf.draw_growth(sizes)


LESSON = Lesson(
    "10",
    "Depthwise and budgets",
    "lessons/10_depthwise_and_budgets.ipynb",
    (
        Number(
            f"You replace each of {DEPTH} convolutions of 3 x 3 by a depthwise separable one: a depthwise convolution "
            "of 3 x 3, then a convolution of 1 x 1. How wide is the window of the last unit, along one axis?",
            id="10-field",
            unit="input positions",
            prediction=True,
            truth=lambda: receptive_field(_separable(DEPTH)).size,
            reveal=lambda: rf.layer_table(_separable(DEPTH)),
            mistakes=[
                (
                    lambda: receptive_field([Layer(3)] * 2 * DEPTH).size,
                    "M23",
                    "You let the 1 x 1 convolutions widen the window like layers of kernel 3. A kernel of 1 adds "
                    "nothing.",
                ),
                (
                    lambda: receptive_field([Layer(3)] * DEPTH).size + DEPTH,
                    "M23",
                    "You let each 1 x 1 convolution add one position. It reads its own position, in all channels.",
                ),
                (
                    lambda: _wrong.kernels_added([Layer(3)] * DEPTH),
                    "A7",
                    "You added the kernel sizes. Each layer of kernel 3 adds two positions.",
                ),
                (
                    lambda: 3,
                    "M23",
                    "That is one depthwise layer. They stand one on another, as ordinary layers do.",
                ),
            ],
        ),
        Number(
            f"One ordinary convolution of 3 x 3 from {CHANNELS} to {CHANNELS} channels has {_price(False):,} "
            "parameters, biases included. How many depthwise separable layers of 3 x 3, at the same width, can you "
            "have for that?",
            id="10-how-many",
            unit="layers",
            prediction=True,
            truth=lambda: _price(False) // _price(True),
            reveal=lambda: f"One separable layer has {_price(True):,} parameters.",
            mistakes=[
                (
                    lambda: _price(False) // (CHANNELS * 10),
                    "A13",
                    "You counted the depthwise part alone. The 1 x 1 that mixes the channels is the larger part.",
                ),
                (
                    lambda: 9,
                    "A13",
                    "You counted the 1 x 1 alone: nine taps become one. The depthwise part is cheap, and not free.",
                ),
                (lambda: 2, None, "You took it for half of the price, because there are two layers. It saves more."),
                (
                    lambda: CHANNELS,
                    None,
                    "You divided by the number of channels. That is what the depthwise part saves, without the 1 x 1.",
                ),
            ],
        ),
        Choice(
            f"Separable layers at {CHANNELS} channels, as many as you get for the parameters of {DEPTH} ordinary "
            "layers of 3 x 3. With which depthwise kernel do they see furthest?",
            id="10-kernel",
            prediction=True,
            truth=_best_kernel,
            reveal=lambda: "\n".join(
                f"kernel {k}: {budget() // _price(True, k)} layers, {field_for(k)}" for k in KERNELS
            ),
            options=[
                Option(
                    3,
                    lambda: (
                        f"You get the most layers, and each adds only 2 positions: {field_for(3)} in all. The 1 x 1 "
                        "costs the same behind a larger kernel."
                    ),
                    "M25",
                ),
                Option(
                    5,
                    lambda: (
                        f"Better than 3, with {field_for(5)}. There is more to be had while the 1 x 1 costs more "
                        "than the depthwise part."
                    ),
                ),
                Option(9),
                Option(
                    31,
                    lambda: (
                        f"Each layer adds 30 positions, but you get {budget() // _price(True, 31)} of them, which "
                        f"see {field_for(31)}. Now the depthwise part costs most."
                    ),
                ),
            ],
        ),
        Choice(
            "Five networks with the same budget of multiply-adds, each grown in another way as far as the budget goes. "
            "Which one keeps the most memory busy while it is trained?",
            id="10-memory",
            prediction=True,
            truth=_hungriest,
            reveal=_reveal_kept,
            options=[
                Option(
                    "depth",
                    "Its maps have full resolution, but it has few layers, because each is dear.",
                    text="six ordinary layers",
                ),
                Option(
                    "large kernels",
                    "It has many multiply-adds in one layer, and keeps one map. Work is not memory.",
                    text="one layer with a large kernel",
                ),
                Option(
                    "pooling",
                    "Every pooling makes the maps smaller: it keeps little.",
                    text="convolutions and poolings in turn",
                ),
                Option(
                    "dilation",
                    "It has as many layers as the ordinary stack, and maps of the same size. Holes cost no memory.",
                    text="layers with doubling dilation",
                ),
                Option("depthwise", text="depthwise separable layers"),
            ],
        ),
        Choice(
            f"A stack at {CHANNELS} channels has to see {WANTED} positions, at full resolution and without holes. It "
            "may combine dilation and separable layers, with kernels from 3 to 9. How much of the budget of "
            f"{DEPTH * _price(False):,} parameters does the cheapest such stack take?",
            id="10-price",
            prediction=True,
            truth=_part,
            reveal=_reveal_prices,
            options=[
                Option(
                    "all",
                    lambda: (
                        f"That is the price without separable layers, {_without_separable():,}. They make each layer "
                        "cheaper, whatever its dilation."
                    ),
                    "A13",
                    "Nearly all of it.",
                ),
                Option(
                    "half",
                    lambda: (
                        f"That is the price without dilation, {_without_dilation():,}: many separable layers. With "
                        "dilation a few are enough."
                    ),
                    None,
                    "About a half.",
                ),
                Option(
                    "quarter",
                    lambda: (
                        "The two savings are larger than a half each. Even separable layers of 3 x 3 alone, with "
                        f"growing dilations, take {_small_kernels() / budget():.0%}."
                    ),
                    None,
                    "About a quarter.",
                ),
                Option("tenth", text="Less than a tenth."),
            ],
        ),
        Number(
            "A convolution of 1 x 1 with stride 2, then one of 3 x 3 with stride 1. Along one axis: how many different "
            "input positions does a unit of the second one read?",
            id="10-strided-one",
            unit="input positions",
            prediction=True,
            truth=lambda: len(receptive_field(_SKIPPING).positions(0)),
            reveal=lambda: rf.draw_stack(_SKIPPING, unit=0),
            mistakes=[
                (
                    lambda: receptive_field(_SKIPPING).size,
                    "M23",
                    "This is the window. The 1 x 1 with stride 2 reads every second position, and no layer behind it "
                    "gets the others back.",
                ),
                (
                    lambda: _wrong.kernels_added(_SKIPPING),
                    "A7",
                    "You added the kernel sizes. A kernel of 1 adds nothing.",
                ),
                (lambda: 3 * 2, "M23", "You let each of the three taps see two positions. Behind a 1 x 1 it sees one."),
            ],
        ),
        Number(
            "A depthwise separable layer with kernel 5 x 5 and 32 channels, without biases. How many weights has it?",
            id="10-weights",
            unit="weights",
            truth=lambda: _price(True, 5, 32, bias=False),
            reveal=lambda: f"{_depthwise_alone(5, 32):,} depthwise, and {32 * 32:,} in the 1 x 1.",
            hints=(
                "It is two layers. Count each on its own.",
                "The depthwise one has one kernel of 5 x 5 for each channel. What does the 1 x 1 have?",
                "25 * 32, and 32 * 32.",
            ),
            mistakes=[
                (
                    lambda: _price(False, 5, 32, bias=False),
                    None,
                    "That is the ordinary convolution, in which every output channel has a kernel for every input "
                    "channel.",
                ),
                (lambda: _depthwise_alone(5, 32), "A13", "You forgot the 1 x 1 that mixes the channels."),
                (lambda: 32 * 32, "A13", "You counted the 1 x 1 alone."),
                (
                    lambda: 25 + 32 * 32,
                    None,
                    "You counted one depthwise kernel. There is one for each of the 32 channels.",
                ),
                (
                    lambda: _depthwise_alone(5, 32) * 32 * 32,
                    None,
                    "You multiplied the two layers. They stand one after the other, so their weights add up.",
                ),
            ],
        ),
        Number(
            f"How many depthwise separable layers of 3 x 3 does it take to see {WANTED} positions, with stride 1 and "
            "without dilation?",
            id="10-needed",
            unit="layers",
            truth=lambda: _layers_for(WANTED),
            reveal=lambda: (
                f"{_layers_for(WANTED)} layers, which have {_layers_for(WANTED) * _price(True):,} parameters "
                f"at {CHANNELS} channels."
            ),
            hints=(
                "Depthwise or ordinary makes no difference here.",
                "Each layer adds 2 positions; the first one is there already.",
                f"({WANTED} - 1) / 2.",
            ),
            mistakes=[
                (
                    lambda: (WANTED - 1) // 4,
                    "M23",
                    "You let the 1 x 1 convolutions widen the window as well.",
                ),
                (lambda: -(-WANTED // 3), "A7", "You let each layer add its kernel size."),
                (lambda: _layers_for(WANTED) + 1, "M15", "One too many: the first position is there already."),
                (
                    lambda: next(n for n in count(1) if 2 ** (n + 1) - 1 >= WANTED),
                    "A4",
                    "You let the window double with each layer. Without dilation and strides it grows by the same "
                    "each time.",
                ),
            ],
        ),
        Choice(
            "An article says: *This network uses depthwise convolutions and therefore has a large receptive field.* "
            "What is right about it?",
            id="10-claim",
            truth=_claim,
            reveal=_bars,
            options=[
                Option(
                    "itself",
                    "At the same kernel and depth the window is the same, to the position.",
                    "A13",
                    "A depthwise layer sees further than an ordinary one of the same kernel.",
                ),
                Option(
                    "price", text="Layer for layer nothing. But for the same price there can be more or larger ones."
                ),
                Option(
                    "never",
                    "For the same price you get more layers, or larger kernels, and these see further.",
                    "A13",
                    "Nothing: depthwise layers have no influence on how far a network can see.",
                ),
                Option(
                    "less",
                    "Each channel is filtered on its own, but in space the kernel reads as many positions as before.",
                    "M23",
                    "It is the other way round: a depthwise layer sees less, because it looks at one channel.",
                ),
            ],
        ),
        Choice(
            "In the design game your stack meets all requirements and gets 50 points. What do you know?",
            id="10-score",
            truth=lambda: _half_score(),
            reveal=lambda: (
                "The score is 100 times the cost of the cheapest allowed stack, divided by the cost of yours."
            ),
            options=[
                Option(
                    "field",
                    "The field is met, or there would be no points. Points compare prices.",
                    None,
                    "It sees half as far as the best one.",
                ),
                Option("twice", text="An allowed stack exists that costs half as much."),
                Option(
                    "any",
                    "The search knows the layers that the round allows, and no others. With others one may be cheaper "
                    "still.",
                    None,
                    "No stack in the world costs less than half as much.",
                ),
                Option(
                    "half",
                    "It meets all of them, or it would have 0 points.",
                    None,
                    "It meets half of the requirements.",
                ),
            ],
        ),
    ),
)


def _half_score() -> str:
    """What 50 points mean, found on a small case: a stack that costs twice as much as the cheapest."""
    wanted = rf.Requirements(field=3, kernels=(3,), strides=(1,), channels=4, input_size=8)
    twice = wanted.design([padded_layer(3, 1, 1, "conv")] * 2)
    least = rf.cheapest(wanted).best.cost.parameters
    return "twice" if (rf.assess(twice, wanted).score, twice.cost.parameters) == (50, 2 * least) else "field"
