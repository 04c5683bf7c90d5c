"""What a learner tries on the machine of the class. Runs as that learner; says for each try what came of it.

Reads from its input, as JSON, what a well-informed attacker might know: names, paths, process ids, ports. What it got
hold of is reported as "GOT ..."; whatever else it says, it was kept out.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq


def attempt(action: Callable[[], str]) -> str:
    try:
        return f"GOT {action()[:200]!r}"
    except (OSError, urllib.error.URLError) as error:
        return f"{type(error).__name__}: {error}"


def read(path: str) -> str:
    if os.path.isdir(path):
        return " ".join(os.listdir(path)) or "an empty folder"
    with open(path, "rb") as file:
        return file.read(200).decode("latin-1")


def write(path: str) -> str:
    if os.path.isdir(path):
        path = os.path.join(path, "planted")
    with open(path, "a") as file:
        file.write("planted")
    return f"written to {path}"


def remove(path: str) -> str:
    if os.path.isdir(path):
        os.rename(path, f"{path}.gone")
        return f"{path} has another name"
    os.remove(path)
    return f"{path} is removed"


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=3) as answer:
        text = answer.read().decode("utf-8", "replace")
    if "/hub/login" in answer.url or "/hub/oauth_login" in answer.url:
        raise OSError(f"asked to log in at {answer.url[:60]}")
    return text


def listen(port: int) -> str:
    """Subscribe to everything that is said on a port, as a notebook's own front end does, and hear whether it is."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.setsockopt(zmq.RCVTIMEO, 700)  # milliseconds
        subscriber.subscribe(b"")
        subscriber.connect(f"tcp://127.0.0.1:{port}")
        try:
            return f"a message: {subscriber.recv_multipart()!r}"
        except zmq.Again:
            raise ConnectionError("nothing was said") from None


def connect(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        return f"connected to {path}"


def strangers(course: str) -> str:
    """Files of others in the folders that all share, which can be read; the course's own are for all to read."""
    found = []
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock"):
        for path, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if os.path.join(path, name) != course]
            for name in names:
                whole = os.path.join(path, name)
                if os.lstat(whole).st_uid != os.getuid() and os.access(whole, os.R_OK) and os.path.isfile(whole):
                    found.append(whole)
    if not found:
        raise FileNotFoundError("nothing of anybody's")
    return " ".join(found)


def commands(secrets: list[str]) -> str:
    """What the command lines of all processes give away."""
    seen = [Path(path).read_bytes().decode("latin-1") for path in glob.glob("/proc/[0-9]*/cmdline") if alive(path)]
    given = [secret for secret in secrets if any(secret in line for line in seen)]
    if not given:
        raise PermissionError(f"{len(seen)} command lines, and no secret in them")
    return f"{len(given)} secrets"


def alive(path: str) -> bool:
    return os.path.exists(path)


def hand_in(name: str, inbound: str, content: dict[str, str]) -> str:
    """Put a folder among the hand-ins; what begins with -> is a link."""
    folder = os.path.join(inbound, name)
    os.mkdir(folder, 0o777)
    os.chmod(folder, 0o777)
    for file, text in content.items():
        path = os.path.join(folder, file)
        if text == "|":
            os.mkfifo(path)
        elif text.startswith("->"):
            os.symlink(text[2:], path)
        else:
            Path(path).write_text(text)
    raise PermissionError("it lies there; whether it is taken is the collector's")


ACTIONS: dict[str, Callable[..., str]] = {
    "read": read,
    "write": write,
    "remove": remove,
    "fetch": fetch,
    "listen": listen,
    "connect": connect,
    "strangers": strangers,
    "commands": commands,
    "hand in": hand_in,
    "signal": lambda pid: os.kill(pid, 0) or f"process {pid} can be signaled",  # type: ignore[func-returns-value]
    "copy": lambda path, to: str(shutil.copytree(path, to)),
    "hard link": lambda path, to: os.link(path, to) or f"{to} is {path}",  # type: ignore[func-returns-value]
}


def main() -> None:
    wanted: list[list[Any]] = json.load(sys.stdin)
    said = []
    for action, *arguments in wanted:
        said.append([f"{action} {arguments[0] if arguments else ''}", attempt(lambda: ACTIONS[action](*arguments))])  # noqa: B023
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
