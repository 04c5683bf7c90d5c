"""The anatomy of a lesson: what every one of them must have, found by the tags of its cells.

CONTRIBUTING.md explains the tags. test_notebooks.py looks at what holds for any notebook.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rflib.questions import bank
from rflib.questions.kinds import Choice, Question

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
NOTEBOOKS = sorted(LESSONS.glob("*.ipynb"))
GLOSSARY = "notation.md"

# Which misconceptions belong to which lesson; together all of A1-A14 and M1-M26.
MYTHS = {
    "00": "A12",
    "01": "A1 A3 M2 M21",
    "02": "A2 M12",
    "03": "A6 A7 M3 M4 M6 M7",
    "04": "A4 M6 M10 M11 M15",
    "05": "M5 M8 M9 M12 M20 M24",
    "06": "M13 M21 M22 M26",
    "07": "A4 A7 M25",
    "08": "A8 M1",
    "09": "A9 A10 M14 M15 M16 M17",
    "10": "A13 M23",
    "11": "A5 A11 A14 M18",
    "12": "A5 A11 A14 M18 M19 M20",
    "13": "M6 M9 M10 M11 M12 M13 M14 M15 M26",
    "14": "",
}
ONCE = ("objectives", "question", "summary", "references")
EXPLORERS = (
    "StackExplorer Overlay PokeExplorer GrowthExplorer DesignGame DilationExplorer BranchExplorer ErfExplorer"
).split()
ASKED = re.compile(r'rf\.ask\("([^"]+)"\)')
PAST = {"find": "found", "tell": "told", "see": "seen", "write": "written", "choose": "chosen", "build": "built"}
PAST |= {"say": "said", "draw": "drawn", "show": "shown", "take": "taken", "read": "read", "know": "known"}

Notebook = dict[str, Any]


def source(cell: Notebook) -> str:
    return "".join(cell["source"])


def tags(cell: Notebook) -> list[str]:
    return cell["metadata"].get("tags", [])


def tagged(notebook: Notebook, tag: str) -> list[Notebook]:
    return [cell for cell in notebook["cells"] if tag in tags(cell)]


def slide_type(cell: Notebook) -> str:
    return cell["metadata"].get("slideshow", {}).get("slide_type", "")


def items(cell: Notebook) -> list[str]:
    """The entries of a numbered list."""
    return re.findall(r"^\d+\. (.*(?:\n   .*)*)", source(cell), flags=re.MULTILINE)


def bold(text: str) -> list[str]:
    return [" ".join(words.lower().split()) for words in re.findall(r"\*\*(.+?)\*\*", text, flags=re.DOTALL)]


def questions(notebook: Notebook) -> list[tuple[int, Question]]:
    """Every question of the bank that is asked, with the place of its cell."""
    return [
        (place, bank.find(name))
        for place, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code"
        for name in ASKED.findall(source(cell))
    ]


def problems(number: str, notebook: Notebook) -> list[str]:
    """What a lesson lacks."""
    found = [f"{len(tagged(notebook, tag))} cells tagged {tag!r}" for tag in ONCE if len(tagged(notebook, tag)) != 1]
    if found:
        return found
    parts = [
        title_problems,
        mirror_problems,
        prediction_problems,
        formula_problems,
        explorer_problems,
        experiment_problems,
        check_problems,
        reference_problems,
        lecture_problems,
    ]
    return [problem for part in parts for problem in part(number, notebook)] + myth_problems(number, notebook)


def title_problems(number: str, notebook: Notebook) -> list[str]:
    text = source(notebook["cells"][0])
    found = []
    if not re.search(r"\d+ minutes", text):
        found.append("the title cell does not say how many minutes")
    if "You need first:" not in text:
        found.append("the title cell does not say what is needed first")
    elif int(number) and not re.search(r"\]\(\d\d_[a-z0-9_]+\.ipynb\)", text):
        found.append("the title cell links to no lesson that is needed first")
    everything = "\n".join(source(cell) for cell in notebook["cells"])
    if f"]({GLOSSARY}" not in everything:
        found.append(f"no link to {GLOSSARY}")
    return found


def mirror_problems(number: str, notebook: Notebook) -> list[str]:
    """The summary says of every objective that it is reached, in the same order."""
    objectives, summary = (items(tagged(notebook, tag)[0]) for tag in ("objectives", "summary"))
    if not 3 <= len(objectives) <= 5:
        return [f"{len(objectives)} objectives, not three to five"]
    if len(objectives) != len(summary):
        return [f"{len(objectives)} objectives, and {len(summary)} of them in the summary"]
    found = []
    for objective, said in zip(objectives, summary, strict=True):
        if not bold(objective):
            found.append(f"the objective {objective!r} has no verb in bold")
            continue
        verb = bold(objective)[0].split()[0]
        forms = (verb[:4], PAST.get(verb, verb))
        if not any(word.startswith(form) for words in bold(said) for word in words.split() for form in forms):
            found.append(f"the summary does not mirror the objective {verb!r}: {said!r}")
    return found


def prediction_problems(number: str, notebook: Notebook) -> list[str]:
    """A recorded prediction stands before the cell that answers it."""
    asked = {question.id: place for place, question in questions(notebook) if question.prediction}
    if not asked:
        return ["no recorded prediction"]
    found = []
    for name, place in asked.items():
        answers = [i for i, cell in enumerate(notebook["cells"]) if f"answers-{name}" in tags(cell)]
        if not answers:
            found.append(f"no cell is tagged 'answers-{name}'")
        elif min(answers) < place:
            found.append(f"the prediction {name!r} stands after the cell that answers it")
    return found


def formula_problems(number: str, notebook: Notebook) -> list[str]:
    """Each formula is followed by its check by brute force, before the next formula."""
    found = []
    open_formula = ""
    for cell in notebook["cells"]:
        is_formula = "formula" in tags(cell)
        if cell["cell_type"] == "markdown" and "$$" in source(cell) and not is_formula:
            found.append(f"cell {cell['id']} shows a formula and is not tagged 'formula'")
        if is_formula:
            if open_formula:
                found.append(f"the formula in {open_formula} is not checked by brute force before the next")
            open_formula = cell["id"]
        if "brute-force" in tags(cell):
            open_formula = ""
            if cell["cell_type"] != "code":
                found.append(f"cell {cell['id']} is tagged 'brute-force' and runs nothing")
    if open_formula:
        found.append(f"the formula in {open_formula} is not checked by brute force")
    return found


def explorer_problems(number: str, notebook: Notebook) -> list[str]:
    """An explorer, with a task: said by the explorer itself, or in the cell before or after it."""
    pattern = re.compile(rf"rf\.({'|'.join(EXPLORERS)})\(")
    cells = notebook["cells"]
    places = [i for i, cell in enumerate(cells) if cell["cell_type"] == "code" and pattern.search(source(cell))]
    if not places:
        return ["no explorer"]
    found = []
    if not any("task" in tags(cell) for i in places for cell in cells[max(0, i - 1) : i + 2]):
        found.append("no explorer has a task beside it")
    for place in places:
        if "nbval-ignore-output" not in tags(cells[place]):
            found.append(f"cell {cells[place]['id']} shows an explorer and is not tagged 'nbval-ignore-output'")
    return found


def experiment_problems(number: str, notebook: Notebook) -> list[str]:
    if not tagged(notebook, "experiment"):
        return ["no experiment"]
    findings = tagged(notebook, "finding")
    if not findings:
        return ["no finding"]
    return [
        f"the finding in {c['id']} does not begin with a sentence in bold" for c in findings if source(c)[:2] != "**"
    ]


def check_problems(number: str, notebook: Notebook) -> list[str]:
    """Three to five self-checks, and every wrong option of each answers for itself."""
    checks = [question for _, question in questions(notebook) if not question.prediction]
    found = [] if 3 <= len(checks) <= 5 else [f"{len(checks)} self-checks, not three to five"]
    for question in checks:
        if isinstance(question, Choice):
            silent = [option for option in question.options if not option.feedback]
            if len(silent) > 1:
                found.append(f"self-check {question.id!r}: {len(silent)} options without feedback")
        elif not question.known_mistakes:
            found.append(f"self-check {question.id!r} knows no mistake")
    return found


def myth_problems(number: str, notebook: Notebook) -> list[str]:
    """Each misconception of the lesson's row has its own cell."""
    dealt = {tag.removeprefix("myth-") for cell in notebook["cells"] for tag in tags(cell) if tag.startswith("myth-")}
    wanted = set(MYTHS[number].split())
    found = [f"misconception {name} is not dealt with" for name in sorted(wanted - dealt)]
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return found + [f"misconception {name} is dealt with and not named" for name in sorted(dealt) if name not in text]


def reference_problems(number: str, notebook: Notebook) -> list[str]:
    text = source(tagged(notebook, "references")[0])
    entries = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    if not any(re.search(r"arxiv\.org/abs/|doi\.org/", entry) for entry in entries):
        return ["no reference with a DOI or an arXiv id"]
    return []


def lecture_problems(number: str, notebook: Notebook) -> list[str]:
    notes = [source(cell) for cell in notebook["cells"] if slide_type(cell) == "notes"]
    if len(notes) < 3:
        return [f"{len(notes)} notes for the lecturer, fewer than three"]
    return [] if any("minutes" in note for note in notes) else ["no note for the lecturer says minutes"]


def numbered() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in NOTEBOOKS]


@pytest.mark.parametrize("path", numbered())
def test_lesson_has_its_anatomy(path: Path) -> None:
    assert problems(path.name[:2], json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", numbered())
def test_questions_belong_to_their_lesson(path: Path) -> None:
    asked = [question.id for _, question in questions(json.loads(path.read_text(encoding="utf-8")))]
    assert len(set(asked)) == len(asked)
    assert [name for name in asked if not name.startswith(path.name[:2])] == []


def test_every_misconception_has_a_lesson() -> None:
    wanted = {f"A{n}" for n in range(1, 15)} | {f"M{n}" for n in range(1, 27)}
    assert {name for row in MYTHS.values() for name in row.split()} == wanted


# The checks see what they are for.


def markdown(text: str, *names: str, slide: str = "-") -> Notebook:
    return {
        "cell_type": "markdown",
        "id": "m",
        "metadata": {"slideshow": {"slide_type": slide}, "tags": [*names]},
        "source": text,
    }


def code(text: str, *names: str) -> Notebook:
    return {"cell_type": "code", "id": "c", "metadata": {"tags": [*names]}, "source": text}


GOOD: Notebook = {
    "cells": [
        markdown(
            "# Layer by layer\n\n40 minutes. You need first: [lesson 02](02_why_it_matters.ipynb). [Words](notation.md)"
        ),
        markdown("1. **predict** a size;\n2. **find** a slip;\n3. **compute** a field.", "objectives"),
        markdown("Why?", "question"),
        *[markdown("3 minutes", slide="notes") for _ in range(3)],
        code('rf.ask("03-order")'),
        markdown("$$r = 1$$", "formula"),
        code("1", "brute-force", "answers-03-order"),
        markdown("Reach 31.", "task"),
        code("rf.StackExplorer()", "nbval-ignore-output"),
        code("run()", "experiment"),
        markdown("**It agrees.**", "finding"),
        markdown("A6 A7 M3 M4 M6 M7", *[f"myth-{name}" for name in MYTHS["03"].split()]),
        *[code(f'rf.ask("03-{name}")') for name in ("dilation", "ordinary", "backward")],
        markdown("1. You **predicted** it.\n2. You **found** it.\n3. You **computed** it.", "summary"),
        markdown("- A. B: C, [arXiv 1](https://arxiv.org/abs/1)", "references"),
    ]
}


def test_a_good_lesson_has_no_problems() -> None:
    assert problems("03", copy.deepcopy(GOOD)) == []


def without(tag: str) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        for cell in tagged(notebook, tag):
            cell["metadata"]["tags"] = [name for name in tags(cell) if name != tag]

    return apply


def replaced(before: str, after: str) -> Callable[[Notebook], None]:
    def apply(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            cell["source"] = source(cell).replace(before, after)

    return apply


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        (without("objectives"), "0 cells tagged 'objectives'"),
        (replaced("40 minutes", "long"), "how many minutes"),
        (replaced("(02_why_it_matters.ipynb)", ""), "links to no lesson"),
        (replaced("(notation.md)", ""), "no link to notation.md"),
        (replaced("\n3. You **computed** it.", ""), "3 objectives, and 2 of them"),
        (replaced("You **found**", "You **lost**"), "does not mirror the objective 'find'"),
        (replaced('rf.ask("03-order")', ""), "no recorded prediction"),
        (without("answers-03-order"), "no cell is tagged 'answers-03-order'"),
        (without("brute-force"), "not checked by brute force"),
        (without("formula"), "not tagged 'formula'"),
        (replaced("rf.StackExplorer()", "1"), "no explorer"),
        (without("task"), "no explorer has a task"),
        (without("nbval-ignore-output"), "not tagged 'nbval-ignore-output'"),
        (without("experiment"), "no experiment"),
        (replaced("**It agrees.**", "It agrees."), "does not begin with a sentence in bold"),
        (without("myth-M7"), "misconception M7 is not dealt with"),
        (replaced("A6 A7 M3", "A6 A7"), "M3 is dealt with and not named"),
        (replaced('rf.ask("03-ordinary")', ""), "2 self-checks"),
        (replaced("https://arxiv.org/abs/1", "x"), "no reference with a DOI"),
        (replaced("3 minutes", "a while"), "says minutes"),
    ],
)
def test_what_a_lesson_lacks_is_said(worse: Callable[[Notebook], None], said: str) -> None:
    notebook = copy.deepcopy(GOOD)
    worse(notebook)
    assert any(said in problem for problem in problems("03", notebook))
