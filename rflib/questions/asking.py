"""Ask a question in a notebook."""

from __future__ import annotations

from IPython.display import display

from rflib.arithmetic import shown
from rflib.questions import bank
from rflib.questions.kinds import Question, QuestionError
from rflib.questions.record import find_journal
from rflib.questions.session import Session
from rflib.widgets.question import QuestionWidget


def ask(question: str | Question) -> None:
    """Show a question below the cell: you commit to an answer, and only then is it computed and revealed.

    What you answer is kept in one readable file on your own disk, and shown again when the cell is run again: in the
    file that the environment variable RFLIB_ANSWERS names, else in `my_answers.jsonl` in the folder of the course, else
    in `receptive_field_answers.jsonl` in your home folder.

    Example:
        >>> ask("no-such-question")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        rflib.errors.UnknownNameError: There is no question 'no-such-question'. Nearest: ...

    Args:
        question: The id of one of the course's questions, or a question of your own: a `Choice`, `Number`, `Interval`
            or `Region`.

    Raises:
        UnknownNameError: If there is no question of that id; the nearest ones are listed.
        QuestionError: If it is neither an id nor a question.
    """
    if isinstance(question, str):
        question = bank.find(question)
    elif not isinstance(question, Question):
        raise QuestionError(f"`ask` takes the id of a question, or a question; got {shown(question)}.")
    display(QuestionWidget(Session(question, find_journal())))  # type: ignore[no-untyped-call]
