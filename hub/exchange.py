"""nbgrader's exchange for accounts that share a machine: what nbgrader leaves open is closed here.

nbgrader 0.9 wants an exchange in which everybody may write, leaves a hand-in open to everybody who learns its name, and
collects what claims to be somebody's, through links too. Here the folders are made once, by `prepare.py`: a hand-in is
its learner's and the lecturers' group's, and what is collected is taken only from the account whose name it bears.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange import default
from nbgrader.utils import check_directory

SECRET, STAMP = "submission_secret.txt", "timestamp.txt"
LARGEST = 50 << 20  # bytes of a notebook; the same as the grader keeps
FOLDER = stat.S_IRWXU | stat.S_IRWXG  # the learner and the group of the inbound folder: the lecturers
NOBODY = 0xFFFFFFFF  # the id in an access control list where an entry needs none
FORM = "%Y-%m-%d %H:%M:%S.%f UTC"


class Closed:
    """Wants an exchange that can be read and entered; nbgrader wants one in which everybody may write."""

    root: str

    def ensure_root(self) -> None:
        """Say so where the exchange is missing."""
        if not check_directory(self.root, read=True, execute=True):
            self.fail(f"There is no exchange at {self.root}, or it is closed to you: tell your lecturer.")  # type: ignore[attr-defined]


class List(Closed, default.ExchangeList):
    """What was given out and handed in."""


class FetchAssignment(Closed, default.ExchangeFetchAssignment):
    """An exercise, into the learner's folder."""


class FetchFeedback(Closed, default.ExchangeFetchFeedback):
    """The pages of feedback, into the learner's folder."""


class ReleaseAssignment(Closed, default.ExchangeReleaseAssignment):
    """An exercise, given out."""


class ReleaseFeedback(Closed, default.ExchangeReleaseFeedback):
    """Pages of feedback that nbgrader made; this course's own go out by `hub.exercise`."""


class Submit(Closed, default.ExchangeSubmit):
    """A hand-in that its learner and the lecturers can read."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy, and shut the copy at once; what lies in it is reached through it alone."""
        super().do_copy(src, dest, log)
        os.chmod(dest, FOLDER)

    def copy_files(self) -> None:
        """Hand in, then take back the modes that nbgrader sets for everybody."""
        super().copy_files()
        path = Path(self.inbound_path, self.assignment_filename)
        path.chmod(FOLDER)
        if path.stat().st_gid != Path(self.inbound_path).stat().st_gid:
            self.fail(f"{path} does not belong to the lecturers' group, who cannot collect it: tell your lecturer.")


@dataclass(frozen=True)
class Found:
    """A hand-in in the exchange, whose owner is the learner that its name claims.

    Args:
        learner: The owner's name.
        path: Its folder.
        time: When the system wrote the notebook, which no learner can set back.
    """

    learner: str
    path: Path
    time: datetime


def scan(inbound: Path, exercise: str) -> tuple[list[Found], list[str]]:
    """Every hand-in of an exercise that is its owner's, the oldest first, and a line for each other one.

    Args:
        inbound: The folder that hand-ins come into.
        exercise: Such as "01_definition".
    """
    found, left_out = [], []
    for entry in sorted(os.scandir(inbound), key=lambda entry: entry.name):
        claimed, _, rest = entry.name.partition("+")
        if not rest.startswith(f"{exercise}+"):
            continue
        try:
            found.append(_look(Path(entry.path), claimed, exercise))
        except (OSError, ValueError) as error:
            left_out.append(f"{_printable(entry.name)}: left out, {_printable(_reason(error))}")
    return sorted(found, key=lambda each: each.time), left_out


def _look(path: Path, claimed: str, exercise: str) -> Found:
    seen = path.lstat()
    owner = _name(seen.st_uid)
    if not stat.S_ISDIR(seen.st_mode):
        raise ValueError(f"it is no folder; it belongs to {owner}")
    if owner != claimed:
        raise ValueError(f"it claims to be {claimed}'s and belongs to {owner}")
    with _opened(path, f"{exercise}.ipynb", seen.st_uid) as file:
        changed = os.fstat(file.fileno()).st_ctime
    return Found(owner, path, datetime.fromtimestamp(changed, UTC))


def _opened(folder: Path, name: str, owner: int) -> Any:
    """A file of a hand-in, open for reading: a plain file of its owner, not what a link leads to.

    Raises:
        OSError: If it is missing or a link.
        ValueError: If it is not a plain file, somebody else's, or too large.
    """
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=inside)
    finally:
        os.close(inside)
    seen = os.fstat(number)
    reasons = {
        "is no plain file": not stat.S_ISREG(seen.st_mode),
        f"belongs to {_name(seen.st_uid)}": seen.st_uid != owner,
        "is a second name of another file": seen.st_nlink > 1,
        f"has more than {LARGEST >> 20} MB": seen.st_size > LARGEST,
    }
    for reason in (text for text, holds in reasons.items() if holds):
        os.close(number)
        raise ValueError(f"{name} {reason}")
    return os.fdopen(number, "rb")


def read(found: Found, exercise: str) -> tuple[bytes, bytes]:
    """The notebook and the secret of a hand-in; without a secret it is graded, and its page cannot be sent back.

    Args:
        found: The hand-in.
        exercise: Such as "01_definition".
    """
    owner = pwd.getpwnam(found.learner).pw_uid
    with _opened(found.path, f"{exercise}.ipynb", owner) as file:
        notebook = file.read(LARGEST)
    try:
        with _opened(found.path, SECRET, owner) as file:
            return notebook, file.read(1000)
    except (OSError, ValueError):
        return notebook, b""


class Collect(Closed, default.ExchangeCollect):
    """The last hand-in of each learner, for nbgrader's own commands and its Formgrader."""

    def init_src(self) -> None:
        """Look for what may be collected; nbgrader's own looks at the names alone."""
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        self.inbound_path = os.path.join(self.root, self.coursedir.course_id, "inbound")
        found, left_out = scan(Path(self.inbound_path), self.coursedir.assignment_id)
        for line in left_out:
            self.log.warning(line)
        wanted = self.coursedir.student_id
        self.last = {each.learner: each for each in found if wanted in ("*", "", each.learner)}
        self.src_records = list(self._records())

    def _records(self) -> Iterator[dict[str, Any]]:
        for learner, each in self.last.items():
            yield {"username": learner, "filename": each.path.name, "timestamp": each.time.replace(tzinfo=None)}

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy the notebook and the secret of the hand-in, and nothing by a link."""
        found = next(each for each in self.last.values() if str(each.path) == src)
        notebook, secret = read(found, self.coursedir.assignment_id)
        folder = Path(dest)
        folder.mkdir(mode=0o700, parents=True)
        (folder / f"{self.coursedir.assignment_id}.ipynb").write_bytes(notebook)
        (folder / SECRET).write_bytes(secret)
        (folder / STAMP).write_text(found.time.strftime(FORM), encoding="utf-8")


def open_to(path: Path, learner: str) -> None:
    """Let one learner read a file of ours, by an access control list; nobody but its owner may give it away.

    Where the file system keeps no such lists, the file is readable to all who know its name, which nobody can guess.

    Args:
        path: The file.
        learner: The account's name.
    """
    # linux/posix_acl_xattr.h: a version, then tag, permissions and id of: owner, one user, group, mask, others
    entries = [(1, 6, NOBODY), (2, 4, pwd.getpwnam(learner).pw_uid), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY)]
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", packed)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        path.chmod(0o644)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"account {uid}"


def _reason(error: Exception) -> str:
    return f"{error.filename or 'it'}: {error.strerror}" if isinstance(error, OSError) else str(error)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
