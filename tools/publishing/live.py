"""Notebooks whose explorers and questions are live on a page without Python: the website and the slides.

A saved notebook holds no widgets, as nobody could show them again without their kernel. Here only the cells that show
an explorer or a question run, with the statements that they depend on, and the state of their widgets is kept with the
saved outputs. Explorers that ask Python take a recording of its answers along (`Explorer.recording`).

Run as `python -m tools.publishing.live` to fill `build/live`, where what has not changed is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import pkgutil
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools.publishing.slicing import needed

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "build" / "live"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
SHOWS_A_WIDGET = re.compile(r"\brf\.(ask|Overlay|DesignGame|\w+Explorer)\(")
NUMBER = re.compile(r"\d[\d.,]*")
LONGEST = 300  # seconds for one cell
WORKERS = 2  # notebooks at a time
SLOW = {"02_why_it_matters", "12_effective_in_practice", "14_capstone"}  # their answers are trained networks
# What every explorer carries besides its traits; a function of the page gives the script, so that it is there once.
SCRIPT = 'export default (await globalThis.rflibScript("{name}")).default;'
RECORD = """
from rflib.widgets.base import Explorer as _Explorer
import ipywidgets as _widgets
for _widget in list(_widgets.Widget.widgets.values()):
    if isinstance(_widget, _Explorer):
        _widget._recording = _widget.recording()
"""


class LiveError(Exception):
    """A notebook that cannot be made live; the message names the cell and says what to do."""


def live(path: Path) -> NotebookNode:
    """A notebook with its saved outputs, and its explorers and questions live.

    In front of the saved outputs of each such cell stands one of type `VIEW`; the notebook's metadata hold the state of
    all widgets as html-manager reads it, once for the page: `metadata.widgets[STATE]`. In it, the `_esm` of an explorer
    is one line that asks the page: `globalThis.rflibScript(name)` has to return the promise of the module of that name.
    `scripts()` has the modules' texts, `styles()` the style sheet, which no widget carries.

    Args:
        path: A notebook that was run and saved.

    Raises:
        LiveError: A cell fails, or shows something else than what is saved.
    """
    notebook = nbformat.read(path, as_version=4)
    kept = KEPT / f"{path.stem}-{_fingerprint(path)}.ipynb"
    if kept.is_file():
        return nbformat.read(kept, as_version=4)
    shown = [cell.id for cell in notebook.cells if cell.cell_type == "code" and SHOWS_A_WIDGET.search(cell.source)]
    if shown:
        _enliven(notebook, shown, path)
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{path.stem}-*.ipynb"):
        old.unlink()
    unfinished = kept.with_suffix(f".{os.getpid()}.part")
    nbformat.write(notebook, unfinished)
    unfinished.replace(kept)
    return nbformat.read(kept, as_version=4)


def enlivened(paths: Sequence[Path]) -> dict[Path, NotebookNode]:
    """Several notebooks made live, two at a time, the slow ones first; in the order in which they were named."""
    with ProcessPoolExecutor(WORKERS) as pool:
        order = sorted(paths, key=lambda path: path.stem not in SLOW)
        waiting = {path: pool.submit(live, path) for path in order}
        return {path: waiting[path].result() for path in paths}


def scripts() -> dict[str, str]:
    """The modules of all explorers, each as one text, by name: "stack", "question" and so on."""
    return {cls.__module__.rpartition(".")[2]: cls._esm for cls in _explorers()}


def styles() -> str:
    """The style sheets of all explorers as one text."""
    folder = ROOT / "rflib" / "widgets"
    names = ["common", *sorted(scripts())]
    return "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in names)


def _explorers() -> list[Any]:
    from rflib import widgets
    from rflib.widgets.base import Explorer

    modules = [
        importlib.import_module(f"{widgets.__name__}.{file.name}") for file in pkgutil.iter_modules(widgets.__path__)
    ]
    classes = {cls for module in modules for cls in vars(module).values() if isinstance(cls, type)}
    own = [cls for cls in classes if issubclass(cls, Explorer) and "_esm" in cls.__dict__]
    return sorted(own, key=lambda cls: cls.__module__)


def _fingerprint(path: Path) -> str:
    """What the live notebook depends on: the notebook, the library, the packages, and how it is made."""
    digest = hashlib.sha256(path.read_bytes())
    files = [
        ROOT / "requirements.txt",
        ROOT / "constraints.txt",
        Path(__file__),
        Path(__file__).with_name("slicing.py"),
    ]
    files += [file for file in (ROOT / "rflib").rglob("*") if file.suffix in {".py", ".js", ".css"}]
    for file in sorted(files):
        digest.update(f"{file.relative_to(ROOT)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


# --------------------------------------------------------------------------------------------------------- the run


def _enliven(notebook: NotebookNode, shown: Sequence[str], path: Path) -> None:
    pieces = needed(notebook.cells, shown)
    run = _run(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(p) for _, p in pieces]), path)
    state = dict(run.metadata.widgets[STATE]["state"])
    outputs = {name: cell.outputs for (name, _), cell in zip(pieces, run.cells, strict=False)}
    renamed: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.get("id") not in shown:
            continue
        new = [output for output in outputs[cell.id] if VIEW in output.get("data", {})]
        if len(new) != 1:
            raise LiveError(f"Cell {cell.id!r} of {path.name} shows {len(new)} widgets instead of one.")
        cell.outputs = _agreeing(cell, outputs[cell.id], path)
        model = new[0]["data"][VIEW]["model_id"]
        # The same bytes at every build.
        renamed[model] = hashlib.sha256(f"{path.stem} {cell.id}".encode()).hexdigest()[:32]
        view = {"model_id": renamed[model], "version_major": 2, "version_minor": 0}
        cell.outputs = [nbformat.v4.new_output("display_data", {VIEW: view}), *cell.outputs]
    notebook.metadata["widgets"] = {STATE: {"state": _tidied(state, renamed), "version_major": 2, "version_minor": 0}}


def _run(notebook: NotebookNode, path: Path) -> NotebookNode:
    """Run cells in the folder of a notebook, with the state of their widgets and the recordings of their answers."""
    notebook.cells.append(nbformat.v4.new_code_cell(RECORD))
    # A learner's own answers belong to nobody's page: a file that is not there.
    os.environ["RFLIB_ANSWERS"] = str(KEPT / "no_answers.jsonl")
    os.environ["OMP_NUM_THREADS"] = "1"  # two kernels at a time, and two cores
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        store_widget_state=True,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        return client.execute()
    except CellExecutionError as error:
        raise LiveError(
            f"A cell of {path.name} that an explorer needs does not run: {error.ename}: {error.evalue}. "
            "Run the notebook from top to bottom and mend it."
        ) from error


def _agreeing(cell: NotebookNode, outputs: Sequence[NotebookNode], path: Path) -> list[NotebookNode]:
    """The new outputs without the widget; they say the same as the saved ones: nothing the explorer needs was left out.

    A trained network's numbers differ a little between processors, so that words are compared and numbers are not.
    """
    new = [output for output in outputs if VIEW not in output.get("data", {})]
    now, saved = ([o["data"].get("text/plain", "") for o in made if "data" in o] for made in (new, cell.outputs))
    if [NUMBER.sub("#", text) for text in now] != [NUMBER.sub("#", text) for text in saved]:
        raise LiveError(
            f"Cell {cell.id!r} of {path.name} shows something else than what is saved: {now} instead of {saved}. "
            "If the saved outputs are old, run `make notebooks`."
        )
    return new


def _tidied(state: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """The widgets that are shown, by their new names, with what belongs to them; scripts and styles are the page's."""
    tidy: dict[str, Any] = {}
    for model, name in renamed.items():
        entry = state[model]
        traits = {key: value for key, value in entry["state"].items() if key not in ("_css", "tabbable", "tooltip")}
        script = str(traits["_anywidget_id"]).rpartition(".")[0].rpartition(".")[2]
        layout = f"{name[:24]}-layout"
        old_layout = state[traits["layout"].removeprefix("IPY_MODEL_")]
        tidy[layout] = {**old_layout, "state": {k: v for k, v in old_layout["state"].items() if v is not None}}
        traits |= {"layout": f"IPY_MODEL_{layout}", "_esm": SCRIPT.format(name=script)}
        tidy[name] = {**entry, "state": traits}
    return tidy


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named notebooks live, all lessons by default."""
    parser = argparse.ArgumentParser(description="Run the explorers of notebooks and keep the state of their widgets.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all lessons")
    paths = parser.parse_args(arguments).notebooks or sorted((ROOT / "lessons").glob("*.ipynb"))
    start = time.perf_counter()
    try:
        sizes = {path: len(nbformat.writes(notebook)) for path, notebook in enlivened(paths).items()}
    except LiveError as error:
        print(error, file=sys.stderr)
        return 1
    for path, size in sizes.items():
        print(f"{path.name}: live, {size / 1e6:.1f} MB")
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
