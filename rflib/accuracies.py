"""Accuracies that were printed for trained networks of `rflib.networks`, to set beside their receptive fields.

Example:
    >>> from rflib.accuracies import TOP_1
    >>> from rflib.networks import network
    >>> TOP_1["vgg16"], network("vgg16").published
    (71.5, (212, 32, 90))

Reference:
    README.md and nets/mobilenet_v1.md of tensorflow/models, research/slim: validation set of ImageNet 2012, one crop.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["TOP_1"]

TOP_1: Mapping[str, float] = MappingProxyType(
    {
        "mobilenet_v1": 70.9,
        "vgg16": 71.5,
        "inception_v2": 73.9,
        "resnet_v1_50": 75.2,
        "resnet_v1_101": 76.4,
        "resnet_v1_152": 76.8,
        "inception_v3": 78.0,
    }
)
"""Share of photos whose first guess is right, in percent, by the name of the network in `rflib.networks.NETWORKS`."""
