"""Where grading keeps its files, and nbgrader's settings for it; nbgrader_config.py and the batch share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.config import Config

SANITIZE = (
    "rflib.grading.preprocessors.Restore",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
)
AUTOGRADE = (
    "rflib.grading.preprocessors.Judge",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
)


@dataclass(frozen=True)
class Places:
    """The folders of grading.

    Args:
        project: The course's folder; the exercises' source is its `solutions`.
        marking: Where everything that grading makes is kept. Nothing in it is written twice by different programs.
    """

    project: Path
    marking: Path

    @property
    def solutions(self) -> Path:
        return self.project / "solutions"

    @property
    def gradebook(self) -> Path:
        return self.marking / "gradebook.db"

    def source(self, exercise: str) -> Path:
        """The source notebook of an exercise."""
        return self.solutions / exercise / f"{exercise}.ipynb"

    def release(self, exercise: str) -> Path:
        """The exercise as it is given out, made anew for grading."""
        return self.marking / "release" / exercise / f"{exercise}.ipynb"

    def handins(self, exercise: str, learner: str) -> Path:
        """Every file that a learner handed in, numbered."""
        return self.marking / "handins" / exercise / learner

    def submitted(self, exercise: str, learner: str) -> Path:
        """The notebook that nbgrader grades."""
        return self.marking / "submitted" / learner / exercise / f"{exercise}.ipynb"

    def records(self, exercise: str, learner: str) -> Path:
        """A learner's records, one for each grading."""
        return self.marking / "records" / exercise / learner

    def feedback(self, exercise: str, learner: str) -> Path:
        """The page that a learner gets."""
        return self.marking / "feedback" / exercise / f"{learner}.html"

    def marks(self, exercise: str) -> Path:
        """The table of marks."""
        return self.marking / "marks" / f"{exercise}.csv"


def configure(config: Any, places: Places, judge: Mapping[str, Any] | None = None) -> None:
    """Put the settings of grading into a configuration of nbgrader.

    Args:
        config: nbgrader's `get_config()`, or a new `Config`.
        places: The folders.
        judge: Settings of `Judge`, by their names.
    """
    course = config.CourseDirectory
    course.root = str(places.project)
    course.source_directory = str(places.solutions)
    course.release_directory = str(places.marking / "release")
    course.submitted_directory = str(places.marking / "submitted")
    course.autograded_directory = str(places.marking / "autograded")
    course.feedback_directory = str(places.marking / "nbgrader_feedback")
    course.db_url = f"sqlite:///{places.gradebook}"
    config.Autograde.sanitize_preprocessors = list(SANITIZE)
    config.Autograde.autograde_preprocessors = list(AUTOGRADE)
    config.Judge.hidden = ":".join(map(str, [places.project, places.marking]))
    for name, value in (judge or {}).items():
        config.Judge[name] = value


def fresh(places: Places, judge: Mapping[str, Any] | None = None) -> Config:
    """A new configuration with the settings of grading."""
    config = Config()
    configure(config, places, judge)
    return config
