"""Questions of lesson 13: real networks, what was printed about them, and what they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rflib as rf
from rflib.accuracies import TOP_1
from rflib.arithmetic import Layer, receptive_field
from rflib.networks import network
from rflib.questions.bank import _wrong
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

_PHOTO = 224  # rows and columns
_VARIANTS = ("v1.5", "v1", "slim")
_PROPOSALS = [*network("vgg16").layers[:-1], Layer(3, padding=1, name="rpn")]
"""VGG-16 up to its last convolution and the 3x3 of Faster R-CNN's region proposals behind it."""
_BLOCK = [Layer(2, padding=(2**i, 0), dilation=2**i, name=f"dilation {2**i}") for i in range(10)]
_STACKS = {
    "alexnet": "AlexNet",
    "vgg16": "VGG-16",
    "unet_bottom": "U-Net, up to its deepest map",
    "dqn": "Deep-Q network",
}
_TCN = (1, 2, 4, 8, 16)
_PAINTERS = ((4, 2),) * 4  # kernel and stride of the generator's transposed convolutions


def _accepting() -> int:
    """How many variants of ResNet-50 load the weights of the paper's without a complaint."""
    from rflib import zoo  # here and not above: looking at one's progress needs no torch

    weights = zoo.resnet50(width=0.0625, variant="v1").state_dict()
    found = 0
    for variant in _VARIANTS:
        try:
            zoo.resnet50(width=0.0625, variant=variant).load_state_dict(weights, strict=True)
        except RuntimeError:
            continue
        found += 1
    return found


def _reveal_variants() -> str:
    names = {"v1.5": "resnet50", "v1": "resnet50_original", "slim": "resnet_v1_50"}
    return "\n".join(f"{said}: size {network(name).field[0]}" for said, name in names.items())


def _middle(name: str = "resnet50", unit: int = 3) -> int:
    """Center of a unit on one axis."""
    size, stride, padding = network(name).field
    return (size - 1) // 2 - padding + stride * unit


def _reveal_middle() -> str:
    return "\n".join(f"unit {unit}: center {_middle(unit=unit)}" for unit in range(7))


def _always_seen(layers: Sequence[Layer]) -> int:
    """The longest object that lies within some unit's window wherever it stands, by trying every place."""
    field = receptive_field(layers)
    windows = [field.interval(unit) for unit in range(60)]
    start = windows[30][0]

    def fits(length: int) -> bool:
        places = range(start, start + field.stride)
        return all(any(first <= at and at + length - 1 <= last for first, last in windows) for at in places)

    return max(length for length in range(1, field.size + 1) if fits(length))


def _largest_is_best() -> str:
    fields = {name: network(name).field[0] for name in TOP_1}
    largest = max(fields, key=lambda name: fields[name])
    best = max(TOP_1, key=lambda name: TOP_1[name])
    if largest == best:
        return "yes"
    return "close" if fields[best] > fields["vgg16"] else "small"


def _reveal_accuracies() -> str:
    lines = sorted((network(name).field[0], network(name).title, top) for name, top in TOP_1.items())
    return "\n".join(f"field {field}: {title}, {top} %" for field, title, top in lines)


def _normalized() -> Any:
    """A PatchGAN with instance norm in the place of batch norm."""
    from torch import nn

    from rflib import zoo

    judge: Any = zoo.patchgan(width=0.125)
    for place, layer in enumerate(judge.model):
        if isinstance(layer, nn.BatchNorm2d):
            judge.model[place] = nn.InstanceNorm2d(layer.num_features)
    return judge


def _reads_with_norm() -> str:
    found = rf.analyze(_normalized(), input_size=(1, 3, 256, 256)).output
    return "all" if found.whole_input[0] else "window"


def _share_of_cube() -> str:
    """What part of the encoder's last window lies inside the cube of voxels: third, half or most."""
    encoder = network("shape_encoder")
    (first, last), side = receptive_field(encoder.layers).interval(0), encoder.input_size
    inside = (min(last, side - 1) - max(first, 0) + 1) / encoder.field[0]
    return min({"third": 1 / 3, "half": 1 / 2, "most": 2 / 3}.items(), key=lambda item: abs(item[1] - inside**3))[0]


def _reveal_cube() -> str:
    encoder = network("shape_encoder")
    size, side = encoder.field[0], encoder.input_size
    return f"{side} of {size} positions on each axis: {side**3:,} of {size**3:,} in the cube of the window."


def _painted() -> int:
    """How many rows of the image an inner latent cell can change."""
    from rflib import zoo

    found = rf.analyze(zoo.dcgan_generator(width=0.0625), input_size=(1, 100, 4, 4)).output
    return len({row for row, _ in found.units((1, 1))})


def _reveal_painting() -> str:
    reach, lines = 1, ["a latent cell: 1"]
    for kernel_size, stride in _PAINTERS:
        reach = stride * (reach - 1) + kernel_size
        lines.append(f"behind kernel {kernel_size}, stride {stride}: {reach}")
    return "\n".join(lines)


def _rows_in_common() -> str:
    from rflib import zoo

    swin = zoo.swin_like(width=0.25, num_classes=0)
    found = rf.analyze(swin, input_size=(1, 3, 64, 64))["features.2.0"]
    upper, lower = (set(found.positions((unit, 0))[0]) for unit in (3, 4))
    return str(len(upper & lower))


def _blind_to_order() -> str:
    [found] = [n for n in _STACKS if _wrong.from_the_wrong_end(network(n).layers) == network(n).field[0]]
    return found


def _reveal_orders() -> str:
    rows = [(said, network(n).field[0], _wrong.from_the_wrong_end(network(n).layers)) for n, said in _STACKS.items()]
    return "\n".join(f"{said}: {right}, from the wrong end {wrong}" for said, right, wrong in rows)


def _tcn(convolutions: int, kernel_size: int = 5) -> int:
    layers = [Layer(kernel_size, dilation=d) for d in _TCN for _ in range(convolutions)]
    return receptive_field(layers).size


def _patch(halvings: int) -> int:
    return receptive_field([Layer(4, 2, 1)] * halvings + [Layer(4, 1, 1)] * 2).size


def _stage(name: str) -> Any:
    return network(name).window("layer3")


LESSON = Lesson(
    "13",
    "Reading real networks",
    "lessons/13_reading_real_networks.ipynb",
    (
        Choice(
            "You have code for three variants of ResNet-50, which differ in the places of their strides, and one file "
            "of weights. You call `load_state_dict` on each. How many of the three accept the file without a "
            "complaint?",
            id="13-file",
            prediction=True,
            truth=_accepting,
            reveal=_reveal_variants,
            options=[
                Option(
                    1,
                    "Then a file would know its variant. But a stride has no weight: names and shapes agree in all.",
                    "M26",
                    "one",
                ),
                Option(
                    2,
                    "It seems natural that two variants are close and the third is not. None of them differs in a "
                    "name or a shape.",
                    "M26",
                    "two",
                ),
                Option(3, text="all three"),
            ],
        ),
        Number(
            "The last map of TF-Slim's ResNet-50 has a window of 483 positions. ResNet-101 has 17 blocks more, all in "
            "its third stage, where the jump is 16. Each holds one 3x3 convolution; its other layers are 1x1. How "
            "wide is its window?",
            id="13-deeper",
            unit="input positions",
            prediction=True,
            truth=lambda: network("resnet_v1_101").field[0],
            reveal=lambda: f"483 + 17 * 2 * 16 = {483 + 17 * 2 * 16}",
            mistakes=[
                (
                    2 * 483,
                    "A4",
                    "You doubled the field with the depth. It grows by what each new layer adds, times the jump there.",
                ),
                (
                    483 + 17 * 3 * 16,
                    "A7",
                    "You let each new layer add its whole kernel. A kernel of 3 has two steps.",
                ),
                (
                    483 + 17 * 2,
                    "M6",
                    "You left out the jump. A step in the third stage is 16 input positions long.",
                ),
                (
                    483 + 17 * 2 * 32,
                    "M7",
                    "You took the stride of the whole network, 32. In the third stage the jump is still 16.",
                ),
            ],
        ),
        Number(
            f"ResNet-50 as torchvision builds it, on a photo of {_PHOTO} rows: the last map has 7 x 7 units, size 427, "
            "stride 32, padding 213. On which row of the photo is the window of the middle unit, number 3, centered?",
            id="13-middle",
            unit="input positions",
            prediction=True,
            truth=_middle,
            reveal=_reveal_middle,
            mistakes=[
                (
                    _PHOTO // 2,
                    "M24",
                    "You took the middle of the map for the middle of the photo. On an even length each layer of "
                    "stride 2 uses one row of padding less at the end than at the beginning.",
                ),
                (
                    427 // 2,
                    None,
                    "That is where the window of unit 0 would be centered without padding.",
                ),
                (
                    3 * 32 + 427 // 2,
                    "M8",
                    "You left out the padding. It moves all windows by 213 positions to the front.",
                ),
            ],
        ),
        Number(
            "The region proposals of Faster R-CNN stand on a map with windows of 228 positions and stride 16. How long "
            "may an object be so that, wherever it stands away from the border, the window of some unit holds all of "
            "it?",
            id="13-object",
            unit="input positions",
            prediction=True,
            truth=lambda: _always_seen(_PROPOSALS),
            reveal=lambda: "228 - 16 + 1: in the worst place an object begins 15 positions behind a window.",
            mistakes=[
                (
                    228,
                    None,
                    "An object of 228 fits only if a window begins exactly where it begins. Windows begin at every "
                    "16th position.",
                ),
                (
                    228 - 16,
                    "M15",
                    "One short. Among 16 neighboring places, one is that of a window: at most 15 positions are lost.",
                ),
                (
                    228 // 2,
                    None,
                    "You asked for half a window. The worst place of an object is less than one stride from a "
                    "window's beginning.",
                ),
            ],
        ),
        Choice(
            "Seven networks of TF-Slim have both a printed receptive field and a printed accuracy on ImageNet. The "
            "fields go from 212 to 1507. Is the network with the largest field the most accurate?",
            id="13-accuracy",
            prediction=True,
            truth=_largest_is_best,
            reveal=_reveal_accuracies,
            options=[
                Option(
                    "yes",
                    "Field and accuracy do rise together. At the top they part.",
                    None,
                    "Yes, it is the most accurate.",
                ),
                Option("close", text="No, but the most accurate one has a much larger field than VGG-16."),
                Option(
                    "small",
                    "The smallest fields belong to the least accurate networks here.",
                    None,
                    "No, the most accurate one has one of the smallest fields.",
                ),
            ],
        ),
        Choice(
            "CycleGAN uses the PatchGAN of 70 x 70 with instance norm, which subtracts from each channel its mean over "
            "the whole map, and divides by its standard deviation. The photo has 256 rows. How many of them can "
            "change one score in the middle?",
            id="13-norm",
            prediction=True,
            truth=_reads_with_norm,
            reveal=lambda: repr(rf.analyze(_normalized(), input_size=(1, 3, 256, 256)).output),
            options=[
                Option(
                    "window",
                    "70 is what the kernels read. The mean of a channel reads every place of the map.",
                    "M10",
                    "70: the norm has no kernel.",
                ),
                Option("all", text="All 256."),
                Option(
                    "twice",
                    "A mean over a map has no edge after two windows; it takes all of them in.",
                    None,
                    "140: a window and its neighbors.",
                ),
            ],
        ),
        Choice(
            "The last layer of an encoder for shapes of 64 x 64 x 64 voxels has a window of 94 positions on each of "
            "three axes. The only unit reads the whole shape. What part of its window, by volume, is shape and not "
            "padding?",
            id="13-cube",
            prediction=True,
            truth=_share_of_cube,
            reveal=_reveal_cube,
            options=[
                Option(
                    "most",
                    "That is 64 of 94, the part on one axis. A volume has three.",
                    None,
                    "About two thirds",
                ),
                Option(
                    "half",
                    "That is the part of a square. A volume has one axis more.",
                    None,
                    "About half",
                ),
                Option("third", text="About a third"),
                Option(
                    "slip",
                    "A window may be larger than the input. What hangs over is padding.",
                    "M12",
                    "None of these: a window of 94 in a cube of 64 is a slip.",
                ),
            ],
        ),
        Number(
            "Three WaveNet blocks, one behind the other. Each has ten causal layers with kernel 2 and the dilations 1, "
            "2, 4, ..., 512. One block has a window of 1024 samples. How many have the three together?",
            id="13-blocks",
            unit="input positions",
            prediction=True,
            truth=lambda: receptive_field(_BLOCK * 3).size,
            reveal=lambda: "1 + 3 * 1023: a block adds 1023 steps, and the first position is counted once.",
            mistakes=[
                (
                    3 * 1024,
                    "M15",
                    "You added three windows. Neighboring blocks share a position: only steps add up.",
                ),
                (
                    3 * 1023,
                    "M15",
                    "You added the steps and left out the position from which they start.",
                ),
                (
                    1024,
                    "A4",
                    "You took the largest dilation for all. Layers add, also when their dilations were there before.",
                ),
            ],
        ),
        Number(
            "A generator makes an image of 64 x 64 pixels from a latent map of 4 x 4 cells, by four transposed "
            "convolutions with kernel 4, stride 2 and padding 1. How many rows of the image can one inner cell change?",
            id="13-paint",
            unit="rows",
            prediction=True,
            truth=_painted,
            reveal=_reveal_painting,
            mistakes=[
                (
                    16,
                    "M9",
                    "You shared the image out among the cells, 64 / 4. That is the distance between neighbors, not "
                    "their reach; neighbors overlap.",
                ),
                (
                    64,
                    None,
                    "Then each cell would paint everything. Look how far four kernels of 4 can reach.",
                ),
                (
                    4,
                    "M2",
                    "You took the kernel of the last layer.",
                ),
            ],
        ),
        Choice(
            "A Swin transformer cuts its map into windows of 4 x 4 units, and attention stays within a window. A unit "
            "of the map stands for 4 x 4 pixels. Units 3 and 4 are neighbors, and a cut runs between them. How many "
            "rows of pixels do both read, behind the first block?",
            id="13-window",
            prediction=True,
            truth=_rows_in_common,
            reveal=lambda: "Units 0 to 3 read the rows 0 to 15, units 4 to 7 the rows 16 to 31.",
            options=[
                Option(
                    "12",
                    "So it would be if the window moved along with the unit, as in a convolution. These windows stay.",
                    None,
                    "12 of 16",
                ),
                Option(
                    "16",
                    "Units 0 to 3 read the same 16 rows. Unit 4 is in the next window.",
                    None,
                    "all 16",
                ),
                Option("0", text="none"),
            ],
        ),
        Choice(
            "A tool multiplies the strides from the wrong end: it walks the layers in reverse order. You try it on "
            "four networks whose right size you know. Which of them does *not* reveal the mistake?",
            id="13-catches",
            prediction=True,
            truth=_blind_to_order,
            reveal=_reveal_orders,
            options=[
                Option(
                    "alexnet",
                    "Its large stride of 4 comes first, behind a kernel of 11. Reversed, it is far smaller.",
                    "M6",
                    "AlexNet",
                ),
                Option(
                    "vgg16",
                    "This is the classic case: its stages end with a pool, and reversed they begin with one.",
                    "M6",
                    "VGG-16",
                ),
                Option("unet_bottom", text="U-Net, up to its deepest map"),
                Option(
                    "dqn",
                    "8 with stride 4, 4 with stride 2, 3 with stride 1: reversed, the large kernel comes last.",
                    "M6",
                    "The deep-Q network",
                ),
            ],
        ),
        Number(
            "A paper uses torchvision's ResNet-101 and quotes 1027 for its last map, from the table of TF-Slim. "
            "torchvision puts the stride of stages 2, 3 and 4 into the 3x3 of their first block. That took 56 "
            "positions away from ResNet-50. What is the right number?",
            id="13-variant",
            unit="input positions",
            truth=lambda: network("resnet101").field[0],
            reveal=lambda: repr(network("resnet101").window()),
            hints=(
                "Which layers have another jump before them in the two variants?",
                "One 3x3 in each of three stages. ResNet-50 and ResNet-101 have these layers in common.",
                "So the same 56 positions.",
            ),
            mistakes=[
                (1027, "M26", "That is TF-Slim's variant. The number belongs to the variant, not to the name."),
                (427, "M26", "That is ResNet-50. ResNet-101 has 17 blocks more."),
                (1027 - 2 * 56, None, "You took the difference twice. Depth does not enter it: only three layers do."),
                (
                    1027 + 56,
                    None,
                    "The other way round: a 3x3 that has the stride still reads the finer map.",
                ),
            ],
        ),
        Number(
            "A temporal convolutional network: kernel 5, dilations 1, 2, 4, 8, 16, and two convolutions in each block. "
            "How many time steps does its window span?",
            id="13-tcn",
            unit="input positions",
            truth=lambda: _tcn(2),
            reveal=lambda: "1 + 2 * 4 * (1 + 2 + 4 + 8 + 16)",
            hints=(
                "How many steps has a kernel of 5?",
                "Each dilation occurs in two convolutions, one behind the other.",
                "1 + 2 * 4 * (1 + 2 + 4 + 8 + 16).",
            ),
            mistakes=[
                (lambda: _tcn(1), "M14", "You counted one convolution a block. There are two in line."),
                (lambda: _tcn(2) - 1, "M15", "Steps, not positions: the first position is missing."),
                (lambda: _tcn(2) + 1, "M15", "One too many: 248 steps lead over 249 positions."),
                (
                    lambda: 1 + 2 * 5 * sum(_TCN),
                    "A7",
                    "You let each layer add its kernel. Five taps are four steps.",
                ),
            ],
        ),
        Number(
            "A discriminator has four convolutions of kernel 4 and stride 2, then two of kernel 4 and stride 1. What "
            "size belongs into its name, PatchGAN ...?",
            id="13-patch",
            unit="input positions",
            truth=lambda: _patch(4),
            reveal=lambda: rf.layer_table([Layer(4, 2, 1)] * 4 + [Layer(4, 1, 1)] * 2),
            hints=(
                "A kernel of 4 has three steps.",
                "The jumps before the six layers are 1, 2, 4, 8, 16, 16.",
                "1 + 3 * (1 + 2 + 4 + 8 + 16 + 16).",
            ),
            mistakes=[
                (lambda: _patch(3), "M11", "That has one layer of stride 2 fewer. Count the list again."),
                (lambda: _patch(5), "M11", "That has one layer of stride 2 more. Count the list again."),
                (
                    lambda: _wrong.from_the_wrong_end([Layer(4, 2)] * 4 + [Layer(4)] * 2),
                    "M6",
                    "You multiplied the strides from the wrong end.",
                ),
                (
                    lambda: _patch(4) - 1,
                    "M15",
                    "You added the steps and left out the position from which they start.",
                ),
            ],
        ),
        Number(
            "You detect objects on `layer3` of torchvision's ResNet-50: windows of 267 positions, stride 16. How long "
            "may an object be so that, away from the border, some unit always sees it whole?",
            id="13-scale",
            unit="input positions",
            truth=lambda: _always_seen([Layer(int(_stage("resnet50").size), int(_stage("resnet50").stride))]),
            reveal=lambda: "267 - 16 + 1",
            hints=(
                "Where do windows begin? At every 16th position.",
                "In the worst place an object begins 15 positions behind a window.",
                "267 - 15.",
            ),
            mistakes=[
                (267, None, "Only if a window begins exactly where the object begins."),
                (267 - 16, "M15", "One short: at most 15 positions are lost, not 16."),
                (427 - 32 + 1, None, "That is `layer4`, with 427 and stride 32."),
            ],
        ),
        Choice(
            "A tool prints for ResNet-50 on a photo of 224 pixels: size 1963, stride 256. The last map has 7 x 7 "
            "units. Which sentence is right?",
            id="13-check",
            truth=lambda: "stride" if _PHOTO < (7 - 1) * 256 else "fine",
            reveal=lambda: f"{_PHOTO} / 7 is {_PHOTO // 7}; with a stride of 256 there would be one unit.",
            options=[
                Option("stride", text="The stride cannot be: seven units 256 apart do not fit on 224 pixels."),
                Option(
                    "image",
                    "A window may be larger than the photo. That proves nothing.",
                    "M12",
                    "The size cannot be: it is larger than the photo.",
                ),
                Option(
                    "fine",
                    "The shortcuts were counted in line. The map's length gives it away.",
                    "M13",
                    "Both can be: deep networks see far.",
                ),
            ],
        ),
    ),
)
