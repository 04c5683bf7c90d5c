"""What is attacked: everything that one learner might want of another, of the lecturer and of the hub."""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.test_hub.story import Story

ROOT = Path(__file__).resolve().parent.parent.parent
EXCHANGE = Path("/srv/rflib-exchange/rflib")
INBOUND = EXCHANGE / "inbound"
NAMES = ("alice", "bob", "carol", "dave", "mallory")
VICTIM = "bob"
SHARED = Path("/tmp")


def before_grading(story: Story) -> list[list[Any]]:
    """Files, folders, sockets and processes, while everybody's server and kernel run."""
    return [*private_files(), *shared_files(), *processes(), *network(story)]


def private_files() -> list[list[Any]]:
    """What belongs to the victim, the lecturer and root, by its exact name."""
    home = Path(pwd.getpwnam(VICTIM).pw_dir)
    handed_in = own_hand_in(VICTIM)
    own = [home, home / "lessons", home / "lessons" / "00_start_here.ipynb", *home.glob(".jupyter-run/*.json")]
    own += [handed_in, handed_in / "01_definition.ipynb", handed_in / "submission_secret.txt", INBOUND]
    lecturers = ["solutions", "solutions/01_definition/01_definition.ipynb", "marking", "tests", ".git", ".git/history"]
    roots = ["/srv/rflib-hub", "/srv/rflib-hub/cookie_secret", "/srv/rflib-hub/hub.sqlite"]
    roots += ["/etc/rflib/class.csv", "/etc/rflib/passwords.csv", "/etc/shadow"]
    wanted = [*map(str, own), *(str(ROOT / name) for name in lecturers), *roots]
    tries: list[list[Any]] = [["read", path] for path in wanted]
    tries += [["write", str(path)] for path in (home, handed_in, handed_in / "01_definition.ipynb")]
    tries += [["remove", str(handed_in)], ["remove", str(handed_in / "01_definition.ipynb")]]
    tries += [["copy", str(ROOT / "solutions"), str(SHARED / "solutions")]]
    return [*tries, ["hard link", str(handed_in / "01_definition.ipynb"), str(SHARED / "linked")]]


def own_hand_in(name: str) -> Path:
    """What a learner handed in by nbgrader; Mallory has put folders of that name beside it."""
    return next(path for path in INBOUND.glob(f"{name}+*") if (path / "submission_secret.txt").is_file())


def shared_files() -> list[list[Any]]:
    """What all use and nobody may change, and the folders that everybody may write to."""
    places = [ROOT, ROOT / "rflib", ROOT / "rflib" / "arithmetic.py", ROOT / "lessons", ROOT / "hub" / "start.py"]
    places += [ROOT / "hub" / "jupyter", EXCHANGE, EXCHANGE.parent, EXCHANGE / "outbound", EXCHANGE / "feedback"]
    places += list(ROOT.glob(".venv-hub/lib/python3*/site-packages"))
    return [*(["write", str(path)] for path in places), ["strangers", str(ROOT)]]


def processes() -> list[list[Any]]:
    """The victim's processes, the hub's and the proxy's: their environments hold the tokens."""
    tries: list[list[Any]] = []
    secrets = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            owner = pwd.getpwuid(process.stat().st_uid).pw_name
            environment = (process / "environ").read_bytes().decode("latin-1").split("\0")
        except (OSError, KeyError):
            continue
        tokens = [line.partition("=")[2] for line in environment if re.match(r"[A-Z_]*(TOKEN|SECRET)=", line)]
        secrets += [token for token in tokens if token]
        if owner == VICTIM or tokens:
            if owner == "mallory":
                continue
            number = process.name
            tries += [["read", f"/proc/{number}/{name}"] for name in ("environ", "cwd", "fd", "maps", "mem")]
            tries += [["signal", int(number)]]
    return [*tries, ["commands", secrets]]


def network(story: Story) -> list[list[Any]]:
    """Every port on the loopback, the victim's sockets, and what the hub and the proxy answer without a token."""
    ports = {row.split()[9]: int(row.split()[1].rpartition(":")[2], 16) for row in listening()}
    tries: list[list[Any]] = [["listen", port] for port in sorted(set(ports.values()))]
    for port, name in servers(ports):
        if name != "mallory":
            server = f"http://127.0.0.1:{port}/user/{name}/api"
            tries += [["fetch", f"{server}/contents?content=1"], ["fetch", f"{server}/kernels"]]
    tries += [["fetch", "http://127.0.0.1:8001/api/routes"], ["fetch", "http://127.0.0.1:8081/hub/api/users"]]
    home = Path(pwd.getpwnam(VICTIM).pw_dir)
    return [*tries, *(["connect", str(path)] for path in home.glob(".jupyter-run/kernel-*-ipc-*"))]


def servers(ports: dict[str, int]) -> Iterator[tuple[int, str]]:
    """The port and the owner of every user's server, by the numbers of the sockets that it holds."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"jupyterhub.singleuser" in (process / "cmdline").read_bytes():
                held = {os.readlink(each)[8:-1] for each in (process / "fd").iterdir()}
                yield from (
                    (ports[number], pwd.getpwuid(process.stat().st_uid).pw_name) for number in held & set(ports)
                )
        except OSError:
            continue


def listening() -> list[str]:
    """Rows of /proc/net/tcp that wait for a connection."""
    rows = [row for name in ("tcp", "tcp6") for row in Path("/proc/net", name).read_text().splitlines()[1:]]
    return [row for row in rows if row.split()[3] == "0A"]


def false_hand_ins(exercise: str) -> list[list[Any]]:
    """Hand-ins that are not what they seem."""
    notebook, solution = f"{exercise}.ipynb", str(ROOT / "solutions" / exercise / f"{exercise}.ipynb")
    victim = own_hand_in(VICTIM)
    empty = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    late = "2099-01-01 00:00:00.000000 UTC"
    tries = {
        f"{VICTIM}+{exercise}+{late}+x": {notebook: empty},
        f"alice+{exercise}+{late}+x": {notebook: f"->{victim / notebook}"},
        f"mallory+{exercise}+{late}+link": {notebook: f"->{solution}"},
        f"mallory+{exercise}+{late}+other": {notebook: f"->{victim / notebook}"},
        f"mallory+{exercise}+{late}+pipe": {notebook: "|"},
        f"mallory+{exercise}+no time at all": {"other.ipynb": empty},
        f"root+{exercise}+{late}+x": {notebook: empty},
        f"\x1b[2J+{exercise}+x": {notebook: empty},
    }
    return [["hand in", name, str(INBOUND), content] for name, content in tries.items()]


def after_grading(story: Story) -> list[list[Any]]:
    """The pages of feedback, by their exact names, and what the lecturer has made."""
    pages = sorted((EXCHANGE / "feedback").glob("*.html"))
    story.told["modes"] = {
        str(path): oct(os.stat(path).st_mode & 0o7777) for path in [*pages, *map(own_hand_in, NAMES)]
    }
    others = [page for page in pages if "Mallory" not in page.read_text(encoding="utf-8")]
    marking = [ROOT / "marking", ROOT / "marking" / "gradebook.db", *(ROOT / "marking").glob("marks/*.csv")]
    wanted = [EXCHANGE / "feedback", *others, *marking]
    return [*(["read", str(path)] for path in wanted), *(["write", str(path)] for path in [*pages, *marking])]
