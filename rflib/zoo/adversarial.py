"""Discriminators, encoders and generators of adversarial training: PatchGAN, a 3-D shape network, DCGAN."""

from __future__ import annotations

from torch import Tensor, nn

from ..errors import ModelError
from ._parts import scaled

_PATCHES = {16: (2, 1, 1), 34: (2, 2, 1, 1), 70: (2, 2, 2, 1, 1), 142: (2, 2, 2, 2, 1, 1), 286: (2, 2, 2, 2, 2, 1, 1)}


class PatchGAN(nn.Module):
    """Convolutions of kernel size 4, one score for each patch."""

    def __init__(self, inputs: int, base: int, strides: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, stride in enumerate(strides[:-1]):
            outputs = base * min(2**index, 8)
            layers.append(nn.Conv2d(inputs, outputs, 4, stride, padding=1))
            if index:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2))
            inputs = outputs
        layers.append(nn.Conv2d(inputs, 1, 4, strides[-1], padding=1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> scores (B, 1, h, w)."""
        out: Tensor = self.model(x)
        return out


def patchgan(width: float = 1.0, patch: int = 70) -> nn.Module:
    """The PatchGAN discriminator, named by its field: 70, stride 8, padding 23; `patch=286`: stride 32, padding 95.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.patchgan(width=0.25)(torch.zeros(1, 3, 256, 256)).shape
        torch.Size([1, 1, 30, 30])

    Args:
        width: Factor on the number of channels of every layer.
        patch: Field of a score in input positions: 16, 34, 70, 142 or 286. The paper has 16, 70 and 286.

    Returns:
        A module (B, 3, H, W) -> (B, 1, h, w) with random weights.

    Raises:
        ModelError: If `width` is not above 0 or there is no such `patch`.

    Reference:
        P. Isola, J.-Y. Zhu, T. Zhou, A. Efros, "Image-to-image translation with conditional adversarial networks", CVPR
        2017, arXiv 1611.07004.
    """
    if patch not in _PATCHES:
        raise ModelError(f"`patch` must be one of {', '.join(map(str, _PATCHES))}; got {patch!r}.")
    return PatchGAN(3, scaled(64, width), _PATCHES[patch])


def shape_encoder(width: float = 1.0) -> nn.Module:
    """The 3-D discriminator of 3D-GAN for 64x64x64 voxels: a field of 94, stride 16, padding 15, larger than the cube.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.shape_encoder(width=0.0625).eval()(torch.zeros(1, 1, 64, 64, 64)).shape
        torch.Size([1, 1, 1, 1, 1])

    Args:
        width: Factor on the number of channels of every layer.

    Returns:
        A module (B, 1, 64, 64, 64) -> (B, 1, 1, 1, 1) with random weights: four convolutions of kernel size 4,
        stride 2, padding 1, and one of kernel size 4, unpadded.

    Raises:
        ModelError: If `width` is not above 0.

    Reference:
        J. Wu, C. Zhang, T. Xue, W. Freeman, J. Tenenbaum, "Learning a probabilistic latent space of object shapes via
        3D generative-adversarial modeling", NeurIPS 2016, arXiv 1610.07584.
    """
    layers: list[nn.Module] = []
    inputs = 1
    for channels in (64, 128, 256, 512):
        outputs = scaled(channels, width)
        layers += [nn.Conv3d(inputs, outputs, 4, 2, padding=1), nn.BatchNorm3d(outputs), nn.LeakyReLU(0.2)]
        inputs = outputs
    return nn.Sequential(*layers, nn.Conv3d(inputs, 1, 4))


class Generator(nn.Module):
    """Transposed convolutions, each of which doubles the map."""

    def __init__(self, latent: int, base: int, first: nn.Module) -> None:
        super().__init__()
        layers: list[nn.Module] = [first, nn.BatchNorm2d(8 * base), nn.ReLU()]
        for factor in (4, 2, 1):
            layers.append(nn.ConvTranspose2d(2 * factor * base, factor * base, 4, 2, padding=1))
            layers += [nn.BatchNorm2d(factor * base), nn.ReLU()]
        layers += [nn.ConvTranspose2d(base, 3, 4, 2, padding=1), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """(B, latent, h, w) -> images (B, 3, H, W)."""
        out: Tensor = self.main(z)
        return out


def dcgan_generator(width: float = 1.0, latent: int = 100, latent_size: int = 4) -> nn.Module:
    """A DCGAN-like generator of 64x64 pixels from a 4x4 latent map: a pixel reads 2 or 3 latent positions a side.

    Example:
        >>> import torch
        >>> from rflib import zoo
        >>> zoo.dcgan_generator(width=0.125)(torch.zeros(1, 100, 4, 4)).shape
        torch.Size([1, 3, 64, 64])

    Args:
        width: Factor on the number of channels of every layer but the latent one.
        latent: Channels of the latent map.
        latent_size: 4 for a latent map of 4x4 positions, or 1 for DCGAN's single vector, which every pixel reads.

    Returns:
        A module (B, latent, latent_size, latent_size) -> (B, 3, 64, 64) with random weights.

    Raises:
        ModelError: If `width` is not above 0 or `latent_size` is neither 1 nor 4.

    Reference:
        A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep convolutional generative
        adversarial networks", ICLR 2016, arXiv 1511.06434.
    """
    if latent_size not in (1, 4):
        raise ModelError(f"`latent_size` must be 1 or 4; got {latent_size!r}.")
    base = scaled(64, width)
    first = nn.ConvTranspose2d(latent, 8 * base, 4) if latent_size == 1 else nn.Conv2d(latent, 8 * base, 1)
    return Generator(latent, base, first)
