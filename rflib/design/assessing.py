"""A design held against the requirements: what is met, what is missed, and the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rflib.arithmetic import Layer, jumps
from rflib.design.designs import Design, layer_words
from rflib.design.requirements import Requirements, listed
from rflib.design.searching import joined, least_cost


@dataclass(frozen=True)
class Assessment:
    """How a design stands against requirements; `assess` makes it.

    Attributes:
        design: The stack, with its field, density, output size and cost.
        fulfilled: What is met, a sentence each, with numbers.
        missed: What is not, likewise.
        score: 0 where anything is missed. Else 100 * (cost of the cheapest) / (its own cost), rounded down, at least 1,
            in the cost that the requirements name: 100 is the cheapest there is, 50 costs twice as much.
    """

    design: Design
    fulfilled: tuple[str, ...]
    missed: tuple[str, ...]
    score: int

    @property
    def met(self) -> bool:
        """Whether everything is met."""
        return not self.missed

    def __str__(self) -> str:
        marked = [f"met     {said}" for said in self.fulfilled] + [f"MISSED  {said}" for said in self.missed]
        return "\n".join([*marked, f"score   {self.score}"])


def assess(stack: Design | Iterable[Layer], requirements: Requirements) -> Assessment:
    """Judge one stack.

    Example:
        >>> wanted = Requirements(field=15, most_parameters=150_000, no_holes=True)
        >>> print(assess([Layer(3, padding=1)] * 7, wanted))
        met     The field is 15 input positions; at least 15 are wanted.
        met     The window has no holes; holes are not allowed.
        met     The depth is 7 layers; at most 8 are allowed.
        met     Every layer is one of the allowed ones.
        MISSED  The parameters are 258,496; at most 150,000 are allowed: 108,496 too many.
        score   0
        >>> halved = [Layer(3, stride, padding=1) for stride in (2, 2, 1, 1)]
        >>> assess(halved, wanted).met, assess(halved, wanted).score, assess(halved[:3], wanted).score
        (True, 75, 100)

    Args:
        stack: A design, or layers, which are then ordinary convolutions. Width, input and axes are those required.
        requirements: What is wanted.

    Returns:
        The numbers, what is met and what is missed, and a score.

    Raises:
        LayerError: If the stack is empty, or the input is too small for a layer.
    """
    design = requirements.design(stack.layers, stack.kinds) if isinstance(stack, Design) else requirements.design(stack)
    facts = list(judged(design, requirements))
    missed = tuple(said for met, said in facts if not met)
    own = getattr(design.cost, requirements.by)
    score = 0 if missed else 100 if own == (least := least_cost(requirements)) else max(1, 100 * least // own)
    return Assessment(design, tuple(said for met, said in facts if met), missed, score)


def judged(design: Design, wanted: Requirements) -> Iterator[tuple[bool, str]]:
    """Each requirement: whether it is met, and the sentence that says so; without a search for the score."""
    size, stride = design.field.size, design.field.stride
    goal = f"exactly {wanted.field} is wanted" if wanted.exactly else f"at least {wanted.field} are wanted"
    met = size == wanted.field or (size > wanted.field and not wanted.exactly)
    yield met, f"The field is {size} input positions; {goal}."
    if wanted.no_holes:
        steps: dict[int, int] = {}
        for layer, jump in zip(design.layers, jumps(tuple(design.layers)), strict=True):
            step = layer.dilation * jump
            steps[step] = steps.get(step, 0) + (layer.kernel_size - 1) * step
        run = min(joined(1, steps)[0], size)
        hole = "has no holes" if run == size else f"has a hole behind position {run} of {size}"
        yield run == size, f"The window {hole}; holes are not allowed."
    limits = (
        ("product of all strides is", stride, wanted.largest_stride, ""),
        ("depth is", len(design.layers), wanted.most_layers, " layers"),
        ("parameters are", design.cost.parameters, wanted.most_parameters, ""),
        ("multiply-adds are", design.cost.multiply_adds, wanted.most_multiply_adds, ""),
    )
    for name, number, most, unit in limits:
        if most is not None:
            over = f": {number - most:,} too many" if number > most else ""
            yield number <= most, f"The {name} {number:,}{unit}; at most {most:,} are allowed{over}."
    strange = list(_strange(design, wanted))
    yield from ((False, said) for said in strange)
    if not strange:
        yield True, "Every layer is one of the allowed ones."


def _strange(design: Design, wanted: Requirements) -> Iterator[str]:
    """A sentence for each layer that the requirements do not allow."""
    for index, (layer, kind) in enumerate(zip(design.layers, design.kinds, strict=True), start=1):
        if kind == "pool":
            if (layer.kernel_size, layer.dilation) != (layer.stride, 1) or layer.kernel_size not in wanted.pools:
                pools = listed(wanted.pools)
                yield f"Layer {index} is {layer_words(layer, kind)}; allowed pools, stride = size: {pools}."
            around = 0
        else:
            around = layer.extent - 1
            facts: tuple[tuple[str, object, Sequence[object]], ...] = (
                ("kind", kind, wanted.convolutions),
                ("kernel_size", layer.kernel_size, wanted.kernels),
                ("stride", layer.stride, wanted.strides),
                ("dilation", layer.dilation, wanted.dilations),
            )
            for name, given, allowed in facts:
                if given not in allowed:
                    yield f"Layer {index} has {name} {given}; allowed: {listed(allowed)}."
        if min(layer.left, layer.right) < 0 or layer.left + layer.right != around:
            yield f"Layer {index} has padding {layer.left} and {layer.right}; together they must be {around}."
