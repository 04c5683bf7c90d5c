"""Run notebooks from top to bottom, each in a fresh kernel, and save them with their outputs.

Run as `python tools/run_notebooks.py lessons/03_*.ipynb`, or `make notebooks` for all lessons. What belongs to one run
alone is left out: times, widget state, and views of widgets, which nobody could show again without this kernel. The
picture that every explorer displays after itself stays. A notebook whose run fails is not saved.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
VIEW = "application/vnd.jupyter.widget-view+json"
LONGEST = 300  # seconds for one cell


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of a fresh run in a folder."""
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    # A learner's answers have no place in what is saved, nor has a path of this machine: a file that is not there.
    os.environ["RFLIB_ANSWERS"] = "my_answers.jsonl"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    client.execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what belongs to one run alone."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if VIEW not in output.get("data", {})]
    return notebook


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named notebooks, all lessons by default."""
    parser = argparse.ArgumentParser(description="Run notebooks and save them with their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all lessons")
    paths = parser.parse_args(arguments).notebooks or sorted((ROOT / "lessons").glob("*.ipynb"))
    failed = 0
    for path in paths:
        start = time.perf_counter()
        try:
            notebook = run(nbformat.read(path, as_version=4), path.parent)
        except CellExecutionError as error:
            print(f"{path.name}: not saved, a cell failed.\n{error}", file=sys.stderr)
            failed += 1
            continue
        nbformat.write(notebook, path)
        print(f"{path.name}: run and saved, {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
