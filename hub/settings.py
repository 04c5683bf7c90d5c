"""What differs from class to class: a file of a few lines, by default /etc/rflib/hub.toml, and the class list."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

COURSE = Path(__file__).resolve().parent.parent
FILE = Path("/etc/rflib/hub.toml")
MORE = Path("/etc/rflib/jupyterhub_config.py")  # what an administrator adds to JupyterHub's configuration
VARIABLE = "RFLIB_HUB_SETTINGS"  # names another file
LEARNERS, LECTURERS = "rflib-learners", "rflib-lecturers"  # groups of the system
COURSE_ID = "rflib"  # nbgrader's name for the course
MB = 1 << 20

# What useradd takes on Debian. A name also becomes a part of addresses and of nbgrader's file names, which + splits.
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")


class SettingsError(ValueError):
    """A settings file or a class list that cannot be used."""


@dataclass(frozen=True)
class Learner:
    """A row of the class list."""

    id: str
    name: str


@dataclass(frozen=True)
class Settings:
    """What differs from one class to the next.

    Args:
        lecturer: The account that owns the solutions, the marking and the exchange.
        class_list: CSV with the columns `id`, the account's name, and `name`.
        state: Folder of the hub's database and secrets.
        exchange: Folder through which exercises go out and come back.
        port: Where people reach the hub.
        tls_certificate: With `tls_key`: the hub answers https on every interface.
        tls_key: Without the two it answers on this machine alone, to a web server that has the certificate.
        subdomain_host: Such as "https://hub.school.example": each user's server gets a host name of its own.
        memory: MB for one user.
        lecturer_memory: MB for the lecturer, whose account grades.
        cpu: Processors for one user, where systemd keeps the limit.
        processes: Processes and threads for one user.
        idle_minutes: Until a server that nobody uses is stopped.
        hub_port, proxy_port: On the loopback, for the hub's own parts.
    """

    lecturer: str = "lecturer"
    class_list: Path = Path("/etc/rflib/class.csv")
    state: Path = Path("/srv/rflib-hub")
    exchange: Path = Path("/srv/rflib-exchange")
    port: int = 8000
    tls_certificate: str = ""
    tls_key: str = ""
    subdomain_host: str = ""
    memory: int = 2048
    lecturer_memory: int = 8192
    cpu: float = 1.0
    processes: int = 256
    idle_minutes: int = 60
    hub_port: int = 8081
    proxy_port: int = 8001

    @property
    def bind(self) -> str:
        """Where people reach the hub: every interface with TLS, this machine alone without."""
        return f"https://:{self.port}" if self.tls_key else f"http://127.0.0.1:{self.port}"

    @property
    def course_exchange(self) -> Path:
        """The course's folder in the exchange."""
        return self.exchange / COURSE_ID

    def learners(self) -> list[Learner]:
        """The class list as it is now.

        Raises:
            SettingsError: If it cannot be read or names an account that no learner may have.
        """
        try:
            with self.class_list.open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise SettingsError(f"The class list '{self.class_list}' cannot be read: {error.strerror}.") from error
        found = [Learner((row.get("id") or "").strip(), (row.get("name") or "").strip()) for row in rows]
        for number, learner in enumerate(found, start=2):
            _check(learner.id, self.lecturer, f"row {number} of '{self.class_list}'")
        if len({learner.id for learner in found}) < len(found):
            raise SettingsError(f"The class list '{self.class_list}' names somebody twice.")
        return found

    def allowed(self) -> set[str]:
        """Who may log in: the class and the lecturer."""
        return {self.lecturer, *(learner.id for learner in self.learners())}


def _check(id: str, lecturer: str, where: str) -> None:
    if not NAME.fullmatch(id):
        raise SettingsError(
            f"The id in {where} must be an account's name, small letters, digits, - and _, at most 31; got {id!r}. "
            "The first line of the file must be: id,name"
        )
    if id == lecturer:
        raise SettingsError(f"The id in {where} is the lecturer's, {id!r}; a learner needs an account of their own.")


def chosen() -> Path:
    """The file that RFLIB_HUB_SETTINGS names, else /etc/rflib/hub.toml."""
    return Path(os.environ.get(VARIABLE) or FILE)


def load(path: Path | None = None) -> Settings:
    """Read the settings; without a file, all of them are as they stand above.

    Args:
        path: The file; by default the one that RFLIB_HUB_SETTINGS names, else /etc/rflib/hub.toml.

    Raises:
        SettingsError: If a line of the file is not understood.
    """
    named = path is not None or bool(os.environ.get(VARIABLE))
    path = path or chosen()
    if not named and not path.is_file():
        return Settings()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings '{path}' cannot be read: {error}.") from error
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    made = Settings(**{name: _value(name, value, kinds, path) for name, value in found.items()})
    if bool(made.tls_key) != bool(made.tls_certificate):
        raise SettingsError(f"'{path}' names one of tls_key and tls_certificate; TLS needs both.")
    return made


def _value(name: str, value: Any, kinds: dict[str, type], path: Path) -> Any:
    if name not in kinds:
        raise SettingsError(f"'{path}' sets '{name}', which is none of {', '.join(kinds)}.")
    kind = kinds[name]
    given = (int, float) if kind is float else str if issubclass(kind, Path) else kind
    if not isinstance(value, given) or isinstance(value, bool):
        raise SettingsError(f"'{name}' in '{path}' must be {'text' if given is str else 'a number'}; got {value!r}.")
    if isinstance(value, int | float) and value <= 0:
        raise SettingsError(f"'{name}' in '{path}' must be more than 0; got {value!r}.")
    return kind(value)
