"""A handed-in notebook put in order: the exercise's own cells back in their places, the learner's cells behind them.

Cells go missing, are copied, moved and changed by accident far more often than on purpose, so none of that costs a
mark; and what the exercise locks is taken from the exercise, never from the hand-in.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode

LONGEST = 500_000  # characters of one cell


def restore(handed_in: NotebookNode, release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook to grade, and a line for each thing that was mended.

    Args:
        handed_in: The learner's notebook, of nbformat 4, believed in nothing.
        release: The exercise as it was given out.
    """
    remarks: list[str] = []
    known = {_key(cell): cell for cell in release.cells}
    chosen = _chosen(handed_in.cells, known, remarks)
    behind: dict[str | None, list[NotebookNode]] = {}
    last: str | None = None
    for place, cell in enumerate(handed_in.cells):
        key = next((key for key, at in chosen.items() if at == place), None)
        if key is None:
            behind.setdefault(last, []).append(_own(cell, place))
        else:
            last = key
    cells = behind.get(None, [])
    for key, given in known.items():
        if key in chosen:
            cells.append(_merged(given, handed_in.cells[chosen[key]], remarks))
        elif _counts(given):
            remarks.append(f"the cell `{_name(given)}` was missing and was put back")
            cells.append(copy.deepcopy(given))
        cells += behind.get(key, [])
    if [key for key in known if key in chosen] != sorted(chosen, key=lambda key: chosen[key]):
        remarks.append("cells were in another order and were put back in theirs")
    mended = nbformat.v4.new_notebook(cells=cells, metadata=copy.deepcopy(release.metadata))
    return mended, remarks


def _key(cell: Mapping[str, Any]) -> str:
    """What a cell is recognized by: nbgrader's id, or the cell's own."""
    return str(_nbgrader(cell).get("grade_id") or cell.get("id"))


def _name(cell: Mapping[str, Any]) -> str:
    return str(_nbgrader(cell).get("grade_id", ""))


def _nbgrader(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _counts(cell: Mapping[str, Any]) -> bool:
    """Whether grading needs the cell: it earns points, or the exercise locks it."""
    said = _nbgrader(cell)
    return bool(said.get("grade") or said.get("locked") or said.get("task"))


def _locked(cell: Mapping[str, Any]) -> bool:
    said = _nbgrader(cell)
    return bool(said) and not said.get("solution")


def _chosen(cells: Iterable[NotebookNode], known: Mapping[str, NotebookNode], remarks: list[str]) -> dict[str, int]:
    """Where each of the exercise's cells stands; of several copies the last that the learner worked on."""
    chosen: dict[str, int] = {}
    by_id = {str(cell.get("id")): key for key, cell in known.items()}
    copied = set()
    for place, cell in enumerate(cells):
        key = _key(cell) if _key(cell) in known else by_id.get(str(cell.get("id")))
        if key is None:
            if _nbgrader(cell).get("grade"):
                remarks.append("a cell that is not the exercise's claimed to earn points")
            continue
        if key in chosen:
            copied.add(_name(known[key]) or key)
        if key not in chosen or _source(cell) != known[key].source:
            chosen[key] = place
    remarks += [f"the cell `{name}` was there more than once" for name in sorted(copied)]
    return chosen


def _merged(given: NotebookNode, found: Mapping[str, Any], remarks: list[str]) -> NotebookNode:
    """The exercise's cell with the learner's text where the learner may write."""
    cell = copy.deepcopy(given)
    if not _locked(given):
        cell.source = _source(found)
    elif _source(found) != given.source or found.get("cell_type") != given.cell_type:
        remarks.append(f"the locked cell `{_name(given)}` was changed and was put back")
    if _name(given) and _nbgrader(found).get("points", 0) != _nbgrader(given).get("points", 0):
        remarks.append(f"the points of the cell `{_name(given)}` were changed and were put back")
    return cell


def _own(cell: Mapping[str, Any], place: int) -> NotebookNode:
    """A cell of the learner's own, with nothing but its text."""
    source = _source(cell)
    make: Any = nbformat.v4.new_code_cell if cell.get("cell_type") == "code" else nbformat.v4.new_markdown_cell
    made: NotebookNode = make(source, id=f"own-{place}")
    return made


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text[:LONGEST]
