"""Traits that an explorer checks itself, and what happens when the browser sends something that does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import traitlets

from rflib.errors import LayerError, ReceptiveFieldError, UnitError
from rflib.widgets.base import Explorer

if TYPE_CHECKING:
    _Trait = traitlets.TraitType[Any, Any]
else:
    _Trait = traitlets.TraitType


class SettingError(LayerError, traitlets.TraitError):
    """A setting that an explorer refuses; as a `TraitError` it takes the other settings of one message back with it."""


class CursorError(UnitError, traitlets.TraitError):
    """A place that an explorer does not have."""


class Checked(_Trait):
    """A trait whose values a method of the explorer checks before anything is stored; its messages say what to do."""

    def __init__(self, check: str, default: Any) -> None:
        super().__init__(default)
        self._check = check

    def validate(self, explorer: Any, value: Any) -> Any:
        """The value as it is kept."""
        return getattr(explorer, self._check)(value)


class CheckedExplorer(Explorer):
    """An explorer that refuses in words what the browser sends and does not fit, and keeps what it had."""

    problem = traitlets.Unicode("").tag(sync=True)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What comes from the browser; after something that does not fit, the browser gets the state back."""
        if not self.guarded(lambda: super(CheckedExplorer, self).set_state(sync_data)):
            self.send_state()

    def guarded(self, action: Callable[[], Any]) -> bool:
        """Whether it could be done; `problem` says why not."""
        problem = ""
        try:
            action()
        except (ReceptiveFieldError, traitlets.TraitError) as error:
            problem = str(error)
        self.problem = problem
        return not problem
