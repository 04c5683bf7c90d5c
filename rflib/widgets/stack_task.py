"""Tasks of the stack explorer: reach a field, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rflib.arithmetic import Layer, receptive_field, shown, whole_number
from rflib.errors import ModelError

_LIMITS = ("at_most_layers", "largest_stride", "largest_kernel")


@dataclass(frozen=True)
class StackTask:
    """A task: build a stack whose field has a given size, within limits.

    Example:
        >>> task = StackTask(31, at_most_layers=4)
        >>> task.sentence
        'Reach a field of exactly 31 with at most 4 layers.'
        >>> task.missing([Layer(7)] * 5), task.missing([Layer(7, stride=2), Layer(5), Layer(9)])
        (('field 31 of 31', '5 layers, 1 too many'), ())

    Args:
        size: The field to reach, in input positions.
        at_most_layers: The most layers that the stack may have.
        exactly: Whether the field must be that size; else it may be larger.
        largest_stride: The largest step between the windows of neighboring units of the last layer, in input positions.
        no_holes: Whether every position of the window must be read.
        largest_kernel: The largest kernel size that a layer may have.
        words: The task in words, where the sentence made from the numbers does not fit.

    Raises:
        ModelError: If a number is not a whole number of at least 1.
    """

    size: int
    at_most_layers: int | None = None
    exactly: bool = True
    largest_stride: int | None = None
    no_holes: bool = False
    largest_kernel: int | None = None
    words: str | None = None

    def __post_init__(self) -> None:
        for name in ("size", *_LIMITS):
            given = getattr(self, name)
            number = whole_number(given)
            if given is None and name != "size":
                continue
            if number is None or number < 1:
                raise ModelError(f"`{name}` of a StackTask must be an integer >= 1; got {shown(given)}.")
            object.__setattr__(self, name, number)
        if self.words is not None and not isinstance(self.words, str):
            raise ModelError(f"`words` of a StackTask must be a string or None; got {shown(self.words)}.")
        for name in ("exactly", "no_holes"):
            object.__setattr__(self, name, bool(getattr(self, name)))

    @property
    def sentence(self) -> str:
        """The task in words."""
        if self.words is not None:
            return self.words
        limits = []
        if self.at_most_layers is not None:
            limits.append(f"at most {_counted(self.at_most_layers, 'layer')}")
        if self.largest_kernel is not None:
            limits.append(f"kernels of at most {self.largest_kernel}")
        if self.largest_stride is not None:
            limits.append(f"a stride of at most {self.largest_stride}")
        if self.no_holes:
            limits.append("no holes")
        *first, last = limits or [""]
        listed = f" with {', '.join(first)}{' and ' if first else ''}{last}" if last else ""
        return f"Reach a field of {'exactly' if self.exactly else 'at least'} {self.size}{listed}."

    def missing(self, layers: Iterable[Layer]) -> tuple[str, ...]:
        """What a stack lacks, the field first; nothing where it solves the task.

        Example:
            >>> StackTask(13, no_holes=True).missing([Layer(3, dilation=2)] * 3)
            ('field 13 of 13', '6 of the 13 positions are holes')

        Args:
            layers: The stack; it may be empty.

        Returns:
            A phrase for the field and one for each limit that is not kept; empty if the task is solved.
        """
        stack = tuple(layers)
        field = receptive_field(stack) if stack else None
        size, stride = (field.size, field.stride) if field else (1, 1)
        kernel = max((layer.kernel_size for layer in stack), default=1)
        broken = []
        if self.at_most_layers is not None and len(stack) > self.at_most_layers:
            broken.append(f"{len(stack)} layers, {len(stack) - self.at_most_layers} too many")
        if self.largest_kernel is not None and kernel > self.largest_kernel:
            broken.append(f"a kernel of {kernel}, at most {self.largest_kernel}")
        if self.largest_stride is not None and stride > self.largest_stride:
            broken.append(f"stride {stride}, at most {self.largest_stride}")
        if self.no_holes and field is not None and field.density < 1:
            holes = size - round(field.density * size)
            broken.append(f"{holes} of the {size} positions are holes")
        reached = size == self.size if self.exactly else size >= self.size
        field_words = f"field {size} of {self.size}"
        if self.exactly and size > self.size:
            field_words += f", {size - self.size} too many"
        return () if reached and not broken else (field_words, *broken)

    def status(self, layers: Iterable[Layer]) -> str:
        """One sentence on how far a stack is.

        Example:
            >>> StackTask(31, at_most_layers=4).status([Layer(3)] * 5)
            'Not yet: field 11 of 31; 5 layers, 1 too many.'

        Args:
            layers: The stack; it may be empty.

        Returns:
            "Solved: ..." or "Not yet: ...".
        """
        stack = tuple(layers)
        missing = self.missing(stack)
        if missing:
            return f"Not yet: {'; '.join(missing)}."
        size = receptive_field(stack).size if stack else 1
        return f"Solved: field {size} with {_counted(len(stack), 'layer')}."

    def to_dict(self) -> dict[str, Any]:
        """The task as plain data, for the browser."""
        return {**asdict(self), "sentence": self.sentence}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
