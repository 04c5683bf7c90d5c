"""What all explorers share: the files of the browser, and a picture for readers who cannot run widgets."""

from __future__ import annotations

import re
import sys
from abc import ABCMeta, abstractmethod
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from rflib.figures.drawing import Drawing

_HERE = Path(__file__).parent
_SIBLING = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"\./(\w+\.js)";\n', re.MULTILINE)


class _Abstract(type(anywidget.AnyWidget), ABCMeta):  # type: ignore[misc]
    """Traitlets' classes, of which those without a picture cannot be made."""


class Explorer(anywidget.AnyWidget, metaclass=_Abstract):
    """An explorer: a widget whose script and style sheet lie beside its Python file and bear its name.

    A subclass gives its traits, a `picture` and a `__repr__` that says in words what it shows. One that asks Python
    also gives a `recording`, from which it answers on a page without Python: the website and the slides.
    """

    # Empty where Python answers.
    _recording = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Take the script and the style sheet that lie beside the file of the class."""
        super().__init_subclass__(**keywords)
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        script = Path(file).with_suffix(".js") if file else None
        # A learner's own subclass keeps what it inherits; traitlets' add_traits makes one that brings the trait along.
        if script is not None and script.is_file() and "_esm" not in cls.__dict__:
            cls._esm = joined(script)
            style = script.with_suffix(".css")
            cls._css = "\n".join(sheet.read_text(encoding="utf-8") for sheet in (_HERE / "common.css", style))

    @abstractmethod
    def picture(self) -> Drawing:
        """What the explorer shows now, as a figure."""

    def recording(self) -> dict[str, Any]:
        """What Python answers to the moves that a page without Python offers; empty where the browser knows it all."""
        return {}

    def _ipython_display_(self, **_: Any) -> None:
        # JupyterLab shows a widget or nothing, whatever else the same output holds: the picture is an output of its
        # own, which the style sheet hides as soon as the explorer stands before it.
        bundle = self._repr_mimebundle_()
        if bundle is not None:
            display(bundle[0], raw=True)  # type: ignore[no-untyped-call]
        display(self.picture())  # type: ignore[no-untyped-call]


def joined(script: Path) -> str:
    """A script as one module: what it imports from its neighbors stands before it, each file once.

    The browser gets an explorer as one text without an address, from which "./common.js" leads nowhere.
    """
    texts: dict[Path, str] = {}

    def take(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for name in _SIBLING.findall(text):
            if path.with_name(name) not in texts:
                take(path.with_name(name))
        texts[path] = _SIBLING.sub("", text)

    take(script)
    return "\n".join(texts.values())
