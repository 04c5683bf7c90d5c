"""The service, as hub/README.md installs it, and a terminal in JupyterLab."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from traitlets.config import PyFileConfigLoader

from hub.settings import COURSE

README = (COURSE / "hub" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """The unit file that the guide's own command writes."""
    (command,) = re.findall(r"^ +(sed .*) > /etc/systemd/system/rflib-hub\.service$", README, re.MULTILINE)
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "rflib-hub.service").write_bytes((COURSE / "hub" / "rflib-hub.service").read_bytes())
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    return done.stdout.replace(str(tmp_path), str(COURSE))


def read(unit: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit)
    return parser["Service"]


def test_the_guides_command_puts_the_course_everywhere(unit: str) -> None:
    assert "COURSE" not in unit
    service = read(unit)
    assert service["WorkingDirectory"] == str(COURSE)
    python, *_, config = shlex.split(service["ExecStart"])
    assert python == f"{COURSE}/.venv-hub/bin/python"
    assert Path(config) == COURSE / "hub" / "jupyterhub_config.py"
    assert Path(config).is_file()


def test_the_environment_is_the_one_that_make_hub_makes(unit: str) -> None:
    python = Path(shlex.split(read(unit)["ExecStart"])[0])
    assert f"{python.relative_to(COURSE).parts[0]}" in (COURSE / "Makefile").read_text(encoding="utf-8")


def test_secrets_come_from_a_file_that_root_alone_reads_and_may_be_missing(unit: str) -> None:
    service = read(unit)
    assert service["EnvironmentFile"] == "-/etc/rflib/secrets.env"
    assert "Environment" not in service
    assert "install -m 600 /dev/null /etc/rflib/secrets.env" in README


def test_the_guide_names_the_hubs_own_python_in_every_command() -> None:
    assert re.findall(r"(\S*)python -m hub\b", README)
    assert set(re.findall(r"(\S*)python -m hub\b", README)) <= {".venv-hub/bin/", "`.venv-hub/bin/"}


def test_a_terminal_keeps_the_path_on_which_nbgrader_is() -> None:
    """A login shell (-l), which a server without a terminal of its own starts by itself, would set PATH anew."""
    from jupyter_server.serverapp import ServerApp
    from jupyter_server_terminals.app import TerminalsExtensionApp

    config = PyFileConfigLoader("jupyter_server_config.py", path=str(COURSE / "hub" / "jupyter")).load_config()
    terminals = TerminalsExtensionApp()
    terminals.serverapp = ServerApp(config=config)
    terminals.initialize_configurables()
    assert terminals.terminal_manager.shell_command == ["/bin/bash"]
