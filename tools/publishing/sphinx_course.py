"""What the website adds to Sphinx: answers behind a fold, so that a reader predicts first; docstrings of this house."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.transforms.post_transforms import SphinxPostTransform

RESULTS = (
    "Analysis Assessment Cost Design EffectiveReceptiveField Environment Found GaussianFit Growth Measured "
    "Misalignment PathCounts ReceptiveField Search Tile Tiling Verification Window"
).split()
ANSWERS = "tag_answers-"
FOLD = '<details class="answer"><summary>What comes out (answer the question first)</summary>'


class FoldAnswers(SphinxPostTransform):
    """Put what gives an answer away behind a fold: from its first cell to the next question or the section's end."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Fold the answers of one page."""
        for first in [node for node in self.document.findall(nodes.container) if _gives_away(node)]:
            parent = first.parent
            start = end = parent.index(first)
            while end < len(parent) and not _ends(parent[end], first):
                end += 1
            parent.insert(end, nodes.raw("", "</details>", format="html"))
            parent.insert(start, nodes.raw("", FOLD, format="html"))


def _gives_away(node: nodes.Element) -> bool:
    return any(name.startswith(ANSWERS) for name in node["classes"])


def _ends(node: nodes.Node, first: nodes.Node) -> bool:
    """Whether a fold ends before a node: a section, a question, or a cell with a fold of its own."""
    if isinstance(node, nodes.section):
        return True
    if not isinstance(node, nodes.container) or node is first:
        return False
    return _gives_away(node) or "rf.ask(" in node.astext()


CODE = re.compile(r"`([^`]+)`(s?)")
STAR = re.compile(r"\*(?=\w)")


def read_docstring(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """A docstring of this house as reStructuredText: `code` between single backticks, stars that are only stars."""
    is_example = False
    for number, line in enumerate(lines):
        is_example = line.lstrip().startswith(">>>") or (is_example and bool(line.strip()))
        if not is_example:
            pieces = CODE.split(line)  # text, code, plural, text, code, plural, ..., text
            for place in range(0, len(pieces), 3):
                pieces[place] = STAR.sub(r"\\*", pieces[place])
            for place in range(1, len(pieces), 3):
                pieces[place] = f"``{pieces[place]}``"
                pieces[place + 1] = f"\\ {pieces[place + 1]}" if pieces[place + 1] else ""
            lines[number] = "".join(pieces)


def keep_first_line(app: Sphinx, what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """A property's docstring as any other: napoleon would take the words before a colon for the rest's type."""
    if what == "property":
        lines[:] = str(GoogleDocstring(lines, app.config, app, "method")).splitlines()
        lines[:0] = [".. ", ""]  # an empty comment, in which napoleon finds no colon


def hide_signature(
    _app: Sphinx, what: str, name: str, _object: Any, _options: Any, _signature: str, _returns: str
) -> tuple[str, str] | None:
    """Results are made by functions: how they are built is nobody's concern."""
    return ("", "") if what == "class" and name.rpartition(".")[2] in RESULTS else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.add_post_transform(FoldAnswers)
    app.connect("autodoc-process-docstring", read_docstring, priority=100)  # before napoleon, which has 500
    app.connect("autodoc-process-docstring", keep_first_line, priority=101)
    app.connect("autodoc-process-signature", hide_signature)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
