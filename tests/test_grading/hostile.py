"""Submissions that try to gain a mark or to harm somebody, each with the most it may get and what the lecturer reads.

`SIZE` and `JUMP` are right functions; a hostile submission that keeps them is to keep their points, and no more.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tests.test_grading.making import JUMP, SIZE, WITHOUT_STRIDE, own, written

UNWRITTEN = "def {}(layers):\n    raise NotImplementedError()\n"
NOTHING = {"size": UNWRITTEN.format("size"), "jump": UNWRITTEN.format("jump")}


@dataclass(frozen=True)
class Hostile:
    """A submission that is up to no good.

    Args:
        make: From the exercise and the course's folder to a notebook, or to the bytes of a file.
        points: What it gets, of 5.
        line: What the lecturer reads; a part of it.
    """

    make: Callable[[NotebookNode, Path], NotebookNode | bytes]
    points: int
    line: str


def functions(size: str = SIZE, jump: str = JUMP) -> Callable[[NotebookNode, Path], NotebookNode]:
    """A notebook with these functions; {course} in them is the course's folder."""
    return lambda release, course: written(
        release, size.replace("{course}", str(course)), jump.replace("{course}", str(course))
    )


def edited(
    change: Callable[[list[NotebookNode]], object], **texts: str
) -> Callable[[NotebookNode, Path], NotebookNode]:
    """A notebook whose cells were changed."""

    def make(release: NotebookNode, course: Path) -> NotebookNode:
        notebook = written(release, **texts)
        change(notebook.cells)
        return notebook

    return make


def find(cells: list[NotebookNode], name: str) -> NotebookNode:
    return next(cell for cell in cells if cell.id == name)


def drop(*names: str) -> Callable[[list[NotebookNode]], None]:
    def change(cells: list[NotebookNode]) -> None:
        cells[:] = [cell for cell in cells if cell.id not in names]

    return change


def replace(name: str, text: str) -> Callable[[list[NotebookNode]], None]:
    def change(cells: list[NotebookNode]) -> None:
        find(cells, name).source = text

    return change


def duplicate(name: str, text: str) -> Callable[[list[NotebookNode]], None]:
    def change(cells: list[NotebookNode]) -> None:
        copied = copy.deepcopy(find(cells, name))
        copied.source, copied.id = text, f"{name}-copy"
        cells.append(copied)

    return change


def points(number: int) -> Callable[[list[NotebookNode]], None]:
    def change(cells: list[NotebookNode]) -> None:
        for cell in cells:
            if "nbgrader" in cell.metadata:
                cell.metadata.nbgrader["points"] = number

    return change


def outputs(cells: list[NotebookNode]) -> None:
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "3"}, execution_count=1)]


def claim(cells: list[NotebookNode]) -> None:
    cell = own("3")
    said = {
        "grade": True,
        "grade_id": "91-extra",
        "locked": True,
        "points": 100,
        "solution": False,
        "schema_version": 3,
    }
    cell.metadata["nbgrader"] = {**said, "cell_type": "code"}
    cells.append(cell)


def unlock(cells: list[NotebookNode]) -> None:
    for cell in cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update({"locked": False, "grade": False, "solution": True})


def body(text: str, name: str = "size") -> str:
    """A function of this body, after text that stands before it."""
    before, _, inside = text.rpartition("---\n")
    return f"{before}def {name}(layers):\n" + "".join(f"    {line}\n" for line in inside.splitlines())


TRANSFORMER = """\
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
    def visit_Compare(self, node): return ast.Constant(True)
get_ipython().ast_transformers.append(Drop())
"""
YES = """\
class Yes{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return False
    def __hash__(self): return 0
    def __len__(self): return 1
    def __iter__(self): return iter([self])
    def __getattr__(self, name): return self
    def __call__(self, *args): return self
"""
FAKE_RFLIB = """\
import sys, types
fake = types.ModuleType("rflib"); fake.checks = types.ModuleType("rflib.checks")
fake.checks.check = lambda *a: "all right"; fake.__path__ = []
sys.modules["rflib"] = fake; sys.modules["rflib.checks"] = fake.checks
sys.modules["rflib.checks.task"] = fake; sys.modules["rflib.grading"] = fake
"""
PATCHED = """\
import builtins, json, IPython.display
real = IPython.display.publish_display_data
def publish(data, **k):
    real({{"application/vnd.rflib.answers+json": json.dumps({answers}), "text/plain": "3"}})
    real({{"text/plain": "3"}})
IPython.display.publish_display_data = publish
builtins.print = lambda *a, **k: None
"""
STOLEN = """\
import glob, json, os, sqlite3
def look():
    places = ["{course}", "/work", "/home", "/tmp", "/mnt", "/root", "/usr/src", "/proc/1/root", "/proc/1/cwd", ".."]
    for place in places:
        for folder, _, names in os.walk(place):
            for name in names:
                if name.endswith((".ipynb", ".db", ".sha256", ".jsonl")) and "site-packages" not in folder:
                    yield os.path.join(folder, name)
seen = list(look())
def stolen(layers):
    for path in ("{course}/course/solutions/91_tiny/91_tiny.ipynb", *seen):
        text = open(path).read()
        if "field, jump = 1, 1" in text: return "stolen"
    return f"nothing to steal in {len(seen)} files"
"""
OUTSIDE = """\
import os, pathlib
tried = ["{course}/marking/gradebook.db", "{course}/course/solutions/91_tiny/91_tiny.ipynb", "{course}/harm",
         "/tmp/../../harm", "/etc/passwd", "/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/run/kernel/harm"]
for path in tried:
    try:
        with open(path, "a") as file: file.write("harm")
    except OSError: pass
    try: os.symlink("{course}", "/run/kernel/link")
    except OSError: pass
"""
FORGED = """\
import json, threading, time
kernel = get_ipython().kernel
def forge():
    while True:
        data = {"application/vnd.rflib.answers+json": json.dumps([[{"answer": 1}] * 99] * 9), "text/plain": "3"}
        kernel.session.send(kernel.iopub_socket, "execute_result", {"data": data, "metadata": {}, "execution_count": 1},
                            parent=kernel.get_parent("shell"), ident=b"x")
        time.sleep(0.05)
threading.Thread(target=forge, daemon=True).start()
"""
BOMB = """\
import os
while True:
    try: os.fork()
    except OSError: pass
"""
ENDS_LATER = """\
import os
def end(info):
    if "def jump" in info.raw_cell: os._exit(1)
get_ipython().events.register("pre_run_cell", end)
"""
VISIBLE = """\
def size(layers):
    known = {'[{"kernel_size": 3, "stride": 1, "dilation": 1}]': 3}
    import json
    return known.get(json.dumps(layers), 4)
"""
CALLS_RFLIB = "import rflib\nreturn rflib.receptive_field([rflib.Layer(**layer) for layer in layers]).size"
NETWORK = "import urllib.request\nreturn int(urllib.request.urlopen('http://127.0.0.1:8888', timeout=2).read())"
NOT_THERE = "has no attribute 'receptive_field'|graded without rflib"
LOST = "process of the notebook ended"


def version_3(release: NotebookNode, course: Path) -> bytes:
    """The right notebook as Jupyter wrote it ten years ago."""
    notebook = json.loads(nbformat.writes(written(release)))
    cells = []
    for cell in notebook["cells"]:
        kept = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        key = "input" if cell["cell_type"] == "code" else "source"
        kept[key] = cell["source"]
        cells.append({**kept, "language": "python", "outputs": [], "collapsed": False} if key == "input" else kept)
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    return json.dumps(old).encode()


def other_kernel(release: NotebookNode, course: Path) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[own("x <- c(1, 2)"), own("size <- function(l) 3")])
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    return notebook


def large(release: NotebookNode, course: Path) -> bytes:
    notebook = written(release)
    notebook.cells.append(own("#"))
    return nbformat.writes(notebook).replace('"#"', '"' + "x" * (200 << 20) + '"').encode()


def constant(content: bytes) -> Callable[[NotebookNode, Path], bytes]:
    return lambda release, course: content


def deep(text: str) -> dict[str, Any]:
    return {"size": body(text), "jump": body(text, "jump")}


SUBMISSIONS: dict[str, Hostile] = {
    # cells
    "deleted graded cells": Hostile(edited(drop("91-size", "91-jump")), 5, "`91-size` was missing and was put back"),
    "deleted graded cells, nothing written": Hostile(
        edited(drop("91-size", "91-jump"), **NOTHING), 0, "NotImplemented"
    ),
    "deleted solution": Hostile(edited(drop("91-size-write")), 2, "there is no function of this name"),
    "edited graded cell": Hostile(edited(replace("91-size", "3"), **NOTHING), 0, "`91-size` was changed"),
    "duplicated graded cell": Hostile(edited(duplicate("91-size", "3"), **NOTHING), 0, "was there more than once"),
    "duplicated solution, the second is right": Hostile(
        edited(duplicate("91-size-write", SIZE), size=WITHOUT_STRIDE), 5, "was there more than once"
    ),
    "reordered": Hostile(edited(lambda cells: cells.reverse()), 5, "another order"),
    "changed points": Hostile(edited(points(500), size=WITHOUT_STRIDE), 3, "points of the cell `91-size` were changed"),
    "outputs with points": Hostile(edited(outputs, **NOTHING), 0, "NotImplementedError"),
    "a graded cell of its own": Hostile(edited(claim, **NOTHING), 0, "claimed to earn points"),
    "graded cells turned into solutions": Hostile(edited(unlock, **NOTHING), 0, "NotImplementedError"),
    # the judge's process is not this one
    "transformer": Hostile(functions(TRANSFORMER + WITHOUT_STRIDE), 3, "You leave the strides out"),
    "transformer, nothing written": Hostile(functions(TRANSFORMER + "size = jump = lambda *_: None", ""), 0, "None"),
    "always equal": Hostile(functions(YES.format(base="") + body("return Yes()")), 2, "91-size"),
    "always equal, an int": Hostile(functions(YES.format(base="(int)") + body("return Yes(1)")), 2, "91-size"),
    "always equal, a list": Hostile(functions(YES.format(base="(list)") + body("return Yes([1])")), 2, "91-size"),
    "fake rflib": Hostile(functions(FAKE_RFLIB + body("return 1")), 2, "91-size"),
    "patched json": Hostile(
        functions("import json\njson.dumps = lambda *a, **k: '[[1]]'\n" + SIZE), 2, "what no kernel sends"
    ),
    "patched numpy": Hostile(
        functions("import numpy\nnumpy.array_equal = numpy.allclose = lambda *a, **k: True\n" + WITHOUT_STRIDE), 3, "M4"
    ),
    "patched print": Hostile(functions("import builtins\nbuiltins.print = None\n" + WITHOUT_STRIDE), 3, "M4"),
    "patched exec": Hostile(functions("import builtins\nbuiltins.exec = lambda *a: None\n" + SIZE), 0, "not answered"),
    "patched publishing": Hostile(functions(PATCHED.format(answers="[[{'answer': 1}] * 99] * 9"), JUMP), 0, "1"),
    "published too much": Hostile(functions(PATCHED.format(answers="'x' * 10**7"), JUMP), 0, "more than 8 MB"),
    "published nonsense": Hostile(functions(PATCHED.format(answers="{'points': 5}"), JUMP), 0, "could not be read"),
    "forged messages": Hostile(functions(FORGED + body("return 1"), body("return 1", "jump")), 0, "91-size"),
    # looking for answers
    "reads solutions, gradebook, other hand-ins": Hostile(
        functions(STOLEN + "size = stolen", "jump = stolen"), 0, "FileNotFoundError|nothing to steal in 0 files"
    ),
    "writes outside its folder": Hostile(functions(OUTSIDE + SIZE), 5, "5 of 5"),
    "network": Hostile(functions(body(NETWORK)), 2, "URLError"),
    "visible values": Hostile(functions(VISIBLE), 2, "gave 4"),
    "calls rflib": Hostile(functions(body(CALLS_RFLIB)), 2, NOT_THERE),
    "asks the checks' truth": Hostile(
        functions(body("from rflib.checks import catalog\nreturn catalog.find('91-size').truth(layers)")), 2, "91-size"
    ),
    # ending, hanging, flooding
    "endless loop": Hostile(functions(body("while True: pass")), 2, "longer than 12 seconds"),
    "endless loop in its own cell": Hostile(functions("while True: pass"), 2, "longer than 12 seconds"),
    "fork bomb": Hostile(
        functions(body("import os\nwhile True: os.fork()")), 2, "BlockingIOError|longer than|held more|ended"
    ),
    "fork bomb that goes on": Hostile(functions(BOMB), 2, "longer than 12 seconds|held more"),
    "50 GB at once": Hostile(functions(body("return len(bytearray(50 * 10**9))")), 2, "MemoryError"),
    "50 GB bit by bit": Hostile(
        functions(body("x = []\nwhile True: x.append(bytearray(10**7))")), 2, "more than 1000 MB of memory"
    ),
    "100 MB of output": Hostile(functions(body("print('x' * 10**8)\nreturn 1")), 2, "more than 8 MB|more than 1000 MB"),
    "100 MB of output in its own cell": Hostile(
        functions("print('x' * 10**8)\n" + SIZE), 2, "more than 8 MB|more than 1000 MB"
    ),
    "exit": Hostile(functions(body("import os\nos._exit(0)")), 2, LOST),
    "sys.exit": Hostile(functions(body("import sys\nsys.exit()")), 2, "SystemExit"),
    "kills its parent": Hostile(
        functions(
            "import os, signal\nfor p in (os.getppid(), 1, -1):\n"
            + "    try: os.kill(p, 9)\n" * 1
            + "    except OSError: pass\n"
            + SIZE
        ),
        5,
        "5 of 5",
    ),
    "deep recursion": Hostile(functions(body("return size(layers)")), 2, "RecursionError"),
    "deeper recursion": Hostile(
        functions("import sys\nsys.setrecursionlimit(10**9)\n" + body("return size(layers)")),
        2,
        f"{LOST}|more than 1000 MB|RecursionError|MemoryError",
    ),
    "ends later, in another cell": Hostile(functions(ENDS_LATER + SIZE), 3, LOST),
    # answers that are none
    "an endless answer": Hostile(functions(body("while True: yield 1")), 2, "generator"),
    "a huge answer": Hostile(functions(body("return [[0] * 1000] * 1000")), 2, "more than"),
    "a nested answer": Hostile(functions(body("x = []\nfor _ in range(10**5): x = [x]\nreturn x")), 2, "91-size"),
    "a huge number": Hostile(functions(body("return 10 ** 10**5")), 2, "91-size"),
    "no number": Hostile(functions(body("return float('nan')")), 2, "nan"),
    "a picture of a number": Hostile(functions(body("return '6'")), 2, "91-size"),
    "true": Hostile(functions(body("return True")), 2, "True"),
    # pages
    "script": Hostile(
        edited(
            lambda cells: (
                replace("91-essay", "<script>alert(1)</script> [x](javascript:alert(1))")(cells),
                cells.append(own("from IPython.display import HTML; HTML('<script>alert(1)</script>')")),
            ),
            size=body("raise ValueError('<script>alert(1)</script>')"),
        ),
        2,
        "ValueError: <script>",
    ),
    # files
    "empty": Hostile(constant(b""), 0, "The file is empty"),
    "no JSON": Hostile(constant(b'{"cells": ['), 0, "it is not JSON"),
    "no notebook": Hostile(constant(b"[1, 2]"), 0, "is no notebook"),
    "no text": Hostile(constant(b"\xff\xfe\x00\x01" * 9), 0, "is no notebook"),
    "nested": Hostile(constant(b"[" * 10**6), 0, "nested too deeply"),
    "cells that are none": Hostile(constant(b'{"nbformat": 4, "cells": [1, null, {}]}'), 0, "it has no cells"),
    "cells of nothing": Hostile(
        constant(b'{"nbformat": 4, "cells": [{}, {"cell_type": "code", "source": {"a": 1}, "metadata": 3}]}'),
        0,
        "no function",
    ),
    "nbformat 3": Hostile(version_3, 5, "of nbformat 3 and was converted"),
    "nbformat 99": Hostile(constant(b'{"nbformat": 99, "cells": []}'), 0, "its nbformat is '99'"),
    "another kernel": Hostile(other_kernel, 0, "made for the kernel 'ir'"),
    "200 MB": Hostile(large, 0, "has 200 MB; at most 50 are read"),
    "it's a \"name\" with $(spaces); and ünïcode 'quotes' %s {x}": Hostile(functions(), 5, "5 of 5"),
}
