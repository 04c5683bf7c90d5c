"""AlexNet twice, VGG-16, the deep-Q network: plain stacks of convolution and pooling."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from ._parts import scaled


class FeaturesAndClassifier(nn.Module):
    """`features`, then `avgpool` and `classifier`; without a classifier the feature map is the output."""

    def __init__(self, features: nn.Module, pooled: int, classifier: nn.Module | None) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(pooled) if classifier is not None else None
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, num_classes), or the feature map."""
        x = self.features(x)  # (B, C, H, W)
        if self.avgpool is not None and self.classifier is not None:
            x = self.classifier(self.avgpool(x).flatten(1))  # (B, num_classes)
        return x


def _classifier(inputs: int, hidden: int, num_classes: int) -> nn.Module | None:
    if num_classes == 0:
        return None
    return nn.Sequential(
        *(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout()),
        nn.Linear(hidden, num_classes),
    )


def alexnet(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """AlexNet in its one-column form: `features` has a field of 195, stride 32, padding 66.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.alexnet(width=0.1, num_classes=0)(torch.zeros(1, 3, 224, 224)).shape
        torch.Size([1, 26, 6, 6])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; indices in `features` as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, arXiv 1404.5997.
    """
    a, b, c, d = (scaled(n, width) for n in (64, 192, 384, 256))
    features = nn.Sequential(
        *(nn.Conv2d(3, a, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(b, c, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(c, d, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(d, d, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    return FeaturesAndClassifier(features, 6, _classifier(36 * d, scaled(4096, width), num_classes))


def alexnet_v2(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """AlexNet as TF-Slim's `alexnet_v2`: `pool5` has a field of 195, stride 32, padding 64.

    The first convolution and the pooling are unpadded.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.alexnet_v2(width=0.1, num_classes=0)(torch.zeros(1, 3, 224, 224)).shape
        torch.Size([1, 26, 5, 5])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier, which is made of convolutions; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes, h, w) with random weights, 1x1 units for 224x224 inputs.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, arXiv 1404.5997.
        A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019,
        doi 10.23915/distill.00021.
    """
    a, b, c, d, hidden = (scaled(n, width) for n in (64, 192, 384, 256, 4096))
    layers: list[tuple[str, nn.Module]] = [
        *(("conv1", nn.Conv2d(3, a, 11, stride=4)), ("relu1", nn.ReLU()), ("pool1", nn.MaxPool2d(3, 2))),
        *(("conv2", nn.Conv2d(a, b, 5, padding=2)), ("relu2", nn.ReLU()), ("pool2", nn.MaxPool2d(3, 2))),
        *(("conv3", nn.Conv2d(b, c, 3, padding=1)), ("relu3", nn.ReLU())),
        *(("conv4", nn.Conv2d(c, c, 3, padding=1)), ("relu4", nn.ReLU())),
        *(("conv5", nn.Conv2d(c, d, 3, padding=1)), ("relu5", nn.ReLU()), ("pool5", nn.MaxPool2d(3, 2))),
    ]
    if num_classes:
        layers += [
            *(("fc6", nn.Conv2d(d, hidden, 5)), ("relu6", nn.ReLU()), ("dropout6", nn.Dropout())),
            *(("fc7", nn.Conv2d(hidden, hidden, 1)), ("relu7", nn.ReLU()), ("dropout7", nn.Dropout())),
            ("fc8", nn.Conv2d(hidden, num_classes, 1)),
        ]
    return nn.Sequential(OrderedDict(layers))


def vgg16(width: float = 1.0, num_classes: int = 1000) -> nn.Module:
    """VGG-16: `features` has a field of 212, stride 32, padding 90.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.vgg16(width=0.125, num_classes=0)(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 64, 2, 2])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Outputs of the classifier; 0 returns the last feature map instead.

    Returns:
        A module (B, 3, H, W) -> (B, num_classes) with random weights; indices in `features` as in torchvision.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
        arXiv 1409.1556.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for convolutions, channels in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        outputs = scaled(channels, width)
        for _ in range(convolutions):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    return FeaturesAndClassifier(nn.Sequential(*layers), 7, _classifier(49 * inputs, scaled(4096, width), num_classes))


def dqn(width: float = 1.0, num_classes: int = 18) -> nn.Module:
    """The deep-Q network that plays Atari games: `conv3` has a field of 36, stride 8, padding 0.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.dqn()(torch.zeros(1, 4, 84, 84)).shape
        torch.Size([1, 18])

    Args:
        width: Factor on the number of channels of every layer.
        num_classes: Number of actions; 0 returns the last feature map instead.

    Returns:
        A module (B, 4, 84, 84) -> (B, num_classes) with random weights; without the head any size works.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015,
        doi 10.1038/nature14236.
    """
    a, b, hidden = (scaled(n, width) for n in (32, 64, 512))
    layers: list[tuple[str, nn.Module]] = [
        *(("conv1", nn.Conv2d(4, a, 8, stride=4)), ("relu1", nn.ReLU())),
        *(("conv2", nn.Conv2d(a, b, 4, stride=2)), ("relu2", nn.ReLU())),
        *(("conv3", nn.Conv2d(b, b, 3)), ("relu3", nn.ReLU())),
    ]
    if num_classes:
        layers += [
            ("flatten", nn.Flatten()),
            *(("fc4", nn.Linear(49 * b, hidden)), ("relu4", nn.ReLU())),
            ("fc5", nn.Linear(hidden, num_classes)),
        ]
    return nn.Sequential(OrderedDict(layers))
