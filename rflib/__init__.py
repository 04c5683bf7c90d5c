"""rflib: what a convolutional network can see, exact and proven.

Names are loaded when they are first asked for, so `import rflib` costs milliseconds and needs no torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "arithmetic": (
        "Layer ReceptiveField output_size output_sizes receptive_field receptive_field_backward "
        "receptive_field_closed_form"
    ),
    "tables": "layer_table",
    "graph.alignment": "Misalignment",
    "graph.axis_graph": "Graph Window",
    "cost": (
        "Cost conv_cost depthwise_separable_cost layer_costs linear_cost matmul_cost stack_cost transposed_conv_cost"
    ),
    "design": "Assessment Design Growth Requirements Search WAYS Way assess cheapest growth pareto",
    "analysis": "Analysis Found analyze",
    "tiling": "Tile Tiling",
    "measuring.measuring": "Measured measure",
    "measuring.verifying": "Verification verify",
    "networks": "network",
    "effective.effective": "effective_receptive_field",
    "effective.spread": "EffectiveReceptiveField GaussianFit",
    "effective.random_walk": "Parallel effective_sigma",
    "effective.paths": "PathCounts graph_path_counts path_counts",
    "questions.kinds": "Choice Interval Mistake Number Option QuestionError Region",
    "questions.asking": "ask",
    "questions.progress": "progress",
    "widgets.stack": "StackExplorer",
    "widgets.stack_task": "StackTask",
    "widgets.overlay": "Overlay",
    "widgets.poke": "PokeExplorer",
    "widgets.growth": "GrowthExplorer",
    "widgets.game": "DesignGame",
    "widgets.dilation": "DilationExplorer",
    "widgets.branches": "BranchExplorer",
    "widgets.erf": "ErfExplorer",
    "figures": "Drawing draw_effective draw_field_in_training draw_grid draw_growth draw_mask draw_stack draw_unit",
    "environment": "Environment check_environment",
    "errors": "LayerError ModelError NoSingleAnswerError ReceptiveFieldError TracingError UnitError UnknownNameError",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"rflib.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'rflib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
