"""Write the table of CONTRIBUTING.md that says where each misconception is taken apart, and which questions know it.

Run as `python tools/misconceptions_table.py`, after a change to a lesson's tags, a question or an exercise. The lessons
say it by the tags of their cells, the questions and tasks by the wrong answers that they recognize.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rflib.questions import bank, misconceptions  # noqa: E402  (the course's own rflib, installed or not)
from rflib.questions.kinds import Choice, Question  # noqa: E402

PAGE = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- misconceptions: begin -->\n", "<!-- misconceptions: end -->\n"


def taken_apart() -> Iterator[tuple[str, str]]:
    """Each misconception that a cell of a lesson is tagged with, and a link to the lesson."""
    for path in sorted((ROOT / "lessons").glob("*.ipynb")):
        cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tags = {tag for cell in cells for tag in cell["metadata"].get("tags", ())}
        for tag in tags:
            if tag.startswith("myth-"):
                yield tag.removeprefix("myth-"), f"[{path.name[:2]}](lessons/{path.name})"


def known(question: Question) -> set[str]:
    """The misconceptions that a question recognizes by the answer."""
    named = [mistake.id for mistake in question.known_mistakes]
    if isinstance(question, Choice):
        named += [option.mistake for option in question.options]
    return {name for name in named if name}


def recognized() -> Iterator[tuple[str, str]]:
    """Each misconception that a question recognizes, and the question's id."""
    for lesson in bank.lessons():
        for question in lesson.questions:
            for name in known(question):
                yield name, question.id


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found = defaultdict(set)
    for name, place in pairs:
        found[name].add(place)
    return {name: sorted(places) for name, places in found.items()}


def table() -> str:
    """One row for each misconception."""
    lessons, questions = gathered(taken_apart()), gathered(recognized())
    rows = [
        f"| {name} | {meaning} | {', '.join(lessons.get(name, []))} | {len(questions.get(name, []))} |"
        for name, meaning in misconceptions.NAMES.items()
    ]
    heading = "| no. | the mistake | taken apart in lesson | questions that recognize it |\n|---|---|---|---|"
    return "\n".join([heading, *rows, ""])


def page(text: str) -> str:
    """The page with the table written anew between its marks."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: BEGIN + table() + END, text, flags=re.DOTALL)


def main() -> int:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE.name}: {len(misconceptions.NAMES)} misconceptions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
