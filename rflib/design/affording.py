"""How far each way of growing gets for a given price."""

from __future__ import annotations

from rflib.design.designs import COSTS, Design, check_known, count, padded_layer
from rflib.design.growing import WAYS, Growth
from rflib.errors import LayerError, NoSingleAnswerError


def growth_within(
    way: str, budget: int, by: str = "parameters", channels: int = 64, input_size: int = 224, axes: int = 2
) -> Growth:
    """The curve of one way, as far as a budget pays for it.

    It ends earlier where nothing is left to be gained: where a window of 2 * input_size - 1 positions or more holds the
    whole input wherever it stands, or where pooling leaves nothing of the map.

    Example:
        >>> budget = 221_568  # what six ordinary layers of kernel 3 cost at 64 channels
        >>> {way: growth_within(way, budget)[-1].field.size for way in WAYS}
        {'depth': 13, 'large kernels': 7, 'pooling': 190, 'dilation': 127, 'depthwise': 93}

    Args:
        way: "depth", "large kernels", "pooling", "dilation" or "depthwise".
        budget: What a stack may cost.
        by: In which cost: "parameters" or "multiply_adds".
        channels: The width, before the stack and after each layer.
        input_size: Length of the input on each axis, in positions.
        axes: Number of axes.

    Returns:
        The stacks after 1, 2, 3, ... steps; the last one is the farthest that is paid for.

    Raises:
        NoSingleAnswerError: If the budget does not pay for the first step.
        UnknownNameError: If there is no such way or cost.
        ModelError: If a number is not whole or too small.
    """
    check_known("way to grow", [way], WAYS)
    check_known("cost", [by], COSTS)
    count("budget", budget, 0)
    designs: list[Design] = []
    while not designs or designs[-1].field.size < 2 * input_size - 1:
        rows = WAYS[way].make(len(designs) + 1)
        design = Design([padded_layer(*row) for row in rows], [kind for *_, kind in rows], channels, input_size, axes)
        try:
            cost = getattr(design.cost, by)
        except LayerError:  # pooling has left nothing of the map
            break
        if cost > budget:
            break
        designs.append(design)
    if not designs:
        raise NoSingleAnswerError(
            f"The first step of {way!r} costs more {by.replace('_', '-')} than the budget of {budget:,}."
        )
    return Growth(way, tuple(designs))
