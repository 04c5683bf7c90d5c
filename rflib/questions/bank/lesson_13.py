"""Questions of lesson 13: real networks, what was printed about them, and what they read."""

from __future__ import annotations

import rflib as rf
from rflib.arithmetic import Layer, receptive_field
from rflib.networks import network
from rflib.questions.bank import _networks_13 as nets
from rflib.questions.bank._lesson import Lesson
from rflib.questions.kinds import Choice, Number, Option

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
            truth=nets.accepting,
            reveal=nets.reveal_variants,
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
            f"ResNet-50 as torchvision builds it, on a photo of {nets.PHOTO} rows: the last map has 7 x 7 units, size "
            "427, stride 32, padding 213. On which row of the photo is the window of the middle unit, number 3, "
            "centered?",
            id="13-middle",
            unit="input positions",
            prediction=True,
            truth=nets.middle,
            reveal=nets.reveal_middle,
            mistakes=[
                (
                    nets.PHOTO // 2,
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
            truth=lambda: nets.always_seen(nets.PROPOSALS),
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
            truth=nets.largest_is_best,
            reveal=nets.reveal_accuracies,
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
            truth=nets.reads_with_norm,
            reveal=lambda: repr(rf.analyze(nets.normalized(), input_size=(1, 3, 256, 256)).output),
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
        Number(
            "Three WaveNet blocks, one behind the other. Each has ten causal layers with kernel 2 and the dilations 1, "
            "2, 4, ..., 512. One block has a window of 1024 samples. How many have the three together?",
            id="13-blocks",
            unit="input positions",
            prediction=True,
            truth=lambda: receptive_field(nets.BLOCK * 3).size,
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
            truth=nets.painted,
            reveal=nets.reveal_painting,
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
            truth=nets.rows_in_common,
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
            truth=nets.blind_to_order,
            reveal=nets.reveal_orders,
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
            truth=lambda: nets.tcn(2),
            reveal=lambda: "1 + 2 * 4 * (1 + 2 + 4 + 8 + 16)",
            hints=(
                "How many steps has a kernel of 5?",
                "Each dilation occurs in two convolutions, one behind the other.",
                "1 + 2 * 4 * (1 + 2 + 4 + 8 + 16).",
            ),
            mistakes=[
                (lambda: nets.tcn(1), "M14", "You counted one convolution a block. There are two in line."),
                (lambda: nets.tcn(2) - 1, "M15", "Steps, not positions: the first position is missing."),
                (lambda: nets.tcn(2) + 1, "M15", "One too many: 248 steps lead over 249 positions."),
                (
                    lambda: 1 + 2 * 5 * sum(nets.TCN),
                    "A7",
                    "You let each layer add its kernel. Five taps are four steps.",
                ),
            ],
        ),
        Number(
            "You detect objects on `layer3` of torchvision's ResNet-50: windows of 267 positions, stride 16. How long "
            "may an object be so that, away from the border, some unit always sees it whole?",
            id="13-scale",
            unit="input positions",
            truth=lambda: nets.always_seen(
                [Layer(int(nets.stage("resnet50").size), int(nets.stage("resnet50").stride))]
            ),
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
            truth=lambda: "stride" if nets.PHOTO < (7 - 1) * 256 else "fine",
            reveal=lambda: f"{nets.PHOTO} / 7 is {nets.PHOTO // 7}; with a stride of 256 there would be one unit.",
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
