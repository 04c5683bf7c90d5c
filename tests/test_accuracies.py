"""The printed accuracies belong to networks whose fields were printed too."""

from __future__ import annotations

import pytest

from rflib import networks
from rflib.accuracies import TOP_1


def test_every_accuracy_stands_beside_a_field_of_the_same_source() -> None:
    tf_slim = {name for name, net in networks.NETWORKS.items() if net.source == networks.DISTILL}
    assert set(TOP_1) <= tf_slim
    assert {name for name in tf_slim if name.startswith(("resnet", "inception"))} - set(TOP_1) == {"resnet_v1_200"}


def test_they_are_percentages_in_the_order_of_the_readme() -> None:
    assert sorted(TOP_1.values()) == list(TOP_1.values())
    assert 70 < min(TOP_1.values()) < max(TOP_1.values()) < 80
    assert TOP_1["resnet_v1_50"] < TOP_1["resnet_v1_101"] < TOP_1["resnet_v1_152"] < TOP_1["inception_v3"]


def test_nobody_can_change_them() -> None:
    with pytest.raises(TypeError):
        TOP_1["vgg16"] = 99.0  # type: ignore[index]
