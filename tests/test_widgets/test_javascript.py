"""The explorers' JavaScript: its arithmetic says what Python says, and every file of it can be read."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tools import preflight

from . import cases

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "rflib" / "widgets").glob("*.js"))
TESTS = sorted((ROOT / "tests" / "javascript").glob("*.test.js"))

pytestmark = pytest.mark.needs("node")


def node(*arguments: str | Path, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [preflight.find("node") or "node", *map(str, arguments)]
    # NODE_OPTIONS of the shell could change the output, and NODE_TEST_CONTEXT would silence it.
    known = {key: value for key, value in os.environ.items() if not key.startswith(("NODE_", "RFLIB_"))}
    return subprocess.run(
        command, cwd=folder, env={**known, **environment}, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


def count(output: str, what: str) -> int:
    """A number of node's closing lines, such as `# pass 28`."""
    return next(int(line.split()[-1]) for line in output.splitlines() if line.startswith(f"# {what} "))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "cases.json"
    cases.write(path)
    return path


def test_the_javascript_arithmetic_equals_python(written: Path) -> None:
    assert TESTS, "tests/javascript holds no *.test.js."
    # Node 20 takes a folder and node 22 does not; both take files. TAP is the output that both write alike.
    done = node("--test", "--test-reporter=tap", *TESTS, RFLIB_CASES=str(written))
    if done.returncode:
        pytest.fail(f"node --test failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert count(done.stdout, "pass") >= 28
    assert count(done.stdout, "fail") == count(done.stdout, "skipped") == count(done.stdout, "todo") == 0


def test_a_wrong_expected_value_is_found(written: Path, tmp_path: Path) -> None:
    text = written.read_text(encoding="utf-8")
    broken = tmp_path / "broken.json"
    broken.write_text(text.replace('"problem": null', '"problem": {}', 1), encoding="utf-8")
    done = node("--test", "--test-reporter=tap", *TESTS, RFLIB_CASES=str(broken))
    assert done.returncode != 0
    assert count(done.stdout, "fail") == 1
    assert "not ok" in done.stdout
    assert "output sizes are Python's" in done.stdout


@pytest.mark.parametrize("path", [None, "nowhere.json"])
def test_without_the_file_of_cases_the_tests_fail_and_say_why(path: str | None) -> None:
    environment = {} if path is None else {"RFLIB_CASES": path}
    done = node("--test", "--test-reporter=tap", *TESTS, **environment)
    assert done.returncode != 0
    assert "Write it with `python -m tests.test_widgets.cases FILE` and set RFLIB_CASES to FILE." in done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_node_can_read_every_script(script: Path) -> None:
    done = node("--check", script)
    assert done.returncode == 0, done.stderr


def test_a_script_that_node_cannot_read_is_found(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "broken.js").write_text("export function half(", encoding="utf-8")
    assert "SyntaxError" in node("--check", "broken.js", folder=tmp_path).stderr


def test_there_are_at_least_600_stacks_and_they_are_the_same_every_time(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert sum(case["kind"] == "stack" for case in json.loads(text)) >= 600
    assert json.dumps(cases.all_cases()) == text
