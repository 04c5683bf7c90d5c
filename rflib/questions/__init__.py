"""Predictions and self-checks: questions that a learner commits to before anything is revealed.

kinds.py holds the questions, judging.py compares an answer with the truth, record.py keeps answers on the learner's
disk, progress.py looks back at them, session.py leads through one question, asking.py shows it. The course's own
questions are in bank/, one module a lesson.
"""

from rflib.questions.kinds import Choice, Interval, Mistake, Number, Option, Question, QuestionError, Region

__all__ = ["Choice", "Interval", "Mistake", "Number", "Option", "Question", "QuestionError", "Region"]
