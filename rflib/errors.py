"""The exceptions a user of rflib may want to catch.

Every one of them is a `ReceptiveFieldError`, and also the built-in exception that fits,
so `except ValueError` works where a reader expects it to.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ReceptiveFieldError(Exception):
    """Anything that rflib refuses to answer."""


class LayerError(ReceptiveFieldError, ValueError):
    """A layer or a stack of layers that cannot exist: kernel 0, stride 0, an empty stack."""


class ModelError(ReceptiveFieldError, ValueError):
    """A model, an input or an argument that cannot be analyzed as given."""


class TracingError(ReceptiveFieldError, RuntimeError):
    """An operation whose reading rule is not known, or a model that cannot be followed."""


class UnitError(ReceptiveFieldError, IndexError):
    """A unit that the feature map does not have."""


class NoSingleAnswerError(ReceptiveFieldError, ValueError):
    """A question with several answers, or none: several inputs, several outputs, a whole-input field."""


class UnknownNameError(ReceptiveFieldError, LookupError):
    """A name (of a layer, an input, a network) that does not exist; the nearest ones are listed."""

    def __init__(self, kind: str, name: object, known: Iterable[str], note: str = "") -> None:
        known = [str(k) for k in known]
        near = difflib.get_close_matches(str(name), known, n=5, cutoff=0.4) or known[:5]
        listed = ", ".join(repr(k) for k in near) or "none"
        super().__init__(f"There is no {kind} {name!r}.{' ' + note if note else ''} Nearest: {listed}.")
