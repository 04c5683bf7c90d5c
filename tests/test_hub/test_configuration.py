"""The production configuration, loaded as JupyterHub loads it: who may log in, what listens where, who keeps limits."""

from __future__ import annotations

import os
import pwd
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config, PyFileConfigLoader

from hub import configuration, settings, spawner
from hub.settings import Settings, SettingsError

HUB = Path(configuration.__file__).parent
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load jupyterhub_config.py with a class of two, and more lines of settings."""

    def loaded(more: str = "", systemd: bool = False) -> Config:
        (tmp_path / "class.csv").write_text("id,name\nann,Ann\nbea,Bea\n")
        lines = f'class_list = "{tmp_path}/class.csv"\nstate = "{tmp_path}/state"\n{more}'
        (tmp_path / "hub.toml").write_text(lines)
        monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "hub.toml"))
        monkeypatch.setattr(configuration, "lacking", lambda: [])
        monkeypatch.setattr(settings, "MORE", tmp_path / "jupyterhub_config.py")
        is_dir = Path.is_dir
        monkeypatch.setattr(Path, "is_dir", lambda self: systemd if "/run/systemd" in str(self) else is_dir(self))
        before = os.umask(0o022)
        try:
            return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()
        finally:
            os.umask(before)

    return loaded


# Who may log in


def test_accounts_of_the_machine_that_the_class_list_names(load: Load) -> None:
    found = load()
    assert found.JupyterHub.authenticator_class == "jupyterhub.auth.PAMAuthenticator"
    assert found.Authenticator.allowed_users == {"ann", "bea", "lecturer"}


def test_nobody_is_let_in_for_having_been_in(load: Load) -> None:
    from jupyterhub.auth import PAMAuthenticator

    made = PAMAuthenticator(config=load())
    assert made.allow_existing_users is False
    assert made.allow_all is False
    assert made.create_system_users is False
    assert not made.admin_users


def test_no_dummy_and_nobody_without_a_password_in_any_file_of_the_hub() -> None:
    for path in HUB.glob("*.py"):
        assert not re.search("dummy|NullAuthenticator|allow_all = True", path.read_text(encoding="utf-8"), re.I), path


# What an administrator adds


def test_the_administrators_file_has_the_last_word_and_may_add(load: Load, tmp_path: Path, capsys: Any) -> None:
    lines = 'c.JupyterHub.authenticator_class = "github"\nc.JupyterHub.services.append({"name": "own"})\n'
    (tmp_path / "jupyterhub_config.py").write_text(lines)
    found = load()
    assert found.JupyterHub.authenticator_class == "github"
    assert [service["name"] for service in found.JupyterHub.services] == ["idle-culler", "own"]
    assert found.Authenticator.allowed_users == {"ann", "bea", "lecturer"}
    assert f"{tmp_path}/jupyterhub_config.py is read too" in capsys.readouterr().err


def test_a_mistake_in_the_administrators_file_stops_the_hub(load: Load, tmp_path: Path) -> None:
    (tmp_path / "jupyterhub_config.py").write_text("c.JupyterHub.port = = 1\n")
    with pytest.raises(SyntaxError, match="invalid syntax"):
        load()


def test_the_administrators_file_is_where_the_guide_says() -> None:
    assert f"`{settings.MORE}`" in (HUB / "README.md").read_text(encoding="utf-8")


# What listens


def test_without_tls_only_this_machine_is_answered_and_it_is_said(load: Load, capsys: Any) -> None:
    found = load()
    assert found.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert "no TLS: the hub answers on 127.0.0.1:8000 alone" in capsys.readouterr().err


def test_with_tls_everybody_is_answered(load: Load, capsys: Any) -> None:
    found = load('port = 443\ntls_key = "/etc/k.pem"\ntls_certificate = "/etc/c.pem"\n')
    assert found.JupyterHub.bind_url == "https://:443"
    assert (found.JupyterHub.ssl_key, found.JupyterHub.ssl_cert) == ("/etc/k.pem", "/etc/c.pem")
    assert "no TLS" not in capsys.readouterr().err


def test_the_parts_of_the_hub_talk_on_the_loopback(load: Load) -> None:
    found = load()
    addresses = [found.JupyterHub.hub_bind_url, found.ConfigurableHTTPProxy.api_url, f"http://{found.Spawner.ip}:1"]
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)


# Modes


def test_secrets_lie_in_a_folder_that_root_alone_can_look_into(load: Load, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    found = load()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    kept = [found.JupyterHub.cookie_secret_file, found.ConfigurableHTTPProxy.pid_file]
    assert all(Path(path).parent == tmp_path / "state" for path in kept)
    assert found.JupyterHub.db_url == f"sqlite:///{tmp_path}/state/hub.sqlite"


def test_what_the_hub_and_the_servers_write_is_private() -> None:
    assert "os.umask(0o077)" in (HUB / "jupyterhub_config.py").read_text(encoding="utf-8")


# Servers and their limits


def test_systemd_keeps_the_limits_where_it_runs(load: Load, capsys: Any) -> None:
    found = load("cpu = 0.5\n", systemd=True)
    assert found.JupyterHub.spawner_class == "systemdspawner.SystemdSpawner"
    assert found.Spawner.cpu_limit == 0.5
    assert found.SystemdSpawner.isolate_tmp is True
    assert found.SystemdSpawner.unit_extra_properties == {"TasksMax": "256", "UMask": "0077"}
    assert found.JupyterHub.cleanup_servers is False
    assert "systemd keeps the limits of a user: 2048 MB, 0.5 processors" in capsys.readouterr().err


def test_elsewhere_processes_are_limited_and_it_is_said(load: Load, capsys: Any) -> None:
    found = load("processes = 99\n")
    assert found.JupyterHub.spawner_class == "hub.spawner.LimitedSpawner"
    assert found.LimitedSpawner.processes == 99
    assert "2048 MB is the limit of each PROCESS of a user" in capsys.readouterr().err


def test_the_names_that_the_configuration_sets_exist(load: Load) -> None:
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import PAMAuthenticator
    from jupyterhub.proxy import ConfigurableHTTPProxy
    from systemdspawner import SystemdSpawner

    classes = [JupyterHub, PAMAuthenticator, ConfigurableHTTPProxy, SystemdSpawner, spawner.LimitedSpawner]
    for found in (load(), load(systemd=True)):
        for name, values in found.items():
            known = {trait for each in classes for c in each.mro() if c.__name__ == name for trait in c.class_traits()}
            assert set(values) <= known, name


def test_the_limits_of_a_process_are_set_after_the_change_of_user(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(spawner.LocalProcessSpawner, "make_preexec_fn", lambda self, name: lambda: done.append(name))
    monkeypatch.setattr(spawner.resource, "setrlimit", lambda which, value: done.append((which, value)))
    made = spawner.LimitedSpawner(mem_limit=1 << 30, processes=50)
    made.make_preexec_fn("ann")()
    limits = spawner.resource
    assert done[0] == "ann"
    assert set(done[1:]) == {
        (limits.RLIMIT_NPROC, (50, 50)),
        (limits.RLIMIT_CORE, (0, 0)),
        (limits.RLIMIT_DATA, (1 << 30, 1 << 30)),
    }


def test_servers_that_nobody_uses_are_stopped_by_a_service_that_may_do_no_more(load: Load) -> None:
    found = load("idle_minutes = 20\n")
    (service,), (role,) = found.JupyterHub.services, found.JupyterHub.load_roles
    assert service["command"][1:] == ["-m", "jupyterhub_idle_culler", "--timeout=1200"]
    assert role["services"] == [service["name"]]
    assert set(role["scopes"]) == {"list:users", "read:users:activity", "read:servers", "delete:servers"}
    assert "admin" not in service


def before_start(name: str, uid: int, monkeypatch: pytest.MonkeyPatch, load: Load) -> Any:
    load()
    account = SimpleNamespace(pw_uid=uid, pw_dir=f"/home/{name}")
    monkeypatch.setattr(pwd, "getpwnam", lambda asked: account)
    made = SimpleNamespace(user=SimpleNamespace(name=name), environment=configuration.environment())
    configuration.before_start(made, settings.load())
    return made


def test_a_learner_gets_the_home_folder_and_no_formgrader(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    made = before_start("ann", 1005, monkeypatch, load)
    assert (made.notebook_dir, made.mem_limit) == ("/home/ann", 2048 << 20)
    assert made.environment["JUPYTER_CONFIG_PATH"].startswith(f"{HUB}/jupyter/learner:{HUB}/jupyter:")
    assert made.environment["JUPYTER_CONFIG_PATH"].split(":")[2].endswith("tools/jupyter")


def test_the_lecturer_gets_the_course_and_more_memory(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    made = before_start("lecturer", 1001, monkeypatch, load)
    assert (made.notebook_dir, made.mem_limit) == ("/", 8192 << 20)
    assert "learner" not in made.environment["JUPYTER_CONFIG_PATH"]
    assert made.environment["JUPYTER_CONFIG_PATH"].endswith(f":{settings.COURSE}")


@pytest.mark.parametrize(("name", "uid", "said"), [("zoe", 1009, "not in the class list"), ("ann", 8, "system itself")])
def test_who_may_not_have_a_server_gets_none(
    load: Load, monkeypatch: pytest.MonkeyPatch, name: str, uid: int, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        before_start(name, uid, monkeypatch, load)


def test_a_server_inherits_nothing_of_roots_own_environment(load: Load) -> None:
    found = load()
    assert found.Spawner.env_keep == ["LANG", "LC_ALL"]
    assert "/root" not in found.Spawner.environment["PATH"]


# Pinned


def test_versions_are_pinned_and_the_extra_reads_the_list() -> None:
    import json

    packages = json.loads((HUB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages == {"configurable-http-proxy": "5.3.0"}
    lines = (settings.COURSE / "requirements-hub.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", line) for line in pins)
    assert "jupyterhub==6.1.1" in pins
    project = tomllib.loads((settings.COURSE / "pyproject.toml").read_text(encoding="utf-8"))
    extra = project["tool"]["setuptools"]["dynamic"]["optional-dependencies"]["hub"]
    assert extra == {"file": ["requirements-hub.txt"]}


def test_a_hub_that_cannot_start_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "PROXY", tmp_path / "proxy")
    monkeypatch.setattr(configuration.shutil, "which", lambda name: None)
    assert [line.split(";")[0].split("(")[0].strip() for line in configuration.lacking()] == [
        "The proxy needs Node.js 20 or later",
        "The proxy is not installed",
    ]


def test_settings_have_sane_values_by_themselves() -> None:
    assert Settings().bind == "http://127.0.0.1:8000"
