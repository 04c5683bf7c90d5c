"""What is written and said after grading: pages, the table, what changed, what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rflib.grading import feedback, marks
from rflib.grading.batch import Done, Plan
from rflib.grading.records import Record


def report(plan: Plan, graded: Mapping[str, Record], failed: Sequence[Done]) -> int:
    """Write every page and the table, and say what a lecturer wants to know next; 0 where nothing failed."""
    found = marks.standings(plan)
    for learner, standing in found.items():
        marks.write(plan.places.feedback(plan.exercise, learner), feedback.page(standing))
    path = plan.places.marks(plan.exercise)
    marks.write(path, marks.table(found))
    if plan.anew or plan.same:
        changed = list(marks.changes(plan, graded))
        print("\n".join(["What changed:", *changed] if changed else ["Nothing changed."]))
    left = sum(bool(standing.open) for standing in found.values())
    print(f"{len(graded)} graded now, {len(found)} in all, {len(failed)} not graded. Marks: {path}")
    print(f"Pages: {plan.places.feedback(plan.exercise, 'x').parent}")
    if left:
        print(f"{left} wait for a person: mark them in nbgrader's Formgrader, then run this command again.")
    return 1 if failed else 0
