"""Stacks that reach a target under a budget: judged, searched for, and grown in five ways; standard library only.

One width throughout, and every convolution padded so that n positions become n / stride, rounded up: then the layers'
kernels, strides and dilations alone decide the field and the cost, and designs can be compared. Pooling is without
padding, its stride its kernel.
"""

from rflib.design.assessing import Assessment, assess
from rflib.design.designs import COSTS, KINDS, Design
from rflib.design.growing import WAYS, Growth, Way, growth
from rflib.design.requirements import Requirements
from rflib.design.searching import Search, cheapest, pareto

__all__ = [
    "COSTS",
    "KINDS",
    "WAYS",
    "Assessment",
    "Design",
    "Growth",
    "Requirements",
    "Search",
    "Way",
    "assess",
    "cheapest",
    "growth",
    "pareto",
]
