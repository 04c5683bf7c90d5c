"""A handed-in file as a notebook that nbgrader can take, or why it is none; nothing in the file is trusted."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from rflib.grading import cleaning

LARGEST = 50  # MB of a file
MOST = 2_000  # cells
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnreadableError(ValueError):
    """A file that cannot be graded; the message is what the lecturer and the learner read."""


def notebook(path: Path) -> tuple[NotebookNode, list[str]]:
    """The notebook in a file, with nothing but the cells' kinds, texts and nbgrader's marks; and remarks.

    Args:
        path: A file of any content.

    Raises:
        UnreadableError: If no notebook can be made of it.
    """
    found, remarks = _version_4(_parsed(path))
    cells = found.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise UnreadableError("the file is no notebook: it has no cells")
    if len(cells) > MOST:
        raise UnreadableError(f"the notebook has {len(cells):,} cells; at most {MOST:,} are read")
    kernel = _kernel(found)
    if kernel not in ("", "python3", "python"):
        remarks.append(f"the notebook was made for the kernel '{kernel[:40]}' and was run with Python")
    used: set[str] = set()
    return new_notebook(cells=[_cell(cell, used) for cell in cells]), remarks


def _parsed(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST << 20:
            raise UnreadableError(
                f"the file has {size >> 20} MB; at most {LARGEST} are read: clear the outputs and hand it in again"
            )
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"the file cannot be read: {error.strerror}") from error
    if not content.strip():
        raise UnreadableError("the file is empty")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableError("the file is no notebook: it is not text in UTF-8") from error
    except RecursionError as error:
        raise UnreadableError("the file is no notebook: it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(f"the file is no notebook: it is not JSON ({str(error)[:80]})") from error
    if not isinstance(found, dict):
        raise UnreadableError("the file is no notebook: it holds no object")
    return found


def _version_4(found: dict[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    version = found.get("nbformat")
    if version == 4:
        return found, []
    if version not in (1, 2, 3):
        raise UnreadableError(f"the file is no notebook that can be read: its nbformat is {str(version)[:20]!r}, not 4")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = nbformat.convert(nbformat.from_dict(found), 4)
    except Exception as error:  # an old notebook can be broken in any way
        raise UnreadableError(f"the notebook of nbformat {version} could not be converted") from error
    return made, [f"the notebook was of nbformat {version} and was converted"]


def _kernel(found: Mapping[str, Any]) -> str:
    metadata = found.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, Mapping) else None
    language = str(spec.get("language", "")) if isinstance(spec, Mapping) else ""
    name = str(spec.get("name", "")) if isinstance(spec, Mapping) else ""
    return "" if language.lower() == "python" else str(cleaning.sane(name, 0))


def _cell(found: Mapping[str, Any], used: set[str]) -> NotebookNode:
    source = found.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    text = cleaning.sane(text, 0).replace("\x00", "")
    kinds: dict[str, Any] = {"code": new_code_cell, "raw": new_raw_cell}
    make = kinds.get(str(found.get("cell_type")), new_markdown_cell)
    cell: NotebookNode = make(text)
    name = found.get("id")
    if isinstance(name, str) and ID.fullmatch(name) and name not in used:
        cell.id = name
    used.add(cell.id)
    metadata = found.get("metadata")
    said = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    if isinstance(said, Mapping) and isinstance(said.get("grade_id"), str):
        simple = {str(key): value for key, value in said.items() if isinstance(value, str | int | float | bool)}
        cell.metadata["nbgrader"] = cleaning.sane(simple, 1)
    return cell
