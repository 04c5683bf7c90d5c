"""A machine of its own for a class: accounts, homes, processes and network that end with the process that began it.

`python world.py story` starts anew in private namespaces of mounts, processes and network, lays folders in memory over
everything that an installation changes, /etc and the homes among them, puts a copy of the course in the place of the
course, and then runs the story. The machine's own files are never written to. Needs root.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INSIDE = "RFLIB_HUB_WORLD"
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--net", "--ipc", "--mount-proc", "--kill-child"]
COPIED = "lessons exercises solutions rflib hub tools tests".split()
STAGE = Path("/mnt")


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def in_memory(path: Path, mode: str = "755") -> None:
    """An empty folder in memory over a folder."""
    mount("-t", "tmpfs", "-o", f"mode={mode}", "rflib-test", path)


def environments() -> list[Path]:
    """The folders of Python: the environments beside the course, this one, and the Python that they came from."""
    beside = [path for path in ROOT.glob(".venv*") if path.is_dir()]
    return sorted({*beside, Path(sys.prefix), Path(sys.base_prefix)})


def programs() -> list[Path]:
    """The folders of the programs that do not lie where every user finds them."""
    found = [Path(path).resolve().parent for name in ("node", "bwrap", "chromium") if (path := shutil.which(name))]
    return [path for path in found if not path.is_relative_to("/usr")]


def closed(path: Path) -> Iterator[Path]:
    """The outermost folder above a path that not every user may go through."""
    above = [each for each in reversed(path.parents) if not each.stat().st_mode & 1]
    yield from above[:1]


def build() -> None:
    """Lay everything over, with what is needed brought back into its place."""
    needed = [path for path in {*environments(), *programs()} if not path.is_relative_to("/usr")]
    outermost = [path for path in needed if not any(path != other and path.is_relative_to(other) for other in needed)]
    in_memory(STAGE)
    (STAGE / "course").mkdir()
    mount("--rbind", ROOT, STAGE / "course")
    for number, path in enumerate(outermost):
        (STAGE / str(number)).mkdir()
        mount("--bind", path, STAGE / str(number))
    shutil.copytree("/etc", STAGE / "etc", symlinks=True)
    shared = {path for path in map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")) if path.is_dir()}
    covered = {Path("/home"), Path("/srv"), *shared}
    covered |= {each for path in [ROOT, *outermost] for each in closed(path)}
    for path in covered:
        in_memory(path, "1777" if path in shared else "755")
    mount("--bind", STAGE / "etc", "/etc")
    if Path("/run/systemd").is_dir():
        in_memory(Path("/run/systemd"))  # the machine's systemd must not be asked to start anything
    ROOT.mkdir(parents=True, exist_ok=True)
    in_memory(ROOT)
    for name in COPIED:
        shutil.copytree(STAGE / "course" / name, ROOT / name, symlinks=True)
    shutil.copy2(STAGE / "course" / "nbgrader_config.py", ROOT)
    (ROOT / ".git").mkdir()
    (ROOT / ".git" / "history").write_text("what the solutions were\n")
    for number, path in enumerate(outermost):
        path.mkdir(parents=True, exist_ok=True)
        mount("--bind", "-o", "ro", STAGE / str(number), path)
    mount("-t", "tmpfs", "-o", "mode=700", "rflib-test", STAGE / "course")


def loopback() -> None:
    """Switch on the one interface of the private network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh14x", b"lo", 1)
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS, IFF_UP


def enter(story: str) -> None:
    """Start this file anew in namespaces of its own, and become it."""
    os.environ[INSIDE] = "1"
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, __file__, story])


def reap(child: int) -> int:
    """What the first process of a system is for: end those whose parents have ended. The child's exit code."""
    while True:
        number, status = os.wait()
        if number == child:
            return os.waitstatus_to_exitcode(status)


def main(story: str) -> None:
    if not os.environ.pop(INSIDE, ""):
        enter(story)
    if child := os.fork():
        sys.exit(reap(child))
    os.chdir("/")
    os.umask(0o022)
    build()
    loopback()
    sys.path[0] = str(ROOT)
    importlib.import_module(f"tests.test_hub.{story}").tell()


if __name__ == "__main__":
    main(sys.argv[1])
