"""Each lesson as a deck of slides in one file, which opens from disk without a network.

Run as `python -m tools.publishing.slides`, or `make slides`, to fill `build/slides`. nbconvert's SlidesExporter makes
the HTML, with the template in `slides/deck`; reveal.js, its speaker view, MathJax and the widgets' front end are put
into the file. In the browser, `paging.js` lays the cells of a slide out like pages, so that none runs over.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_core.paths import jupyter_path
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode

from tools.publishing.live import SLOW, VIEW, LiveError, live, scripts, styles

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent / "slides"
DECK = HERE / "deck"
LESSONS = ROOT / "lessons"
BUILT = ROOT / "build" / "slides"
WORKERS = 2  # decks at a time
FOLDED_WITH_PICTURE, FOLDED_WITH_EXPLORER = 6, 1  # lines of code, from which on it is folded

# Pixels of a page of 1024 x 768: nothing is smaller. paging.js keeps to it, the tests look.
TEXT_FLOOR, CODE_FLOOR, EXPLORER_FLOOR = 20, 14, 0.85  # the last is a share of an explorer's own size

PACKAGES = ROOT / "node_modules"
# In the order in which the page runs them: what defines itself for AMD where it can stands before require.js.
BEFORE = (
    "reveal.js/dist/reveal.js",
    "reveal.js/dist/plugin/notes.js",
    "reveal.js/dist/plugin/zoom.js",
    "mathjax/es5/tex-svg-full.js",
)
AFTER = ("requirejs/require.js", "@jupyter-widgets/html-manager/dist/libembed-amd.js")
OWN = ("start.js", "paging.js", "deck.js")  # the first before all others, which read their settings from it
SHEETS = ("reveal.js/dist/reset.css", "reveal.js/dist/reveal.css")

ASKS = re.compile(r'\brf\.ask\("([^"]+)"')
MINUTES = re.compile(r"\bIn (\d+) minutes|(\d+) minutes")
LESSON_LINK = re.compile(r"\]\((\d\d_\w+)\.ipynb(#[^)]*)?\)")
# To what is no deck, such as the notation or an exercise, a deck that lies somewhere alone cannot lead.
OTHER_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:)(?!\d\d_\w+\.html)[^)\s]*\)")


class SlidesError(Exception):
    """What keeps decks from being made; the message says what to do."""


@dataclass(frozen=True)
class Deck:
    """What the index page says of a deck."""

    name: str
    title: str
    question: str
    minutes: int
    size: int


def build(path: Path, folder: Path) -> Deck:
    """Write the deck of one lesson into a folder."""
    notebook = live(path)
    check(notebook, path)
    title = heading(notebook)
    minutes = lecture_minutes(notebook)
    prepare(notebook)
    exporter = SlidesExporter(template_name="deck", extra_template_basedirs=[str(HERE)], exclude_input_prompt=True)
    exporter.exclude_output_prompt = True
    parts = {
        "title": title,
        "minutes": minutes,
        "styles": [*(package(name) for name in SHEETS), styles(), own("deck.css")],
        "modules": scripts(),
        "scripts": [safe(text) for text in page_scripts()],
    }
    text, _ = exporter.from_notebook_node(notebook, resources={"deck": parts, "metadata": {"name": path.stem}})
    target = folder / f"{path.stem}.html"
    target.write_text(text, encoding="utf-8")
    return Deck(path.stem, title, questions().get(path.stem, ""), minutes, target.stat().st_size)


def check(notebook: NotebookNode, path: Path) -> None:
    """Refuse a lesson that was not run, as its slides would show code and nothing else."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not any(cell.outputs for cell in code):
        raise SlidesError(
            f"{path} has no outputs: its {len(code)} code cells were not run. "
            f"`make notebooks LESSONS={path}` runs it and saves it."
        )


def prepare(notebook: NotebookNode) -> None:
    """Mark the cells that ask a question or whose code is folded, and let links lead to other decks or nowhere."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            asked = ASKS.findall(cell.source)
            if asked:
                cell.metadata["asks"] = " ".join(asked)
            elif (lines := len(cell.source.splitlines())) >= longest_shown(cell):
                cell.metadata["folds"] = f"{lines} lines" if lines > 1 else "1 line"
        elif cell.cell_type == "markdown":
            cell.source = OTHER_LINK.sub(r"\1", LESSON_LINK.sub(r"](\1.html)", cell.source))


def longest_shown(cell: NotebookNode) -> float:
    """From how many lines on code is folded, as the picture or the explorer that it shows is what the room looks at."""
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    return FOLDED_WITH_EXPLORER if VIEW in kinds else FOLDED_WITH_PICTURE if "image/png" in kinds else math.inf


def heading(notebook: NotebookNode) -> str:
    return re.sub(r"[`*]", "", notebook.cells[0].source.splitlines()[0].lstrip("# "))


def questions() -> dict[str, str]:
    """The question of each lesson by the name of its file, from the course map in the first lesson."""
    text = "\n".join(cell.source for cell in nbformat.read(LESSONS / "00_start_here.ipynb", as_version=4).cells)
    return dict(re.findall(r"\]\((\d\d_\w+)\.ipynb\) \| ([^|]+) \|", text))


def lecture_minutes(notebook: NotebookNode) -> int:
    """The minutes of the lecture, from the lecturer's plan; where it says none, those of the title cell."""
    notes = [cell.source for cell in notebook.cells if cell.metadata.get("slideshow", {}).get("slide_type") == "notes"]
    for text in [*notes[:1], notebook.cells[0].source]:
        found = MINUTES.search(text)
        if found:
            return int(found[1] or found[2])
    return 0


# ----------------------------------------------------------------------------------------------- what goes into a file


def own(name: str) -> str:
    return (DECK / name).read_text(encoding="utf-8")


def package(name: str) -> str:
    """A file of a package that npm installs."""
    path = PACKAGES / name
    if not path.is_file():
        raise SlidesError(
            f"{path.relative_to(ROOT)} is missing, a part of every deck. `make slides` has npm fetch it; npm comes "
            "with Node.js (Debian, Ubuntu: apt-get install npm). Without make: npm install --ignore-scripts"
        )
    return path.read_text(encoding="utf-8")


def anywidget() -> str:
    """anywidget's front end, an AMD module, under the name by which the state of widgets asks for it."""
    for folder in jupyter_path("nbextensions"):
        path = Path(folder) / "anywidget" / "index.js"
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            named = text.replace('define(["@jupyter-widgets/base"]', 'define("anywidget", ["@jupyter-widgets/base"]')
            if named == text:
                raise SlidesError(
                    f"{path} defines its module in another way than the slides know. Pin anywidget 0.11.0."
                )
            return named
    raise SlidesError(
        "The front end of anywidget is not installed. `python -m pip install -c constraints.txt anywidget`"
    )


def page_scripts() -> list[str]:
    start, *rest = (own(name) for name in OWN)
    return [start, *(package(name) for name in [*BEFORE, *AFTER]), anywidget(), *rest]


def safe(text: str) -> str:
    """A script that does not end the element it stands in: in a string, `<\\/script` is the same text."""
    return re.sub(r"</(?=script)", r"<\\/", text, flags=re.IGNORECASE).replace("<!--", "<\\!--")


# ---------------------------------------------------------------------------------------------------------- the index

ROW = """<li><a href="{name}.html"><span class="number">{number}</span> {title}</a>
<span class="minutes">{minutes} minutes</span><br>{question}</li>"""


def index(decks: Sequence[Deck]) -> str:
    """The page that lists the decks."""
    rows = [
        ROW.format(
            name=deck.name,
            number=deck.name[:2],
            minutes=deck.minutes,
            title=html.escape(deck.title),
            question=html.escape(deck.question),
        )
        for deck in decks
    ]
    return own("index.html").replace("{{decks}}", "\n".join(rows))


def from_disk(folder: Path) -> list[Deck]:
    """The decks that lie in a folder, as the last run wrote them down; those of lessons that are gone are left out."""
    path = folder / "decks.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [Deck(**deck) for deck in known if (LESSONS / f"{deck['name']}.ipynb").is_file()]


def stale(folder: Path) -> bool:
    """Whether the decks of a folder are missing or older than what they are made of."""
    written = folder / "decks.json"
    if not written.is_file() or len(from_disk(folder)) < len(list(LESSONS.glob("*.ipynb"))):
        return True
    sources = [*LESSONS.glob("*.ipynb"), *HERE.rglob("*"), *Path(__file__).parent.glob("*.py")]
    sources += [file for file in (ROOT / "rflib").rglob("*") if file.suffix in {".py", ".js", ".css"}]
    return max(file.stat().st_mtime for file in [*sources, ROOT / "package.json"]) > written.stat().st_mtime


def build_all(paths: Sequence[Path], folder: Path) -> list[Deck]:
    """Write the decks of lessons and the index of all decks in the folder; what is done is printed."""
    folder.mkdir(parents=True, exist_ok=True)
    page_scripts()  # says at once what is missing
    made = []
    start = time.perf_counter()
    with ProcessPoolExecutor(min(WORKERS, len(paths))) as pool:
        order = sorted(paths, key=lambda path: path.stem not in SLOW)
        running = {path: pool.submit(build, path, folder) for path in order}
        for waiting in [running[path] for path in paths]:
            deck = waiting.result()
            made.append(deck)
            seconds = time.perf_counter() - start
            print(
                f"{deck.name}.html: {deck.minutes} minutes, {deck.size / 1e6:.1f} MB, after {seconds:.0f} s", flush=True
            )
    kept = {deck.name: deck for deck in [*from_disk(folder), *made]}
    decks = [kept[name] for name in sorted(kept)]
    (folder / "decks.json").write_text(json.dumps([vars(deck) for deck in decks], indent=1), encoding="utf-8")
    (folder / "index.html").write_text(index(decks), encoding="utf-8")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the decks of the named lessons, by default of all."""
    parser = argparse.ArgumentParser(description="Make a deck of slides out of each lesson.")
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks, by default all lessons")
    parser.add_argument("--to", type=Path, default=BUILT, metavar="FOLDER", help="by default build/slides")
    options = parser.parse_args(arguments)
    try:
        build_all(options.lessons or sorted(LESSONS.glob("*.ipynb")), options.to)
    except (SlidesError, LiveError, nbformat.reader.NotJSONError, OSError) as error:
        print(f"No slides: {error}", file=sys.stderr)
        return 1
    print(f"Open {options.to / 'index.html'} in a browser; no network is needed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
