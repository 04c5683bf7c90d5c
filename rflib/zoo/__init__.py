"""Published networks as plain torch modules with random weights, to be analyzed, measured and looked at.

Every function returns a module; all arguments have defaults, so
`python -m rflib rflib.zoo:resnet50 --input 1,3,224,224` works. `width` makes a network narrower: its receptive field
does not depend on it, its speed does. `networks()` lists them with an input that fits and the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from .adversarial import dcgan_generator, patchgan, shape_encoder
from .classic import alexnet, alexnet_v2, dqn, vgg16
from .inception import inception_v2, inception_v3
from .mobile import efficientnet_like, mobilenet_v1
from .modern import convnext_like, swin_like, vit_like
from .pixelwise import deeplab_aspp, unet
from .residual import resnet18, resnet34, resnet50, resnet101, resnet_v1_50, resnet_v1_101
from .sequence import tcn, wavenet_block


@dataclass(frozen=True)
class Network:
    """One network of the zoo: how to make it, what to feed it, and the field it is known for.

    Example:
        >>> from rflib import zoo
        >>> zoo.networks()["resnet18"].field
        (435, 32, 217)

    Attributes:
        name: The name of the function in `rflib.zoo`.
        make: That function.
        input_shape: A shape that fits, (B, C, ...), at `width=1`.
        layer: Path of the module that `field` is about; None where there is no single number.
        field: Size, stride and padding in input positions, the same along every axis: the published numbers where there
            are any, else measured by poking this module. None where there is no single number.
    """

    name: str
    make: Callable[..., nn.Module]
    input_shape: tuple[int, ...]
    layer: str | None = None
    field: tuple[int, int, int] | None = None


_IMAGE = (1, 3, 224, 224)
_NETWORKS = (
    Network("alexnet", alexnet, _IMAGE, "features", (195, 32, 66)),
    Network("alexnet_v2", alexnet_v2, _IMAGE, "pool5", (195, 32, 64)),
    Network("vgg16", vgg16, _IMAGE, "features", (212, 32, 90)),
    Network("resnet18", resnet18, _IMAGE, "layer4", (435, 32, 217)),
    Network("resnet34", resnet34, _IMAGE, "layer4", (899, 32, 449)),
    Network("resnet50", resnet50, _IMAGE, "layer4", (427, 32, 213)),
    Network("resnet101", resnet101, _IMAGE, "layer4", (971, 32, 485)),
    Network("resnet_v1_50", resnet_v1_50, _IMAGE, "layer4", (483, 32, 239)),
    Network("resnet_v1_101", resnet_v1_101, _IMAGE, "layer4", (1027, 32, 511)),
    Network("mobilenet_v1", mobilenet_v1, _IMAGE, "Conv2d_13_pointwise", (315, 32, 126)),
    Network("inception_v2", inception_v2, _IMAGE, "Mixed_5c", (699, 32, 318)),
    Network("inception_v3", inception_v3, (1, 3, 299, 299), "Mixed_7c", (1311, 32, 618)),
    Network("efficientnet_like", efficientnet_like, _IMAGE),
    Network("convnext_like", convnext_like, _IMAGE, "features", (1688, 32, 828)),
    Network("swin_like", swin_like, (1, 3, 64, 64)),
    Network("vit_like", vit_like, (1, 3, 64, 64), "conv_proj", (8, 8, 0)),
    Network("unet", unet, (1, 1, 256, 256), "encoder.4", (140, 16, 62)),
    Network("deeplab_aspp", deeplab_aspp, (1, 2048, 33, 33)),
    Network("patchgan", patchgan, (1, 3, 256, 256), "model", (70, 8, 23)),
    Network("dqn", dqn, (1, 4, 84, 84), "conv3", (36, 8, 0)),
    Network("tcn", tcn, (1, 1, 200), "network", (61, 1, 60)),
    Network("wavenet_block", wavenet_block, (1, 1, 4000), "end2", (1024, 1, 1023)),
    Network("shape_encoder", shape_encoder, (1, 1, 64, 64, 64), "12", (94, 16, 15)),
    Network("dcgan_generator", dcgan_generator, (1, 100, 4, 4)),
)

NAMES = tuple(network.name for network in _NETWORKS)


def networks() -> dict[str, Network]:
    """The networks of the zoo by name, each with an input shape and, where there is one, its field.

    Example:
        >>> from rflib import zoo
        >>> zoo.networks()["inception_v3"].input_shape
        (1, 3, 299, 299)

    Returns:
        A new dictionary from each name in `NAMES` to a `Network`.
    """
    return {network.name: network for network in _NETWORKS}


__all__ = [
    "NAMES",
    "Network",
    "alexnet",
    "alexnet_v2",
    "convnext_like",
    "dcgan_generator",
    "deeplab_aspp",
    "dqn",
    "efficientnet_like",
    "inception_v2",
    "inception_v3",
    "mobilenet_v1",
    "networks",
    "patchgan",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet_v1_50",
    "resnet_v1_101",
    "shape_encoder",
    "swin_like",
    "tcn",
    "unet",
    "vgg16",
    "vit_like",
    "wavenet_block",
]
