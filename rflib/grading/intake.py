"""Which file is whose: a folder as a learning-management system exports it, with a table of its learners or without."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rflib.errors import ReceptiveFieldError

SUFFIX = ".ipynb"
SKIPPED = frozenset({"__MACOSX", ".ipynb_checkpoints"})
KEPT = 50 << 20  # bytes; a larger file stays where it is
# Headings as the common systems write them, without case; the first that is there is taken.
FILE = ("file", "filename", "file name", "submission file", "attachment")
ID = ("id", "student id", "id number", "student number", "username", "sis user id", "login id", "identifier", "email")
NAME = ("name", "full name", "student", "student name", "display name")
TIME = ("time", "submitted", "submitted at", "submission time", "last modified (submission)", "timestamp", "date")
CLOCKS = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%y %I:%M %p")


class IntakeError(ReceptiveFieldError, ValueError):
    """A folder, a table or a time that cannot be understood."""


@dataclass(frozen=True)
class Learner:
    """Who handed in: `id` as the system has it, `folder` as a file system can."""

    id: str
    name: str
    folder: str


@dataclass(frozen=True)
class Handin:
    """One file that was handed in.

    Args:
        learner: Whose.
        path: Where it is.
        original: Its name as it came, with its folder.
        time: ISO, by the table, else the file's own; the source says which.
        source: "table" or "file".
        digest: SHA-256 of its bytes.
    """

    learner: Learner
    path: Path
    original: str
    time: str
    source: str
    digest: str

    def late(self, due: datetime | None) -> int:
        """Days begun after the time it was due; 0 where it was in time or nobody says when it was due."""
        if due is None:
            return 0
        return max(0, math.ceil((datetime.fromisoformat(self.time) - due).total_seconds() / 86_400))


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    id: str
    name: str
    file: str
    time: str


def scan(folder: Path, table: Path | None = None) -> tuple[list[Handin], list[str]]:
    """Every notebook in a folder with its learner, the oldest first; and a line for each file that was left out.

    Args:
        folder: With files, or with a folder for each learner.
        table: CSV whose headings name an id, and a name, a file and a time if it has them.

    Raises:
        IntakeError: If the folder or the table cannot be read.
    """
    if not folder.is_dir():
        raise IntakeError(f"There is no folder '{folder}' with hand-ins.")
    rows = read_table(table) if table else []
    found, left_out = [], []
    for path in sorted(folder.rglob("*")):
        # A name of other bytes than UTF-8, as old archives hold it, could be written into no table.
        relative = Path(str(path.relative_to(folder)).encode("utf-8", "backslashreplace").decode("utf-8"))
        if path.is_dir() or (table and path.resolve() == table.resolve()):
            continue
        if path.is_symlink():
            left_out.append(f"'{relative}' is a link and was left out")
        elif path.name.startswith("._") or SKIPPED & set(relative.parts):
            continue
        elif path.suffix.lower() != SUFFIX:
            left_out.append(f"'{relative}' is no notebook (its name does not end in {SUFFIX}) and was left out")
        else:
            matching = _matching(relative, rows) if table else [_nameless(relative)]
            named = [row for row in matching if row.file]
            one = {row.id: row for row in named or matching}
            if len(one) == 1:
                found.append(_handin(path, str(relative), next(iter(one.values()))))
            else:
                which = f"fits several: {', '.join(sorted(one))}" if one else "fits no row of the table"
                left_out.append(f"'{relative}' {which}; it was left out")
    return sorted(found, key=lambda handin: (handin.time, handin.original)), left_out


def read_table(path: Path) -> list[Row]:
    """The rows of a table of learners.

    Raises:
        IntakeError: If it cannot be read, or no heading names an id or a name.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        head = text.partition("\n")[0]
        lines = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IntakeError(f"The table '{path}' cannot be read: {error}.") from error
    headings = [heading for heading in (lines[0] if lines else {}) if heading]
    columns = [_column(headings, wanted) for wanted in (ID, NAME, FILE, TIME)]
    if not (columns[0] or columns[1]):
        raise IntakeError(f"No heading of '{path}' names a learner's id: {', '.join(headings)}. Call one of them 'id'.")
    rows = []
    for number, line in enumerate(lines, start=2):
        id, name, file, time = ((line.get(column) or "").strip() if column else "" for column in columns)
        if id or name:
            rows.append(Row(id or name, name, file, when(time, f"row {number} of '{path.name}'") if time else ""))
    return rows


def _column(headings: Sequence[str], wanted: Iterable[str]) -> str:
    by_word = {heading.strip().lower(): heading for heading in headings}
    return next((by_word[word] for word in wanted if word in by_word), "")


def when(text: str, where: str) -> str:
    """A time as ISO, without its zone.

    Raises:
        IntakeError: If it is in no known form; `where` says where it stands.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()
    except ValueError:
        for clock in CLOCKS:
            try:
                return datetime.strptime(text, clock).isoformat()
            except ValueError:
                continue
    raise IntakeError(f"The time '{text}' in {where} is in no form that is known. Write it as 2026-01-31 23:59.")


def _matching(path: Path, rows: Sequence[Row]) -> list[Row]:
    """The rows that a file may be of; a learner who names a file like another's does not hand in for the other."""
    owners = [row for row in rows if len(path.parts) > 1 and _named(path.parent, row)]
    matching = [row for row in rows if _belongs(path, row)]
    return [row for row in matching if not owners or not row.file or row.file == str(path) or row in owners]


def _belongs(path: Path, row: Row) -> bool:
    """Whether a file is a row's: by the file the row names; else by the id, or by the name, as a word of its path."""
    if row.file:
        return row.file in (str(path), path.name)
    return _named(path.with_suffix(""), row)


def _named(path: Path, row: Row) -> bool:
    text = str(path).lower()
    words = [row.id.lower(), row.id.lower().removeprefix("participant ")] + ([row.name.lower()] if row.name else [])
    return any(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text) for word in words)


def _nameless(path: Path) -> Row:
    """Without a table a learner is a folder, or a file by its whole name."""
    name = path.parts[0] if len(path.parts) > 1 else path.stem
    return Row(name, "", "", "")


def _handin(path: Path, original: str, row: Row) -> Handin:
    time = row.time or datetime.fromtimestamp(path.stat().st_mtime).isoformat(timespec="seconds")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    learner = Learner(row.id, row.name, safe(row.id))
    return Handin(learner, path, original, time, "table" if row.time else "file", digest.hexdigest())


def safe(id: str) -> str:
    """An id as the name of a folder: the same for the same id, another for another.

    Example:
        >>> safe("s1234"), safe("O'Neil, Ann")
        ('s1234', 'O_Neil__Ann-bb0a0a')
    """
    name = re.sub(r"[^A-Za-z0-9._@-]", "_", id)[:60].lstrip(".-")
    return name if name == id else f"{name}-{hashlib.sha256(id.encode()).hexdigest()[:6]}"


def keep(handin: Handin, folder: Path) -> None:
    """Keep a file beside the learner's earlier ones; the same bytes are kept once.

    Args:
        handin: The file.
        folder: The learner's.
    """
    entries = kept(folder)
    same = [entry for entry in entries if entry.digest == handin.digest]
    if same and (handin.source == "file" or entries[-1] in same or handin.time in {entry.time for entry in same}):
        return  # a copied file has another time of its own, so that time makes no second hand-in
    folder.mkdir(parents=True, exist_ok=True)
    path = handin.path
    if path.stat().st_size <= KEPT:
        path = folder / f"{len(entries) + 1:02}_{safe(Path(handin.original).stem)}{SUFFIX}"
        shutil.copyfile(handin.path, path)
    entry = {**asdict(handin), "path": str(path)}
    with (folder / "handins.jsonl").open("a", encoding="utf-8") as index:
        index.write(json.dumps(entry, ensure_ascii=False) + "\n")


def kept(folder: Path) -> list[Handin]:
    """What a learner has handed in so far, the oldest first; the last is the one that counts."""
    index = folder / "handins.jsonl"
    lines = index.read_text(encoding="utf-8").splitlines() if index.is_file() else []
    found = [json.loads(line) for line in lines]
    handins = [Handin(**{**each, "learner": Learner(**each["learner"]), "path": Path(each["path"])}) for each in found]
    return sorted(handins, key=lambda handin: handin.time)
