"""Accounts, folders and their modes: `python -m hub.prepare`, as root, in the course's folder.

May be run again at any time: it makes what is missing, sets every mode anew, and deletes nothing. Accounts that it
makes get a password each, written into a file that only root can read.
"""

from __future__ import annotations

import argparse
import grp
import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hub import settings
from hub.configuration import FIRST_UID, make_private

COURSE = settings.COURSE
READABLE = 0o755
GROUPS = (settings.LEARNERS, settings.LECTURERS)
# What learners may not read: answers, the judge's inputs, and the history, which holds both.
ROOTS_OWN = (".git", "tests")
LECTURERS_OWN = ("solutions", "marking")
# Letters that nobody takes for another on paper.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare this machine; 0 where all is well."""
    made = argparse.ArgumentParser(prog="python -m hub.prepare", description=__doc__)
    made.add_argument("--passwords", type=Path, default=Path("/etc/rflib/passwords.csv"), help="(%(default)s)")
    made.add_argument("--check", action="store_true", help="change nothing, only look")
    options = made.parse_args(arguments)
    if os.geteuid() != 0:
        print("This makes accounts and folders of others: run it as root, with sudo.", file=sys.stderr)
        return 2
    try:
        found = settings.load()
        if not options.check:
            for line in [*groups(), *accounts(found, options.passwords), *folders(found)]:
                print(line)
        wrong = list(complaints(found))
    except (settings.SettingsError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(wrong) if wrong else "Every folder and account is as it should be.")
    return 1 if wrong else 0


def groups() -> Iterator[str]:
    """The groups of learners and lecturers."""
    for name in GROUPS:
        if not _known(grp.getgrnam, name):
            _run("groupadd", name)
            yield f"group {name}: made"


def accounts(found: settings.Settings, passwords: Path) -> Iterator[str]:
    """An account for the lecturer and for each name of the class list; homes that only their owner can look into."""
    wanted = {found.lecturer: settings.LECTURERS, **{each.id: settings.LEARNERS for each in found.learners()}}
    new = []
    for name, group in wanted.items():
        if not _known(pwd.getpwnam, name):
            _run("useradd", "--create-home", "--user-group", "--shell", "/bin/bash", name)
            new.append((name, "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))))
        _run("gpasswd", "--add", name, group)  # usermod refuses the accounts of a directory
        account = pwd.getpwnam(name)
        if account.pw_uid < FIRST_UID:
            raise settings.SettingsError(f"'{name}' is an account of the system itself; take it off the class list.")
        if Path(account.pw_dir).is_dir():  # a directory's accounts may get theirs at the first log-in
            Path(account.pw_dir).chmod(0o700)
    if new:
        _run("chpasswd", given="".join(f"{name}:{password}\n" for name, password in new))
        _note(passwords, new)
        yield f"{len(new)} accounts made; their passwords were added to {passwords}"


def _known(find: Callable[[str], object], name: str) -> bool:
    """Ask for one name: a directory such as SSSD answers that, and leaves its names out of the list of all."""
    try:
        find(name)
    except KeyError:
        return False
    return True


def _note(passwords: Path, new: Sequence[tuple[str, str]]) -> None:
    passwords.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.writelines(f"{name},{password}\n" for name, password in new)


def folders(found: settings.Settings) -> Iterator[str]:
    """The course's folders, the exchange and the hub's own, with owners and modes."""
    for path, owner, group, mode in plan(found):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
        path.chmod(mode)
    _own(COURSE / "solutions", found.lecturer)
    # Learners cannot write what Python keeps beside its sources, and each kernel would translate them anew.
    _run(sys.executable, "-m", "compileall", "-q", str(COURSE / "rflib"), str(COURSE / "hub"), "-x", "node_modules")
    make_private(found.state)
    if found.class_list.is_file():
        os.chown(found.class_list, 0, grp.getgrnam(settings.LECTURERS).gr_gid)
        found.class_list.chmod(0o640)
    if settings.chosen().is_file():
        settings.chosen().chmod(0o644)
    yield "owners and modes of all folders: set"


def plan(found: settings.Settings) -> Iterator[tuple[Path, str, str, int]]:
    """Every folder with its owner, group and mode."""
    lecturer, lecturers, course = found.lecturer, settings.LECTURERS, found.course_exchange
    yield COURSE, "root", "root", READABLE
    for name in ROOTS_OWN:
        if (COURSE / name).is_dir():
            yield COURSE / name, "root", "root", 0o700
    for name in LECTURERS_OWN:
        yield COURSE / name, lecturer, lecturers, 0o700
    yield found.exchange, "root", "root", READABLE
    yield course, lecturer, lecturers, READABLE
    yield course / "outbound", lecturer, lecturers, READABLE
    # Everybody may put something in; nobody but the lecturer sees what is there. What is put in gets the lecturers'
    # group (2000), and only its owner may take it out again (1000).
    yield course / "inbound", lecturer, lecturers, 0o3733
    yield course / "feedback", lecturer, lecturers, 0o711


def _own(folder: Path, name: str) -> None:
    account = pwd.getpwnam(name)
    for path in [folder, *folder.rglob("*")]:
        os.lchown(path, account.pw_uid, grp.getgrnam(settings.LECTURERS).gr_gid)


def complaints(found: settings.Settings) -> Iterator[str]:
    """What is not as it should be, a line each: modes, and what a learner's account can and cannot do."""
    names = [found.lecturer, *(learner.id for learner in found.learners())]
    missing = [f"There is no group '{name}'." for name in GROUPS if not _known(grp.getgrnam, name)]
    missing += [f"There is no account '{name}'." for name in names if not _known(pwd.getpwnam, name)]
    if missing:
        yield from missing
        return
    for path, owner, group, mode in plan(found):
        if not path.is_dir():
            yield f"{path} is missing."
            continue
        seen = path.stat()
        if (seen.st_uid, seen.st_gid) != (pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid):
            yield f"{path} must belong to {owner}:{group}."
        if seen.st_mode & 0o7777 != mode:
            yield f"{path} must have the mode {mode:o}; it has {seen.st_mode & 0o7777:o}."
    file = settings.chosen()
    if file.is_file() and file.stat().st_mode & 0o777 != 0o644:
        yield f"{file} must have the mode 644, each server reads it; it has {file.stat().st_mode & 0o777:o}."
    for home in (Path(pwd.getpwnam(name).pw_dir) for name in names[1:]):
        if home.is_dir() and home.stat().st_mode & 0o077:
            yield f"{home} is open to others: chmod 700 {home}"
    if names[1:]:
        yield from _as_learner(names[1])


def _as_learner(name: str) -> Iterator[str]:
    """Try as a learner what a learner's server needs."""
    account = pwd.getpwnam(name)
    files = [path for path in (COURSE / "lessons" / "notation.md", settings.chosen()) if path.is_file()]
    for code in ("import jupyterhub, jupyterlab, nbgrader, rflib", *(f"open({str(path)!r})" for path in files)):
        tried = subprocess.run(
            [sys.executable, "-c", code],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            env={},
            capture_output=True,
            text=True,
        )
        if tried.returncode:
            said = (tried.stderr.splitlines() or ["no reason given"])[-1]
            above = f"Every folder above {COURSE} and {settings.chosen()} must be open to all (mode 755)."
            yield f"A learner cannot do `{code}`: {said}. {above}"


def _run(*command: str, given: str = "") -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    if done.returncode:
        raise settings.SettingsError(f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
