"""The cell that asks a learner's function, and what is read of its answers: plain data, believed in nothing."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rflib.checks import plain
from rflib.checks.task import Task
from rflib.grading import cleaning

MIMETYPE = "application/vnd.rflib.answers+json"
DEEPEST = plain.DEEPEST + 8  # an answer, the lists that hold it, and some to spare
CHECKS = Path(plain.__file__).resolve().parent

# Runs beside the learner's code, so what it says is only a claim. Each answer is turned into text by itself: one that
# cannot be sent must not take the others along.
ASK = """
def _ask():
    import json
    from IPython.display import publish_display_data
    def module(name, text):
        space = {{"__name__": name}}
        exec(compile(text, name, "exec"), space)
        return space
    plain, preparing = module("plain", {plain!r}), module("preparing", {preparing!r})
    function = globals().get({name!r})
    prepare = preparing[{prepare!r}] if {prepare!r} else list
    def asked(inputs):
        try:
            entry = plain["answer"](function, prepare(inputs))
            return json.loads(json.dumps(entry))
        except BaseException as error:
            return {{"error": plain["said"](error)}}
    if not callable(function):
        there = "there is no function of this name" if function is None else "what has this name is no function"
        entries = {{"missing": there}}
    else:
        entries = [[asked(inputs) for inputs in each] for each in json.loads({inputs!r})]
    publish_display_data({{{mimetype!r}: json.dumps(entries)}})
_ask()
"""


def cell(task: Task, drawn: Iterable[Iterable[Any]]) -> str:
    """The text of the cell that asks a task's function.

    Args:
        task: The task.
        drawn: Its inputs, as `task.draw` gives them.
    """
    return ASK.format(
        plain=_text("plain.py"),
        preparing=_text("preparing.py"),
        name=task.name,
        prepare=task.prepare,
        inputs=json.dumps(list(drawn)),
        mimetype=MIMETYPE,
    )


@functools.cache
def _text(name: str) -> str:
    return (CHECKS / name).read_text(encoding="utf-8")


def answers(outputs: Iterable[Mapping[str, Any]]) -> tuple[Any, str]:
    """What a kernel handed out for the cell of `cell`: the answers, and in a few words why there are none.

    Args:
        outputs: The cell's outputs.
    """
    found = None
    error = ""
    for output in outputs:
        data = output.get("data")
        if isinstance(data, Mapping) and MIMETYPE in data:
            found = data[MIMETYPE]
        if output.get("output_type") == "error":
            error = f"{output.get('ename', '')}: {output.get('evalue', '')}"[:300]
    if found is None:
        return None, f"the question was not answered ({error})" if error else "the question was not answered"
    try:
        read = cleaning.sane(json.loads(found), DEEPEST)
    except (TypeError, ValueError, RecursionError):
        return None, "the answers could not be read"
    if isinstance(read, dict):
        return None, str(read.get("missing", "the answers could not be read"))[:100]
    return read, ""
