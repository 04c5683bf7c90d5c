"""What has to run before a cell: against running everything, and on the cases that are easy to get wrong."""

from __future__ import annotations

import nbformat
import pytest

from tools.publishing.slicing import needed


def cells(*sources: str) -> list[nbformat.NotebookNode]:
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    return [*made[:1], nbformat.v4.new_markdown_cell("words", id="words"), *made[1:]]


def kept(*sources: str) -> list[str]:
    """What is kept for the last cell."""
    given = cells(*sources)
    return [source for _, source in needed(given, [given[-1].id])]


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [
        (("a = 1", "b = 2", "a"), ["a = 1", "a"]),
        (("a = 1\nb = 2", "print(a)", "a"), ["a = 1", "a"]),  # statements, not cells
        (("a = 1", "a = 2", "a"), ["a = 2", "a"]),
        (("a = 1", "a += 1", "a"), ["a = 1", "a += 1", "a"]),
        (("a = []", "a.append(1)", "a"), ["a = []", "a.append(1)", "a"]),
        (("a = {}", "a['x'] = 1", "a"), ["a = {}", "a['x'] = 1", "a"]),
        (("a = 1", "for i in range(3):\n    a = i", "a"), ["a = 1", "for i in range(3):\n    a = i", "a"]),
        (("import numpy as np", "np.seterr()", "np.pi"), ["import numpy as np", "np.pi"]),
        (("x = 3", "def f():\n    return x", "f()"), ["x = 3", "def f():\n    return x", "f()"]),
        (("x = 3", "[x for x in range(2)]", "y = [x for x in range(2)]\ny"), ["y = [x for x in range(2)]\ny"]),
        (("import torch", "@torch.no_grad()\ndef f():\n    pass", "f"),
         ["import torch", "@torch.no_grad()\ndef f():\n    pass", "f"]),
        (("(a, b), *c = (1, 2), 3", "c"), ["(a, b), *c = (1, 2), 3", "c"]),
        (("from x import y as z", "z"), ["from x import y as z", "z"]),
        (("a = 1", "if True:\n    a.b = 2", "a"), ["a = 1", "if True:\n    a.b = 2", "a"]),
        (("a = 1", "with open(a) as file:\n    c = file", "c"), ["a = 1", "with open(a) as file:\n    c = file", "c"]),
    ],
)  # fmt: skip
def test_keeps_what_is_needed(sources: tuple[str, ...], wanted: list[str]) -> None:
    assert kept(*sources) == wanted


def test_several_targets_are_kept_whole_and_in_order() -> None:
    given = cells("a = 1\nb = 5", "show(a)", "a = 2", "c = 3\nshow(a)")
    assert needed(given, ["cell-1", "cell-3"]) == [
        ("cell-0", "a = 1"),
        ("cell-1", "show(a)"),
        ("cell-2", "a = 2"),
        ("cell-3", "c = 3\nshow(a)"),
    ]


def test_what_is_kept_runs_to_the_same_value() -> None:
    sources = [
        "n = 4",
        "unused = n * 100",
        "rows = [0] * n",
        "for i in range(n):\n    rows[i] = i * i",
        "total = sum(rows)",
    ]
    everything: dict[str, int] = {}
    exec("\n".join(sources), everything)
    part: dict[str, int] = {}
    exec("\n".join(kept(*sources)), part)
    assert part["total"] == everything["total"] == 14
    assert "unused" not in part
