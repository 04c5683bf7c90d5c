"""Make the website: lay out the sources as the repository has them, let Sphinx run, finish its pages.

Run as `python -m tools.publishing.book`, or `make book`, with the packages of requirements-book.txt. What is made:
`build/book/html`, a folder of plain files for any web server.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.publishing import finishing, pages
from tools.publishing.live import ROOT, STATE, WORKERS, LiveError, enlivened, scripts, styles

BUILD = ROOT / "build" / "book"
TEXTS = ["README.md", "INSTRUCTORS.md", "CONTRIBUTING.md", "CHANGELOG.md", "hub/README.md", "lessons/notation.md"]
LINK = re.compile(r"\]\(([^()#:]+)\)")  # to a file of the repository
NODE = ROOT / "node_modules"
SCRIPTS = {
    "require.js": NODE / "requirejs" / "require.js",
    "embed-amd.js": NODE / "@jupyter-widgets" / "html-manager" / "dist" / "embed-amd.js",
    "mathjax.js": NODE / "mathjax" / "es5" / "tex-svg-full.js",
}


class BookError(Exception):
    """Something that the website needs and that is not there; the message says what to do."""


def notebooks() -> list[Path]:
    """Lessons and the learners' exercises, in order."""
    return [*sorted((ROOT / "lessons").glob("*.ipynb")), *sorted((ROOT / "exercises").glob("*/*.ipynb"))]


def lay_out(source: Path, extra: Path, static: Path) -> None:
    """Write what Sphinx reads (source), what it copies as it is (extra), and the parts of a page (static)."""
    for name in TEXTS:
        _write(source / name, pages.text(name, (ROOT / name).read_text(encoding="utf-8")))
    for file in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "api").glob("*.md")]:
        _copy(file, source / file.relative_to(ROOT / "docs"))
    for name in _linked([*(ROOT / name for name in TEXTS), ROOT / "docs" / "index.md"]):
        _copy(ROOT / name, source / name)
    for path, notebook in enlivened(notebooks()).items():
        _write(source / path.relative_to(ROOT), nbformat.writes(_page(notebook, path, extra)))
    _parts(extra, static)


def _linked(texts: Iterable[Path]) -> set[str]:
    """The files that texts link to and that are no pages: readers get them as downloads."""
    linked = set()
    for text in texts:
        folder = ROOT if text.parent == ROOT / "docs" else text.parent
        for link in LINK.findall(text.read_text(encoding="utf-8")):
            file = (folder / link).resolve()
            if file.is_file() and file.suffix not in {".md", ".ipynb"} and file.is_relative_to(ROOT):
                linked.add(file.relative_to(ROOT).as_posix())
    return linked


def _page(notebook: NotebookNode, path: Path, extra: Path) -> NotebookNode:
    """A live notebook as a page: the recordings lie beside it and are fetched when an explorer is used."""
    up = "../" * len(path.relative_to(ROOT).parent.parts)
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for name, entry in state.items():
        recording = entry["state"].get("_recording")
        if recording:
            address = f"recordings/{path.stem}-{name[:8]}.json"
            _write(extra / address, json.dumps(recording, ensure_ascii=False, separators=(",", ":")))
            entry["state"]["_recording"] = {"url": f"{up}{address}"}
    return pages.notebook(notebook)


def _parts(extra: Path, static: Path) -> None:
    missing = [name for name, file in SCRIPTS.items() if not file.is_file()]
    if missing:
        raise BookError(
            f"{', '.join(missing)} of the npm registry {'are' if len(missing) > 1 else 'is'} not installed. "
            "Install Node.js with npm, then run: npm install --no-package-lock"
        )
    for name in ("require.js", "embed-amd.js"):
        _copy(SCRIPTS[name], extra / "scripts" / name)
    for font in SCRIPTS["embed-amd.js"].parent.glob("*.woff2"):
        _copy(font, extra / "scripts" / font.name)
    _copy(_front_end(), extra / "scripts" / "anywidget.js")
    _copy(SCRIPTS["mathjax.js"], static / "mathjax.js")
    for name, text in scripts().items():
        _write(extra / "explorers" / f"{name}.js", text)
    course = (ROOT / "docs" / "_static" / "course.css").read_text(encoding="utf-8")
    _write(static / "course.css", f"{styles()}\n{course}")


def _front_end() -> Path:
    """The script of anywidget, which lies where its Python package was installed."""
    import anywidget

    for folder in Path(anywidget.__file__).parents:
        file = folder / "share" / "jupyter" / "nbextensions" / "anywidget" / "index.js"
        if file.is_file():
            return file
    raise BookError("The script of anywidget is not where pip puts it. Install the package anew: make lab")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _copy(file: Path, goal: Path) -> None:
    goal.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, goal)


def make(repository: str = "", branch: str = "main") -> Path:
    """Make the website anew.

    Args:
        repository: Address of the repository that Binder and the links to files go to; without it there are none.
        branch: Its branch.

    Returns:
        The folder of the finished pages.
    """
    source, extra, static = (BUILD / name for name in ("source", "extra", "static"))
    for folder in (source, extra, static, BUILD / "html"):
        shutil.rmtree(folder, ignore_errors=True)
    lay_out(source, extra, static)
    environment = {
        **os.environ,
        "BOOK_STATIC": json.dumps([str(static)]),
        "BOOK_EXTRA": json.dumps([str(extra)]),
        "BOOK_REPOSITORY": repository,
        "BOOK_BRANCH": branch,
    }
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", str(WORKERS)]
    command += ["-c", str(ROOT / "docs"), "-d", str(BUILD / "doctrees"), str(source), str(BUILD / "html")]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        raise BookError("Sphinx has complained above; the website in build/book/html is not complete.")
    finishing.finish(BUILD / "html", dict(_originals()))
    return BUILD / "html"


def _originals() -> Iterator[tuple[str, Path]]:
    """What a reader downloads: the notebooks as the repository has them."""
    for path in notebooks():
        yield path.relative_to(ROOT).as_posix(), path


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the website and say where it is."""
    parser = argparse.ArgumentParser(description="Make the website of the course.")
    parser.add_argument(
        "--repository", default="", help="address of your copy's repository, for Binder and links to files"
    )
    parser.add_argument("--branch", default="main", help="its branch")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        folder = make(options.repository, options.branch)
    except (BookError, LiveError) as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    place = folder.relative_to(ROOT)
    print(f"The website is in {place}: {size / 1e6:.0f} MB, {time.perf_counter() - start:.0f} s.")
    print(f"To look at it: python -m http.server --bind 127.0.0.1 --directory {place} 8000")
    return 0


if __name__ == "__main__":
    sys.exit(main())
