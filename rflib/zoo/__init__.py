"""Published networks as plain torch modules with random weights, to be analyzed, measured and looked at.

Every function returns a module; all arguments have defaults, so
`python -m rflib rflib.zoo:resnet50 --input 1,3,224,224` works. `width` makes a network narrower: its receptive field
does not depend on it, its speed does. `networks()` lists them with an input that fits and the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from ..networks import network
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
        published: The name in `rflib.networks.NETWORKS` under which its layers and its published numbers stand.
        field: Size, stride and padding in input positions, the same along every axis: what `rflib.networks` computes
            for `published`. None where there is no single number.
    """

    name: str
    make: Callable[..., nn.Module]
    input_shape: tuple[int, ...]
    layer: str | None = None
    published: str | None = None
    field: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.published is not None:
            object.__setattr__(self, "field", network(self.published).field)


_IMAGE = (1, 3, 224, 224)
_NETWORKS = (
    Network("alexnet", alexnet, _IMAGE, "features", "alexnet"),
    Network("alexnet_v2", alexnet_v2, _IMAGE, "pool5", "alexnet_v2"),
    Network("vgg16", vgg16, _IMAGE, "features", "vgg16"),
    Network("resnet18", resnet18, _IMAGE, "layer4", "resnet18"),
    Network("resnet34", resnet34, _IMAGE, "layer4", "resnet34"),
    Network("resnet50", resnet50, _IMAGE, "layer4", "resnet50"),
    Network("resnet101", resnet101, _IMAGE, "layer4", "resnet101"),
    Network("resnet_v1_50", resnet_v1_50, _IMAGE, "layer4", "resnet_v1_50"),
    Network("resnet_v1_101", resnet_v1_101, _IMAGE, "layer4", "resnet_v1_101"),
    Network("mobilenet_v1", mobilenet_v1, _IMAGE, "Conv2d_13_pointwise", "mobilenet_v1"),
    Network("inception_v2", inception_v2, _IMAGE, "Mixed_5c", "inception_v2"),
    Network("inception_v3", inception_v3, (1, 3, 299, 299), "Mixed_7c", "inception_v3"),
    Network("efficientnet_like", efficientnet_like, _IMAGE),
    Network("convnext_like", convnext_like, _IMAGE, "features", "convnext_tiny"),
    Network("swin_like", swin_like, (1, 3, 64, 64)),
    Network("vit_like", vit_like, (1, 3, 64, 64), "conv_proj", field=(8, 8, 0)),
    Network("unet", unet, (1, 1, 256, 256), "encoder.4", "unet_bottom"),
    Network("deeplab_aspp", deeplab_aspp, (1, 2048, 33, 33)),
    Network("patchgan", patchgan, (1, 3, 256, 256), "model", "patchgan_70"),
    Network("dqn", dqn, (1, 4, 84, 84), "conv3", "dqn"),
    Network("tcn", tcn, (1, 1, 200), "network", "tcn"),
    Network("wavenet_block", wavenet_block, (1, 1, 4000), "end2", "wavenet"),
    Network("shape_encoder", shape_encoder, (1, 1, 64, 64, 64), "12", "shape_encoder"),
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
