"""Stacks worth looking at: parts of known networks, and the mistakes that people publish about them.

A preset is a stack, an input, where to look, and a note that says what to see there. The ids (M6, A8) are those of the
course's list of misconceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rflib import networks
from rflib.arithmetic import Layer
from rflib.errors import UnknownNameError

NETWORK, MISTAKE = "Networks", "Mistakes people publish"


@dataclass(frozen=True)
class Preset:
    """A stack to look at, and what to see.

    Attributes:
        name: Its name in `PRESETS`.
        group: The heading it stands under.
        title: What a reader chooses it by.
        note: What to see.
        input_size: Length of the input, in positions.
        layers: The stack, the first layer first.
        level: The level to look at; by default the last layer's.
        unit: The unit to look at; by default the middle one.
    """

    name: str
    group: str
    title: str
    note: str
    input_size: int
    layers: tuple[Layer, ...] = field(repr=False)
    level: int | None = None
    unit: int | None = None


def preset(name: str) -> Preset:
    """One preset by its name.

    Example:
        >>> preset("patchgan_70").note
        'The 70: 1 + 3·1 + 3·2 + 3·4 + 3·8 + 3·8, five kernels of 4 at jumps 1, 2, 4, 8 and 8.'

    Args:
        name: A name in `PRESETS`.

    Returns:
        The preset.

    Raises:
        UnknownNameError: If there is none of that name; the nearest ones are listed.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]


def _conv(kernel_size: int = 3, stride: int = 1, dilation: int = 1) -> Layer:
    """A convolution padded so that stride 1 keeps the length."""
    return Layer(kernel_size, stride, dilation * (kernel_size - 1) // 2, dilation)


def _named(names: str, *layers: Layer) -> tuple[Layer, ...]:
    parts = zip(names.split(), layers, strict=True)
    return tuple(Layer(each.kernel_size, each.stride, each.padding, each.dilation, name) for name, each in parts)


def _causal(kernel_size: int, *dilations: int) -> tuple[Layer, ...]:
    return tuple(Layer(kernel_size, 1, (d * (kernel_size - 1), 0), d) for d in dilations)


def _network(name: str) -> tuple[Layer, ...]:
    return networks.network(name).layers


_POOL = Layer(2, 2, name="pool")

_NETWORKS = (
    Preset(
        "three_3x3",
        NETWORK,
        "Three 3x3 convolutions",
        "Each layer adds 2 positions: fields of 3, 5 and 7. Three kernels of 3 see as far as one of 7.",
        *(24, (_conv(),) * 3),
    ),
    Preset(
        "vgg_block",
        NETWORK,
        "VGG: two blocks",
        "The first block's convolutions add 2 each; behind the pooling the jump is 2, and each adds 4: in all 16.",
        *(32, _network("vgg16")[:6]),
    ),
    Preset(
        "vgg16",
        NETWORK,
        "VGG-16, all 18 layers",
        "The convolutions of a stage add 2, then 4, 8, 16 and 32 each, because every pooling doubles the jump: 212.",
        *(224, _network("vgg16")),
    ),
    Preset(
        "resnet_stem",
        NETWORK,
        "ResNet: the stem",
        "Two layers, a field of 11, and a jump of 4: whatever comes next adds four times its kernel less one.",
        *(48, _named("conv1 maxpool", _conv(7, 2), _conv(3, 2))),
    ),
    Preset(
        "wavenet",
        NETWORK,
        "WaveNet: kernel 2, dilations 1, 2, 4, 8",
        "Four layers, 16 positions, all in the past: the dilation doubles, and so does the field with each layer.",
        *(40, _causal(2, 1, 2, 4, 8)),
    ),
    Preset(
        "wavenet_block",
        NETWORK,
        "WaveNet: a whole block, dilations 1 to 512",
        "Ten layers of kernel 2 see 1,024 positions, and every one of them is read along exactly one path.",
        *(1200, _causal(2, *(2**i for i in range(10)))),
    ),
    Preset(
        "tcn",
        NETWORK,
        "TCN: two convolutions a block (mistake M14)",
        "Each block holds two convolutions: 1 + 2·2·(1 + 2 + 4 + 8) = 61. Who counts one a block finds 31.",
        80,
        _named(
            " ".join(f"block{i}.conv{j}" for i in (1, 2, 3, 4) for j in (1, 2)),
            *(layer for d in (1, 2, 4, 8) for layer in _causal(3, d, d)),
        ),
    ),
    Preset(
        "aspp",
        NETWORK,
        "ASPP: the branch of rate 12",
        "The window spans 25 positions and three are read: the other branches and the layers around fill the holes.",
        *(48, _named("rate12 project", _conv(dilation=12), Layer(1))),
    ),
    Preset(
        "patchgan_70",
        NETWORK,
        "PatchGAN 70 (mistakes M9, M10)",
        "The 70: 1 + 3·1 + 3·2 + 3·4 + 3·8 + 3·8, five kernels of 4 at jumps 1, 2, 4, 8 and 8.",
        *(256, _network("patchgan_70")),
    ),
    Preset(
        "hybrid_dilation",
        NETWORK,
        "Hybrid dilation: 1, 2, 5",
        "Dilations without a gap between them: all 17 positions of the window are read.",
        *(40, tuple(_conv(dilation=d) for d in (1, 2, 5))),
    ),
    Preset(
        "gridding",
        NETWORK,
        "Gridding: dilations 2, 2, 2 (mistake M17)",
        "A window of 13, of which 7 are read: dilation has left holes that no later layer of the same rate fills.",
        *(40, tuple(_conv(dilation=2) for _ in range(3))),
    ),
)

_MISTAKES = (
    Preset(
        "A4",
        MISTAKE,
        "mistake A4: the field grows exponentially with depth?",
        "With stride 1 every layer adds the same 2: six layers see 13 positions, 1 + 6·2. That is linear.",
        *(32, (_conv(),) * 6),
    ),
    Preset(
        "A7",
        MISTAKE,
        "mistake A7: each layer adds its kernel size?",
        "It adds the kernel size less one: 1 + 2 + 4 = 7, not 3 + 5 = 8.",
        *(24, (_conv(3), _conv(5))),
    ),
    Preset(
        "A8",
        MISTAKE,
        "mistake A8: subsampling doubles the field?",
        "The pooling adds 1 (3 to 4). What it doubles is the jump, so the same convolution adds 4 behind it: 8.",
        *(24, (_conv(), _POOL, _conv())),
    ),
    Preset(
        "A10",
        MISTAKE,
        "mistake A10: dilation is a stride inside the kernel?",
        "Dilation 3 puts two holes between the taps: the window is 7, yet the units stand as close as before.",
        *(24, (_conv(dilation=3),)),
    ),
    Preset(
        "A11",
        MISTAKE,
        "mistake A11: deeper, and the effective field shrinks?",
        "Twelve layers: the window is 25, sigma 2.83. Remove layers: sigma falls, its share of the window rises.",
        *(48, (_conv(),) * 12),
    ),
    Preset(
        "M1",
        MISTAKE,
        "mistake M1: a 2x2 pooling doubles the field?",
        "Convolution of 3, then pooling of 2: the field is 4, not 6. The second tap looks one position further.",
        *(20, (_conv(), _POOL)),
    ),
    Preset(
        "M2",
        MISTAKE,
        "mistake M2: the field is the filter size?",
        "Only for the first layer. All three filters have 3 taps; the fields are 3, 5 and 7: move up and down.",
        *(24, (_conv(),) * 3),
    ),
    Preset(
        "M4",
        MISTAKE,
        "mistake M4: dilation left out of the size",
        "Two kernels of 3 with dilation 2 see 9 positions. Who takes the 3 for the 5 that it spans finds 5.",
        *(24, (_conv(dilation=2),) * 2),
    ),
    Preset(
        "M5",
        MISTAKE,
        "mistake M5: dilation left out of the center",
        "Dilation 2 and padding 2: the window of 5 is centered on position 0. Who leaves the dilation out finds -1.",
        *(20, (_conv(dilation=2),), 1, 0),
    ),
    Preset(
        "M6_stride_first",
        MISTAKE,
        "mistake M6: order of strides, stride first",
        "Stride 2 in the first layer: the second one steps by 2, and the field is 7. Now look at the other order.",
        *(24, (_conv(3, 2), _conv())),
    ),
    Preset(
        "M6_stride_last",
        MISTAKE,
        "mistake M6: order of strides, stride last",
        "The same two layers, exchanged: 5. A stride widens only what comes after it.",
        *(24, (_conv(), _conv(3, 2))),
    ),
    Preset(
        "M7",
        MISTAKE,
        "mistake M7: a layer's own stride taken for its jump",
        "The second layer's taps lie 2 apart, the jump before it: 1 + 2·1 + 2·2 = 7. With the jumps after: 13.",
        *(24, (_conv(3, 2), _conv(3, 2))),
    ),
    Preset(
        "M8_padded",
        MISTAKE,
        "mistake M8: padding changes the size? With padding",
        "Window of unit 0: 7 positions, from -3 on. Compare the same stack without padding.",
        *(24, (_conv(),) * 3, 3, 0),
    ),
    Preset(
        "M8_unpadded",
        MISTAKE,
        "mistake M8: padding changes the size? Without",
        "Window of unit 0: 7 positions again, from 0 on. Padding moves the window; it does not widen it.",
        *(24, (Layer(3),) * 3, 3, 0),
    ),
    Preset(
        "M12",
        MISTAKE,
        "mistake M12: a field larger than the input?",
        "A window of 44 over an input of 24: the unit reads all of the input, and the rest of the window is padding.",
        *(24, _network("vgg16")[:10]),
    ),
    Preset(
        "M15",
        MISTAKE,
        "mistake M15: WaveNet, one layer more",
        "The first layer of kernel 2, in front of the dilated ones, adds 1: here 17, and 1,025 up to dilation 512.",
        *(40, _causal(2, 1, 1, 2, 4, 8)),
    ),
    Preset(
        "M23",
        MISTAKE,
        "mistake M23: 1x1 never matters?",
        "A 1x1 with stride 2, then a 3: the window spans 5 positions and 3 are read.",
        *(24, (Layer(1, 2), _conv())),
    ),
    Preset(
        "M24",
        MISTAKE,
        "mistake M24: half a pixel",
        "A window of 2 has its center between two positions: unit 0 sees 0 and 1, its center is 0.5, not 1.",
        *(16, (_POOL,), 1, 0),
    ),
    Preset(
        "M25",
        MISTAKE,
        "mistake M25: two 3x3 see as much as one 6x6?",
        "The second kernel shares a position with the first: 5, not 6.",
        *(20, (_conv(),) * 2),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({each.name: each for each in (*_NETWORKS, *_MISTAKES)})
"""All presets by name, in the order in which a reader sees them."""
