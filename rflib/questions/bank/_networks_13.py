"""What the questions of lesson 13 compute: variants, places, neighbors and wrong walks of real networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rflib as rf
from rflib.accuracies import TOP_1
from rflib.arithmetic import Layer, receptive_field
from rflib.networks import network
from rflib.questions.bank import _wrong

PHOTO = 224  # rows and columns
VARIANTS = ("v1.5", "v1", "slim")
PROPOSALS = [*network("vgg16").layers[:-1], Layer(3, padding=1, name="rpn")]
"""VGG-16 up to its last convolution and the 3x3 of Faster R-CNN's region proposals behind it."""
BLOCK = [Layer(2, padding=(2**i, 0), dilation=2**i, name=f"dilation {2**i}") for i in range(10)]
STACKS = {
    "alexnet": "AlexNet",
    "vgg16": "VGG-16",
    "unet_bottom": "U-Net, up to its deepest map",
    "dqn": "Deep-Q network",
}
TCN = (1, 2, 4, 8, 16)
PAINTERS = ((4, 2),) * 4  # kernel and stride of the generator's transposed convolutions


def accepting() -> int:
    """How many variants of ResNet-50 load the weights of the paper's without a complaint."""
    from rflib import zoo  # here and not above: looking at one's progress needs no torch

    weights = zoo.resnet50(width=0.0625, variant="v1").state_dict()
    found = 0
    for variant in VARIANTS:
        try:
            zoo.resnet50(width=0.0625, variant=variant).load_state_dict(weights, strict=True)
        except RuntimeError:
            continue
        found += 1
    return found


def reveal_variants() -> str:
    names = {"v1.5": "resnet50", "v1": "resnet50_original", "slim": "resnet_v1_50"}
    return "\n".join(f"{said}: size {network(name).field[0]}" for said, name in names.items())


def middle(name: str = "resnet50", unit: int = 3) -> int:
    """Center of a unit on one axis."""
    size, stride, padding = network(name).field
    return (size - 1) // 2 - padding + stride * unit


def reveal_middle() -> str:
    return "\n".join(f"unit {unit}: center {middle(unit=unit)}" for unit in range(7))


def always_seen(layers: Sequence[Layer]) -> int:
    """The longest object that lies within some unit's window wherever it stands, by trying every place."""
    field = receptive_field(layers)
    windows = [field.interval(unit) for unit in range(60)]
    start = windows[30][0]

    def fits(length: int) -> bool:
        places = range(start, start + field.stride)
        return all(any(first <= at and at + length - 1 <= last for first, last in windows) for at in places)

    return max(length for length in range(1, field.size + 1) if fits(length))


def largest_is_best() -> str:
    fields = {name: network(name).field[0] for name in TOP_1}
    largest = max(fields, key=lambda name: fields[name])
    best = max(TOP_1, key=lambda name: TOP_1[name])
    if largest == best:
        return "yes"
    return "close" if fields[best] > fields["vgg16"] else "small"


def reveal_accuracies() -> str:
    lines = sorted((network(name).field[0], network(name).title, top) for name, top in TOP_1.items())
    return "\n".join(f"field {field}: {title}, {top} %" for field, title, top in lines)


def normalized() -> Any:
    """A PatchGAN with instance norm in the place of batch norm."""
    from torch import nn

    from rflib import zoo

    judge: Any = zoo.patchgan(width=0.125)
    for place, layer in enumerate(judge.model):
        if isinstance(layer, nn.BatchNorm2d):
            judge.model[place] = nn.InstanceNorm2d(layer.num_features)
    return judge


def reads_with_norm() -> str:
    found = rf.analyze(normalized(), input_size=(1, 3, 256, 256)).output
    return "all" if found.whole_input[0] else "window"


def painted() -> int:
    """How many rows of the image an inner latent cell can change."""
    from rflib import zoo

    found = rf.analyze(zoo.dcgan_generator(width=0.0625), input_size=(1, 100, 4, 4)).output
    return len({row for row, _ in found.units((1, 1))})


def reveal_painting() -> str:
    reach, lines = 1, ["a latent cell: 1"]
    for kernel_size, stride in PAINTERS:
        reach = stride * (reach - 1) + kernel_size
        lines.append(f"behind kernel {kernel_size}, stride {stride}: {reach}")
    return "\n".join(lines)


def rows_in_common() -> str:
    from rflib import zoo

    swin = zoo.swin_like(width=0.25, num_classes=0)
    found = rf.analyze(swin, input_size=(1, 3, 64, 64))["features.2.0"]
    upper, lower = (set(found.positions((unit, 0))[0]) for unit in (3, 4))
    return str(len(upper & lower))


def blind_to_order() -> str:
    [found] = [n for n in STACKS if _wrong.from_the_wrong_end(network(n).layers) == network(n).field[0]]
    return found


def reveal_orders() -> str:
    rows = [(said, network(n).field[0], _wrong.from_the_wrong_end(network(n).layers)) for n, said in STACKS.items()]
    return "\n".join(f"{said}: {right}, from the wrong end {wrong}" for said, right, wrong in rows)


def tcn(convolutions: int, kernel_size: int = 5) -> int:
    layers = [Layer(kernel_size, dilation=d) for d in TCN for _ in range(convolutions)]
    return receptive_field(layers).size


def stage(name: str) -> Any:
    return network(name).window("layer3")
