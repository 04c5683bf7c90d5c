"""The parts of jupyterhub_config.py, each in a function, so that tests can look at them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.settings import COURSE, VARIABLE, Settings, SettingsError

HERE = COURSE / "hub"
PROXY = HERE / "node_modules" / ".bin" / "configurable-http-proxy"
NODE = 20  # what configurable-http-proxy 5 asks for
FIRST_UID = 1000  # below are the accounts of the system itself
KERNEL_MEMORY = "RLIMIT_DATA"  # what a process writes to; the gigabytes that torch reserves and never touches are free


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone can look into."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def hub(c: Any, settings: Settings) -> None:
    """Where the hub and its proxy listen, and where they keep what they know."""
    c.JupyterHub.bind_url = settings.bind
    c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = settings.tls_key, settings.tls_certificate
    c.JupyterHub.subdomain_host = settings.subdomain_host
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_port}"
    c.ConfigurableHTTPProxy.command = [str(PROXY)]
    c.ConfigurableHTTPProxy.pid_file = str(settings.state / "proxy.pid")
    c.JupyterHub.db_url = f"sqlite:///{settings.state / 'hub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(settings.state / "cookie_secret")
    c.JupyterHub.cookie_max_age_days = 1  # a lesson's day: who leaves the class list is out on the next
    c.JupyterHub.template_vars = {"announcement_login": "Log in with your account of this class."}


def login(c: Any, settings: Settings) -> None:
    """Who may log in: the accounts of this machine that the class list names. No account is made by logging in."""
    c.JupyterHub.authenticator_class = "jupyterhub.auth.PAMAuthenticator"
    c.Authenticator.allowed_users = settings.allowed()
    # JupyterHub would let in everybody whom it has once known, also when the class list does not name them any more.
    c.Authenticator.allow_existing_users = False
    c.LocalAuthenticator.create_system_users = False


def servers(c: Any, settings: Settings) -> None:
    """How each user's server starts: as their account, with the lessons in their home folder."""
    c.Spawner.cmd = [sys.executable, str(HERE / "start.py")]
    c.Spawner.ip = "127.0.0.1"
    c.Spawner.start_timeout = 180
    c.Spawner.http_timeout = 120
    c.Spawner.environment = environment()
    c.Spawner.env_keep = ["LANG", "LC_ALL"]
    c.Spawner.pre_spawn_hook = lambda spawner: before_start(spawner, settings)


def environment() -> dict[str, Any]:
    """What a user's server finds in its environment; nothing of root's own."""
    learners = COURSE / ".venv"
    learners = learners if learners.is_dir() else Path(sys.prefix)  # an environment of one's own has everything in it
    config = [HERE / "jupyter", COURSE / "tools" / "jupyter", learners / "etc" / "jupyter"]
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "JUPYTER_CONFIG_PATH": os.pathsep.join(map(str, config)),
        "JUPYTER_PATH": os.pathsep.join(map(str, [HERE / "jupyter", learners / "share" / "jupyter"])),
        "JUPYTERLAB_DIR": str(learners / "share" / "jupyter" / "lab"),
        # One thread each: thirty users with as many threads as processors would only wait for each other.
        "OMP_NUM_THREADS": "1",
        **({VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}),
    }


def before_start(spawner: Any, settings: Settings) -> None:
    """Look once more whether this user may have a server; the lecturer's is told apart.

    Raises:
        SettingsError: If the class list does not name the user any more, or the account is one of the system's.
    """
    name = spawner.user.name
    if name not in settings.allowed():
        raise SettingsError(f"'{name}' is not in the class list any more.")
    account = pwd.getpwnam(name)
    if account.pw_uid < FIRST_UID:
        raise SettingsError(f"'{name}' is an account of the system itself and gets no server.")
    if name == settings.lecturer:
        spawner.notebook_dir = "/"  # home, and the course with its marking, which nbgrader's Formgrader shows
        spawner.default_url = f"/lab/tree{account.pw_dir}/lessons/00_start_here.ipynb"
        spawner.mem_limit = settings.lecturer_memory << 20
        config = [spawner.environment["JUPYTER_CONFIG_PATH"], str(COURSE)]  # with the course's nbgrader_config.py
        spawner.environment = {**spawner.environment, "JUPYTER_CONFIG_PATH": os.pathsep.join(config)}
    else:
        spawner.notebook_dir = account.pw_dir
        spawner.default_url = "/lab/tree/lessons/00_start_here.ipynb"
        spawner.mem_limit = settings.memory << 20
        learner = str(HERE / "jupyter" / "learner")
        spawner.environment = {
            **spawner.environment,
            "JUPYTER_CONFIG_PATH": os.pathsep.join([learner, spawner.environment["JUPYTER_CONFIG_PATH"]]),
        }


def limits(c: Any, settings: Settings, *, systemd: bool) -> Iterator[str]:
    """Choose who keeps the limits, and say it: systemd where it runs, else the limits of a process.

    Args:
        c: JupyterHub's configuration.
        settings: Of the class.
        systemd: Whether it runs here.
    """
    if not settings.tls_key:
        yield f"no TLS: the hub answers on 127.0.0.1:{settings.port} alone, for a web server that has a certificate."
    if systemd:
        c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
        c.Spawner.cpu_limit = settings.cpu
        c.SystemdSpawner.isolate_tmp = True
        c.SystemdSpawner.isolate_devices = True
        c.SystemdSpawner.disable_user_sudo = True
        c.SystemdSpawner.unit_extra_properties = {"TasksMax": str(settings.processes), "UMask": "0077"}
        c.JupyterHub.cleanup_servers = False  # they are units of their own: a restart of the hub leaves them alone
        yield (
            f"systemd keeps the limits of a user: {settings.memory} MB, {settings.cpu:g} processors, "
            f"{settings.processes} processes."
        )
        return
    c.JupyterHub.spawner_class = "hub.spawner.LimitedSpawner"
    c.LimitedSpawner.processes = settings.processes
    yield (
        f"no systemd here: {settings.memory} MB is the limit of each PROCESS of a user, not of all of them together; "
        f"{settings.processes} processes is the limit of a user; nothing limits processors."
    )


def culling(c: Any, settings: Settings) -> None:
    """A service that stops the servers which nobody uses; it may do that and no more."""
    seconds = settings.idle_minutes * 60
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={seconds}"]
    c.JupyterHub.services = [{"name": "idle-culler", "command": command, "cwd": "/"}]
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    c.JupyterHub.load_roles = [{"name": "idle-culler", "scopes": scopes, "services": ["idle-culler"]}]


def lacking() -> Iterator[str]:
    """A line for each thing without which the hub cannot start."""
    node = shutil.which("node") or shutil.which("nodejs")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else ""
    if not said or int(said.lstrip("v").split(".")[0]) < NODE:
        yield f"The proxy needs Node.js {NODE} or later; found {said.strip() or 'none'}. hub/README.md says where from."
    if not PROXY.exists():
        yield f"The proxy is not installed ({PROXY} is missing): run `make hub`, which asks npm for it."
