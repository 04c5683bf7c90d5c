"""The misconceptions that the course confronts, by the numbers under which the lessons quote them."""

from __future__ import annotations

from types import MappingProxyType

_NAMES = {
    "A1": "where the receptive field ends, and whether anything outside can matter",
    "A2": "a task with a needed distance is learned without the reach",
    "A3": "a dense layer has no receptive field",
    "A4": "the receptive field always grows exponentially with depth",
    "A5": "all pixels of the field weigh the same",
    "A6": "a slip in the recursion",
    "A7": "each layer adds its kernel size",
    "A8": "subsampling doubles the receptive field at once",
    "A9": "any stack of dilated layers grows exponentially",
    "A10": "what a dilation of d does to the taps",
    "A11": "the effective field shrinks as the theoretical one grows",
    "A12": "RF stands for radio frequency",
    "A13": "what depthwise convolution does to the field",
    "A14": "the effective field needs no threshold",
    "M1": "a 2 by 2 max-pool doubles the receptive field",
    "M2": "the receptive field is the kernel size",
    "M3": "ordinary convolution has dilation 0",
    "M4": "dilation left out of the size",
    "M5": "dilation left out of the center",
    "M6": "strides multiplied in the wrong order",
    "M7": "a layer's own stride in the place of the jump before it",
    "M8": "padding taken wrongly: it moves the window and does not resize it",
    "M9": "the number of outputs taken for the field",
    "M10": "where the 70 of a PatchGAN comes from",
    "M11": "a misprinted size: 574 for 286",
    "M12": "a field larger than the image makes no sense",
    "M13": "branches counted as if they stood in line",
    "M14": "two convolutions of a block counted as one",
    "M15": "one too many, or one too few",
    "M16": "exponential growth called logarithmic",
    "M17": "dilation never leaves gaps",
    "M18": "the effective field taken for the theoretical one",
    "M19": "an effective field said to belong to the network alone",
    "M20": "a gradient test misread",
    "M21": "linear and global layers counted as 1 by 1",
    "M22": "batch norm taken for pointwise in training",
    "M23": "how depthwise and strided 1 by 1 layers count",
    "M24": "the center half a pixel off",
    "M25": "a stack of small kernels taken for one kernel of their summed size",
    "M26": "ResNet-50 said to have one receptive field",
}

NAMES = MappingProxyType(_NAMES)


def name(number: str | None) -> str:
    """The mistake in a few words; empty where the number is none of the course's.

    Example:
        >>> name("M3")
        'ordinary convolution has dilation 0'

    Args:
        number: Such as "M3"; None for a mistake without a number.

    Returns:
        One clause without a period.
    """
    return NAMES.get(number or "", "")
