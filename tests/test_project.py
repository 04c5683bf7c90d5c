"""The repository holds together: versions, names, addresses, the README, the Makefile."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import preflight

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.]+)")
HEAVY = ("torch", "numpy", "matplotlib", "ipywidgets", "anywidget", "sklearn", "tqdm")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(text: str) -> dict[str, str]:
    """Name, as registries compare them, to version; anything but an exact pin is an error."""
    found = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            match = PIN.fullmatch(line.strip())
            assert match, f"not an exact pin: {line!r}"
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            assert name not in found, f"{name} is listed twice"
            found[name] = match[2]
    return found


def tracked() -> list[Path]:
    """The files of the repository that git tracks or would track; without git, all but hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


def run(*command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, also where a make that runs the tests has left its marks in the environment."""
    outer = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(
        command, cwd=folder, env={**outer, **environment}, capture_output=True, text=True, encoding="utf-8"
    )


# One list of packages


@pytest.mark.parametrize("text", ["numpy>=2", "numpy", "numpy==2.4.6\nNumPy==2.4.6", "-r other.txt", "x @ file:///a"])
def test_only_exact_pins_pass(text: str) -> None:
    with pytest.raises(AssertionError):
        pins(text)


def test_constraints_pin_every_requirement_to_the_same_version() -> None:
    wanted, constrained = pins(read("requirements.txt")), pins(read("constraints.txt"))
    assert wanted
    assert {name: constrained.get(name) for name in wanted} == wanted


def test_constraints_pin_everything_that_the_installed_requirements_ask_for() -> None:
    from packaging.requirements import Requirement

    constrained = pins(read("constraints.txt"))
    missing = set()
    for name in constrained:
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # of another system
            continue
        needed = [Requirement(line) for line in lines]
        missing |= {
            re.sub(r"[-_.]+", "-", r.name).lower()
            for r in needed
            if r.marker is None or r.marker.evaluate({"extra": "", "sys_platform": "linux", "platform_system": "Linux"})
        } - set(constrained)
    # On Linux the default index's torch asks for CUDA, which a build from PyTorch's own index does not have.
    assert not {name for name in missing if not re.match(r"nvidia|cuda|triton|pip$", name)}


def test_pyproject_reads_the_list() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    assert "dependencies" not in project["project"]
    assert "dependencies" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}


def test_environment_reads_the_list() -> None:
    environment = yaml.safe_load(read("environment.yml"))
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.txt", "-c constraints.txt", "-e ."]
    names = {re.split("[=<> ]", entry)[0] for entry in conda}
    assert names == {"python", "pip", "make"}, "packages belong in requirements.txt"
    assert any(re.fullmatch(r"python=3\.1[1-9]", entry) for entry in conda)


def test_one_version_everywhere() -> None:
    import rflib

    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    citation = yaml.safe_load(read("CITATION.cff"))
    assert rflib.__version__ == version
    assert citation["version"] == version
    assert f"## {version}" in read("CHANGELOG.md")


# Files that a stranger looks for


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "rflib/py.typed"])
def test_the_usual_files_are_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_both_licenses_are_there_and_the_readme_says_the_split() -> None:
    assert read("LICENSE").startswith("MIT License")
    assert "Attribution 4.0 International" in read("LICENSE-text")
    readme = read("README.md")
    assert "MIT" in readme
    assert "CC BY 4.0" in readme


def test_the_runner_is_executable_and_runs_what_the_readme_says() -> None:
    path = ROOT / ".ci" / "run"
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    if os.name == "posix":
        assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").rstrip().endswith("\nmake test")


# Addresses and paths

# Works that are cited, licenses, the reader's own machine, and names that file formats use without asking anybody.
HOSTS = {
    "arxiv.org", "doi.org", "distill.pub", "creativecommons.org", "opensource.org", "pytorch.org", "docs.pytorch.org",
    "localhost", "127.0.0.1", "www.w3.org", "purl.org", "matplotlib.org", "json-schema.org", "mybinder.org",
}  # fmt: skip
TORCH_INDEX = ("Makefile", "download.pytorch.org")
REGISTRIES = ("pypi." + "org", "pythonhosted." + "org", "npmjs." + "org", "anaconda." + "org")
MACHINE = re.compile(r"(?:(?<![\w./~-])|(?<=file://))/(?:work|root|tmp|opt|home/[a-z]+)/\w")


def foreign(name: str, text: str) -> list[str]:
    """Hosts that no file should name, and absolute paths of the machine it was written on."""
    text = re.sub(r"[A-Za-z0-9+/=]{200,}|(?:[A-Za-z0-9+/=]{70,}\\n)+", "", text)  # pictures
    hosts = {host.lower() for host in re.findall(r"\bhttps?://([A-Za-z0-9.-]*[A-Za-z0-9])", text)}
    named = {host for host in REGISTRIES if host in text}
    paths = set(MACHINE.findall(text))
    allowed = {host for host in hosts if host in HOSTS or host.endswith(".example") or (name, host) == TORCH_INDEX}
    return sorted((hosts - allowed) | named | paths)


def test_files_name_no_foreign_address_and_no_path_of_this_machine() -> None:
    found = {}
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        data = path.read_bytes()
        if name != "tests/test_project.py" and b"\0" not in data:
            found[name] = foreign(name, data.decode("utf-8"))
    assert len(found) > 10
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "get it from https://download.pytorch.org/whl/cpu"),
        ("Makefile", "INDEX := https://index.somewhere.net/simple"),
        ("rflib/figures.py", "open('/work/main/x.png')"),
        ("lessons/00.ipynb", '"text": "File \\"/root/x.py\\""'),
        ("constraints.txt", "torch @ file:///tmp/torch.whl"),
        ("a.md", "pypi.org"),
    ],
)
def test_a_foreign_address_or_path_is_seen(name: str, text: str) -> None:
    assert foreign(name, text)


# Importing is light


def loaded_by(statement: str) -> list[str]:
    """The heavy packages that a fresh process has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = run(sys.executable, "-c", code, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_rflib_loads_nothing_heavy() -> None:
    assert loaded_by("import rflib") == []


def test_the_probe_sees_what_is_loaded() -> None:
    assert "torch" in loaded_by("import rflib.tracing")


# The README's code and commands


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def examples(text: str) -> list[tuple[str, str]]:
    """Each Python block with the output that the README promises: the block after it, marked text or not at all."""
    found = blocks(text)
    pairs = []
    for (language, code), (next_language, output) in zip(found, [*found, ("none", "")][1:], strict=True):
        if language == "python":
            assert next_language in ("", "text"), f"no output follows the code {code!r}"
            pairs.append((code, output))
    assert pairs, "the README shows no Python code"
    return pairs


def test_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    for code, output in examples(read("README.md")):
        done = run(
            sys.executable, "-c", code, folder=tmp_path, PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8", COLUMNS="80"
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip("\n").splitlines() == output.strip("\n").splitlines()


@pytest.mark.parametrize(
    "text", ["no code", "```python\nprint(1)\n```\n", "```python\nprint(1)\n```\n```sh\nls\n```\n"]
)
def test_a_readme_without_code_or_output_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        examples(text)


def test_the_readme_s_pictures_and_files_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|src=\"([^\":]+)\"", read("README.md"))
    names = [one or other for one, other in links]
    assert [name for name in names if not (ROOT / name).exists()] == []
    assert any(name.endswith((".png", ".svg")) for name in names), "the first screen has a picture"


def test_every_command_in_the_readme_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))
    fenced = "\n".join(code for language, code in blocks(read("README.md")) if language in ("", "sh", "bash", "shell"))
    inline = "\n".join(re.findall(r"`(make [^`]*)`", read("README.md")))
    commands = set(re.findall(r"^\s*(?:\$ )?make ([a-z]+)", f"{fenced}\n{inline}", flags=re.MULTILINE))
    assert {"lab", "test"} <= commands
    assert commands <= targets


# The Makefile


@pytest.mark.needs("make")
def test_help_lists_every_target_and_is_what_make_says() -> None:
    shown = run("make", "help").stdout
    targets = re.search(r"^\.PHONY: (.*)$", read("Makefile"), flags=re.MULTILINE)
    assert targets
    assert re.findall(r"^  ([a-z]+) ", shown, flags=re.MULTILINE) == [t for t in targets[1].split() if t != "FORCE"]
    assert run("make").stdout == shown


@pytest.mark.needs("make")
@pytest.mark.parametrize("target", ["lab", "test", "constraints"])
def test_an_old_python_is_named_and_nothing_is_made(target: str, tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = "--version" ] && echo Python 3.9.18 && exit\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    before = sorted(tmp_path.iterdir())
    done = run("make", target, f"PYTHON={old}", folder=tmp_path)
    assert done.returncode != 0
    assert f"needs Python 3.11 or later; '{old}' is Python 3.9.18." in done.stderr
    assert f"make {target} PYTHON=python3.11" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


# What cannot run is named


def test_missing_programs_are_named_with_the_command_that_gets_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preflight.shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", "")
    assert preflight.main([]) == 0
    assert "apt-get install chromium bubblewrap" in capsys.readouterr().out
    monkeypatch.setenv("CI", "true")
    assert preflight.main([]) == 1


def test_nothing_is_said_where_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preflight.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("CI", "true")
    assert preflight.main([]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("suites", "line", "status"),
    [
        (['tests="5" failures="0" errors="0" skipped="1"', 'tests="2"'], "6 passed, 0 failed, 1 skipped", 0),
        (['tests="5" failures="1" errors="2" skipped="0"'], "2 passed, 3 failed, 0 skipped", 1),
        ([], "0 passed, 0 failed, 0 skipped", 1),
    ],
)
def test_the_last_line_adds_up_the_reports(
    suites: list[str],
    line: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(preflight, "missing", list)
    for number, attributes in enumerate(suites):
        report = tmp_path / f"{number}.xml"
        report.write_text(f"<testsuites><testsuite {attributes} /></testsuites>", encoding="utf-8")
    assert preflight.main(["--counts", str(tmp_path)]) == status
    assert capsys.readouterr().out.splitlines()[-1] == line


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_chromium_the_browser_tests_are_skipped_and_in_ci_they_fail(ci: str, status: int) -> None:
    done = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/browser", "-k", "runs", PATH="", CI=ci
    )
    assert done.returncode == status, done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]
    assert "apt-get install chromium" in done.stdout
