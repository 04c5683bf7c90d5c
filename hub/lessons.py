"""The lessons in a learner's home folder: copied where missing, renewed where untouched, never overwritten.

`start.py` calls it on one server; on others, `python hub/lessons.py HOME`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
BESIDE = "-new-version"


def bring_home(home: Path) -> list[str]:
    """Bring the lessons of this course into a home folder.

    Args:
        home: The user's.
    """
    return bring(COURSE / "lessons", home / "lessons", home / ".local" / "share" / "rflib" / "lessons.json")


def bring(course: Path, home: Path, noted: Path) -> list[str]:
    """Bring every lesson of the course into a learner's folder.

    A lesson that is missing is copied. One that is as the course brought it is replaced by the course's newer version.
    One that the learner has changed stays, and the newer version is laid beside it, once.

    Args:
        course: The course's lessons.
        home: The learner's folder for them.
        noted: File that remembers what was brought: the digest of each file.

    Returns:
        What was done, a line for each file.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    brought = _read(noted)
    done = []
    for source in sorted([*course.glob("*.ipynb"), *course.glob("*.md")]):
        content = source.read_bytes()
        new, target = digest(content), home / source.name
        if not os.path.lexists(target):
            done.append(f"{source.name}: copied")
        elif (own := _digest_of(target)) == new:
            brought[source.name] = new
            continue
        elif own == brought.get(source.name):
            done.append(f"{source.name}: renewed")
        else:
            beside = target.with_name(f"{source.stem}{BESIDE}{source.suffix}")
            if brought.get(beside.name) == new or brought.get(source.name) == new:
                continue  # the course's version is known; what differs is the learner's work
            if os.path.lexists(beside) and _digest_of(beside) != brought.get(beside.name):
                continue  # that one, too, has the learner's work in it
            target = beside
            done.append(f"{source.name}: changed by you and by the course; the new version is {beside.name}")
        _write(target, content)
        brought[target.name] = new
    _write(noted, json.dumps(brought, indent=1).encode())
    return done


def digest(content: bytes) -> str:
    """What tells two versions of a file apart."""
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    """The digest of a learner's file; "" for what is no readable file, which is then left alone."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return ""


def _read(noted: Path) -> dict[str, str]:
    try:
        found = json.loads(noted.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}  # without notes every changed file counts as the learner's


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


if __name__ == "__main__":
    print("\n".join(bring_home(Path(sys.argv[1]))))
