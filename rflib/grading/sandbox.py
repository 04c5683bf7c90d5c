"""The command that runs a kernel in bubblewrap: what it sees, what it may write, what it may not do."""

from __future__ import annotations

import functools
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rflib.errors import ReceptiveFieldError
from rflib.grading.limits import Limits

HERE = Path(__file__).resolve().parent
RFLIB = HERE.parent
HOME = "/home/learner"
COURSE = "/course"  # where rflib, or what stands in for it, is seen
RUN = "/run/kernel"
TEMPORARY = "/tmp"
SCRATCH = ("/dev/shm", TEMPORARY, HOME)  # in memory, of limited size: where a learner's code may write
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "timezone", "mime.types")
# Where the learner's Python may have an rflib of its own, with all that an exercise withholds.
INSTALLED = ("lib*/python3*/*-packages/rflib", "local/lib*/python3*/*-packages/rflib", "*-packages/rflib", "rflib")
FIRST_UID = 200_000  # users that no system gives to anybody


class SandboxError(ReceptiveFieldError, RuntimeError):
    """The sandbox cannot be made here."""


MISSING = (
    "Grading runs learners' code in a sandbox, and needs the program `bwrap` for it; it was not found. "
    "Install the package bubblewrap (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap). "
    "There is no bubblewrap for macOS or Windows: grade on Linux or in a Linux container or virtual machine."
)


@dataclass(frozen=True)
class Sandbox:
    """Where a kernel runs.

    Args:
        limits: How much it may take.
        library: Whether it sees rflib, or a package of that name that computes nothing.
        python: The learner's Python; by default the one that runs this.
        hidden: Folders and files that must not be seen even where they lie inside Python's own folders.
    """

    limits: Limits = field(default_factory=Limits)
    library: bool = True
    python: Path = Path(sys.executable)
    hidden: tuple[Path, ...] = ()

    def command(self, sockets: Path, connection: Path, calls: int) -> list[str]:
        """The command line of a kernel.

        Args:
            sockets: Folder on this side for the kernel's sockets; the one place outside that it can write to.
            connection: Its connection file on this side.
            calls: File descriptor from which bubblewrap reads the filter of system calls; -1 for none.

        Raises:
            SandboxError: If bubblewrap is missing.
        """
        uid = FIRST_UID + secrets.randbelow(1 << 30) if os.geteuid() == 0 else 0
        if uid:
            os.chown(sockets, uid, uid)
            os.chown(connection, uid, uid)
        limits = {"uid": uid, **self.limits.rlimits(0 if uid else counted_already())}
        kernel = [str(self.python), "-m", "ipykernel_launcher", "-f", f"{RUN}.json"]
        return [
            *self.walls(root=bool(uid)),
            *(["--seccomp", str(calls)] if calls >= 0 else []),
            *["--bind", str(sockets), RUN, "--ro-bind", str(connection), f"{RUN}.json"],
            *["--ro-bind", str(HERE / "inside.py"), f"{COURSE}/inside.py"],
            *["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME, "--"],
            *[str(self.python), "-I", f"{COURSE}/inside.py", json.dumps(limits)],
            *[*kernel, "--HistoryManager.enabled=False"],
        ]

    def walls(self, *, root: bool) -> list[str]:
        """The part of the command line that says what is seen."""
        user = (
            ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if root else ["--unshare-user"]
        )
        alone = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        return [
            *[bubblewrap(), *user, *alone, "--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv"],
            *(word for name, value in self.environment().items() for word in ("--setenv", name, value)),
            *["--proc", "/proc", "--dev", "/dev"],
            *[word for path in (HOME, f"{COURSE}/rflib", RUN) for word in passable(Path(path))],
            *(word for path in SCRATCH for word in self.scratch(path)),
            *self.system(),
            *self.packages(),
        ]

    def scratch(self, path: str) -> list[str]:
        """A folder in memory that may be written to, of limited size."""
        return ["--perms", "0777", "--size", str(self.limits.folder), "--tmpfs", path]

    def system(self) -> Iterator[str]:
        """The system's libraries, and what of /etc they look up."""
        yield from ["--ro-bind", "/usr", "/usr"]
        for name in SYSTEM:
            path = Path("/", name)
            if path.is_symlink():
                yield from ["--symlink", os.readlink(path), str(path)]
            elif path.is_dir():
                yield from ["--ro-bind", str(path), str(path)]
        for name in ETC:
            yield from ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]

    def packages(self) -> Iterator[str]:
        """Python's folders, then rflib under its own path; what is hidden lies under an empty folder."""
        folders = python_folders(self.python)
        for folder in folders:
            yield from [*passable(folder), "--ro-bind", str(folder), str(folder)]
        covers = list(self.covers(folders))
        for path in covers:
            yield from ["--tmpfs", str(path)]
        for folder in folders:
            if any(folder != path and folder.is_relative_to(path) for path in covers):  # .venv inside the project
                yield from [*passable(folder), "--ro-bind", str(folder), str(folder)]
        for path in covers:
            yield from ["--remount-ro", str(path)]
        yield from self.course()

    def covers(self, folders: Sequence[Path]) -> Iterator[Path]:
        """What must not be seen and lies in a folder that is: the outermost folders of it."""
        shown = [Path("/usr"), *folders]
        last: Path | None = None
        others = {path for folder in shown for pattern in INSTALLED for path in folder.glob(pattern)}
        for path in sorted({RFLIB.parent, RFLIB, *others, *self.hidden}):
            inside = path.is_dir() and any(path.is_relative_to(folder) for folder in shown)
            if inside and path not in folders and not (last and path.is_relative_to(last)):
                last = path
                yield path

    def course(self) -> Iterator[str]:
        """What `import rflib` finds: no judge and no truth either way."""
        rflib = f"{COURSE}/rflib"
        if self.library:
            yield from ["--ro-bind", str(RFLIB), rflib, "--tmpfs", f"{rflib}/grading", "--tmpfs", f"{rflib}/checks"]
        else:
            yield from passable(Path(rflib, "checks", "__init__.py"))
            yield from ["--ro-bind", str(HERE / "withheld.py"), f"{rflib}/__init__.py"]
        yield from ["--ro-bind", str(HERE / "inert_checks.py"), f"{rflib}/checks/__init__.py"]
        for name in ("plain.py", "preparing.py"):
            yield from ["--ro-bind", str(RFLIB / "checks" / name), f"{rflib}/checks/{name}"]

    def environment(self) -> dict[str, str]:
        """The kernel's environment; nothing of this process's own."""
        return {
            "HOME": HOME,
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": COURSE,
            "PYTHONDONTWRITEBYTECODE": "1",
            "IPYTHONDIR": f"{TEMPORARY}/ipython",
            "MPLCONFIGDIR": f"{TEMPORARY}/matplotlib",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }


def bubblewrap() -> str:
    """The path of bubblewrap.

    Raises:
        SandboxError: If it is missing; the message says how to get it.
    """
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxError(MISSING)
    return path


def passable(path: Path) -> Iterator[str]:
    """Folders above a path that every user may go through; bubblewrap would make them root's alone."""
    for above in reversed(path.parents):
        if above != Path("/"):
            yield from ["--perms", "0755", "--dir", str(above)]


@functools.cache
def python_folders(python: Path) -> list[Path]:
    """The folders that a Python needs: its environment's, and those of the Python that the environment came from."""
    asked = "import sys, json; print(json.dumps([sys.prefix, sys.base_prefix, sys.executable, *sys.path]))"
    answered = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, check=True)
    prefix, base, executable, *path = json.loads(answered.stdout)
    needed = [Path(prefix), Path(base), Path(executable).resolve().parent, *map(Path, path)]
    shown: list[Path] = []
    for folder in sorted({each for each in needed if each.is_dir()}, key=lambda each: len(each.parts)):
        own_source = folder == RFLIB.parent  # an editable installation puts the project on the path
        if not own_source and not any(folder.is_relative_to(above) for above in [Path("/usr"), *shown]):
            shown.append(folder)
    return shown


def counted_already() -> int:
    """Processes of this user that its limit would count: since Linux 5.14 a user namespace counts its own only."""
    release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
    if release >= (5, 14):
        return 0
    return sum(len(os.listdir(path / "task")) for path in own_processes())


def own_processes() -> Sequence[Path]:
    """The folders in /proc of this user's processes."""
    return [path for path in Path("/proc").glob("[0-9]*") if path.exists() and path.stat().st_uid == os.getuid()]
