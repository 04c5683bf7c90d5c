"""Texts and notebooks of the repository as pages of the website."""

from __future__ import annotations

import re

from nbformat import NotebookNode

TERM = re.compile(r"^\*\*(?P<term>[^*]+)\.\*\* (?P<text>.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)

HERE = re.compile(r"\]\(#[\w-]+\)")  # a link within the page: Jupyter keeps capitals in a heading's address


def text(name: str, markdown: str) -> str:
    """A page of text; the glossary becomes one that the site's search knows word by word."""
    if name != "lessons/notation.md":
        return markdown
    head, heading, entries = markdown.partition("\n## Glossary\n")
    terms = "\n\n".join(_entry(match["term"], match["text"]) for match in TERM.finditer(entries))
    return f"{head}{heading}\n:::{{glossary}}\n{terms}\n:::\n"


def _entry(term: str, meaning: str) -> str:
    lines = "\n".join(f"  {line}" for line in meaning.splitlines())
    return "\n".join([*term.split(", "), lines])


def _is_for_a_notebook_alone(cell: NotebookNode) -> bool:
    """What is said to the lecturer, and how to clear outputs, which a page does not have."""
    return cell.get("id") == "clear-outputs" or cell.metadata.get("slideshow", {}).get("slide_type") == "notes"


def notebook(given: NotebookNode) -> NotebookNode:
    """A notebook as a page: without the lecturer's notes, with alternative text where the theme looks for it."""
    for cell in given.cells:
        if cell.cell_type == "markdown":
            cell.source = HERE.sub(lambda match: match[0].lower(), cell.source)
    given.cells = [cell for cell in given.cells if not _is_for_a_notebook_alone(cell)]
    for cell in given.cells:
        alts = [
            output["metadata"][kind]["alt"]
            for output in cell.get("outputs", ())
            for kind in output.get("metadata", {})
            if kind.startswith("image/") and "alt" in output["metadata"][kind]
        ]
        if alts:
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(alts)}}
    return given
