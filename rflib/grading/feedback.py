"""The page that a learner gets: points, what was asked, what came, what was expected. One file, no script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rflib.grading.marks import Standing
from rflib.grading.records import PropertyMark, TaskMark

# Nothing that a learner wrote may run in a browser: all of it is escaped, and the page forbids itself to load anything.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #888; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.points { white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #888; }
dt { font-weight: 600; }
dd { margin: 0 0 .4rem 0; overflow-wrap: anywhere; }
"""


def page(standing: Standing) -> str:
    """The page of one learner, as HTML.

    Args:
        standing: Where the learner stands.
    """
    return "\n".join(_lines(standing)) + "\n"


def _lines(standing: Standing) -> Iterator[str]:
    record, came = standing.record, standing.record.handin
    name = escape(str(came.get("name") or came.get("id") or record.learner))
    title = f"{escape(record.exercise)}: {name}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>"
    yield f"<p><strong>{standing.points:g} of {standing.of:g} points</strong>{_still_open(standing)}</p>"
    yield f"<p>{_handed_in(standing)}</p>"
    if record.remarks:
        yield f"<h2>Remarks</h2>\n<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in record.remarks)}</ul>"
    yield from _overview(standing)
    for task in record.tasks:
        yield from _task(task, standing.changed.get(task.id))
    for part, manual in standing.manual.items():
        given = "not marked yet" if manual.points is None else f"{manual.points:g} of {manual.of:g}"
        yield f"<h2>{escape(part)}: {given}</h2>"
        if manual.comment:
            yield f"<p>{escape(manual.comment)}</p>"
    yield f"<p><small>Inputs were drawn from {escape(record.seed)}. If a mark seems wrong, name it to your lecturer: "
    yield "the same questions can be asked again.</small></p>\n</main>\n</body>\n</html>"


def _still_open(standing: Standing) -> str:
    return f"; {len(standing.open)} part(s) are still to be marked by a person" if standing.open else ""


def _handed_in(standing: Standing) -> str:
    came = standing.record.handin
    late = int(came.get("days_late") or 0)
    days = f", {late} day{'s' if late > 1 else ''} late" if late else ""
    number = f", your hand-in number {standing.handins}; the last one counts" if standing.handins > 1 else ""
    return f"Handed in: {escape(str(came.get('file', '')))}, {escape(str(came.get('time', '')))}{days}{number}."


def _overview(standing: Standing) -> Iterator[str]:
    yield '<table>\n<thead><tr><th scope="col">Task</th><th scope="col">Points</th></tr></thead>\n<tbody>'
    for task in standing.record.tasks:
        points = standing.changed.get(task.id, task.points)
        yield f'<tr><td>{escape(task.id)}</td><td class="points">{points:g} of {task.of}</td></tr>'
    for part, manual in standing.manual.items():
        given = "open" if manual.points is None else f"{manual.points:g}"
        yield f'<tr><td>{escape(part)}</td><td class="points">{given} of {manual.of:g}</td></tr>'
    yield "</tbody>\n</table>"


def _task(task: TaskMark, changed: float | None) -> Iterator[str]:
    yield f"<h2>{escape(task.id)}: {task.points if changed is None else changed:g} of {task.of}</h2>"
    if changed is not None:
        yield f"<p>The judge gave {task.points}; a person changed it.</p>"
    if not task.properties:
        yield f"<p>{escape(task.reason)}</p>"
    for each in task.properties:
        yield from _property(each)
    if task.code:
        yield f"<details><summary>Your code</summary><pre>{escape(task.code)}</pre></details>"


def _property(each: PropertyMark) -> Iterator[str]:
    mark = "&#10003; right" if each.points == each.of else "&#10007; wrong"
    yield f"<h3>{escape(each.sentence)}: {each.points} of {each.of}, {mark}</h3>"
    if each.points == each.of:
        yield f"<p>Right on {each.tried} of {each.tried} inputs.</p>"
        return
    yield f"<p>Wrong on {each.wrong} of {each.tried} inputs. The first of them:</p>\n<dl>"
    rows = {"Asked": each.inputs, "Yours": each.got, "Expected": each.expected, "What happened": each.mistake}
    for name, text in rows.items():
        if text:
            yield f"<dt>{name}</dt><dd>{escape(text)}</dd>"
    yield "</dl>"
