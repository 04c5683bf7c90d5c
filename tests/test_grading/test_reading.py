"""Files that are no notebook are named as what they are; notebooks lose all but texts and nbgrader's marks."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rflib.grading import reading

CELL = {"cell_type": "code", "source": "x", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(reading.UnreadableError) as found:
        reading.notebook(path)
    return str(found.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"\xff\xff", "the file is no notebook: it is not text in UTF-8"),
        (b"{", "the file is no notebook: it is not JSON (Expecting property name enclosed in double quotes: "),
        (b"[" * 200_000, "the file is no notebook: it is nested too deeply"),
        (b"[]", "the file is no notebook: it holds no object"),
        (b'{"nbformat": 4}', "the file is no notebook: it has no cells"),
        (b'{"nbformat": 4, "cells": 3}', "the file is no notebook: it has no cells"),
        (b"{}", "the file is no notebook that can be read: its nbformat is 'None', not 4"),
        (b'{"nbformat": 3, "worksheets": 3}', "the notebook of nbformat 3 could not be converted"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    assert refused(tmp_path / "x.ipynb", content).startswith(message)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    with path.open("wb") as file:
        file.truncate((reading.LARGEST << 20) + (1 << 20))
    with pytest.raises(reading.UnreadableError, match="has 51 MB; at most 50 are read: clear the outputs"):
        reading.notebook(path)


def test_too_many_cells_are_not_read(tmp_path: Path) -> None:
    content = json.dumps({"nbformat": 4, "cells": [CELL] * 2001}).encode()
    assert refused(tmp_path / "x.ipynb", content) == "the notebook has 2,001 cells; at most 2,000 are read"


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"nbformat": 4, "cells": [CELL]}).encode())
    notebook, remarks = reading.notebook(path)
    assert [cell.source for cell in notebook.cells] == ["x"]
    assert remarks == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = {
    "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
    "source": st.text(max_size=9) | st.lists(st.text(max_size=3), max_size=2) | JSON,
    "metadata": st.fixed_dictionaries({}, optional={"nbgrader": JSON, "tags": JSON}) | JSON,
    "id": st.text(max_size=5) | JSON,
    "outputs": JSON,
}


@given(st.lists(st.fixed_dictionaries({}, optional=KEYS), max_size=4), JSON)
def test_any_cells_become_a_valid_notebook(
    tmp_path_factory: pytest.TempPathFactory, cells: object, metadata: object
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells, "metadata": metadata}))
    notebook, _ = reading.notebook(path)
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert not any(cell.get("outputs") for cell in notebook.cells)
