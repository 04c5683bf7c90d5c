"""Start a user's server, as that user: private folders, the lessons, then JupyterLab. The hub calls it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(COURSE))

from hub import lessons  # noqa: E402 - found by the line above


def prepare(home: Path, environment: dict[str, str]) -> None:
    """Make the folders, bring the lessons, and add to the environment what depends on the home folder.

    Args:
        home: The user's.
        environment: Of the server.
    """
    os.umask(0o077)
    # Short, since a socket's path has at most 107 characters; in the home folder, since its folder is the lock.
    folders = {"JUPYTER_RUNTIME_DIR": home / ".jupyter-run", "TMPDIR": home / ".cache" / "tmp"}
    try:
        for folder in [home / "exercises", *folders.values()]:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lessons.bring_home(home)
    except OSError as error:  # a full disk: a server without new lessons is better than none
        print(f"rflib: the lessons could not be brought to '{home}': {error}", file=sys.stderr)
    environment.update({name: str(path) for name, path in folders.items()})


if __name__ == "__main__":
    prepare(Path.home(), os.environ)  # type: ignore[arg-type]
    os.chdir(Path.home())
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])
