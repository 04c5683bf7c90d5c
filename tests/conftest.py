"""What all tests share: warnings, hypothesis, and what happens where a system program is missing."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from tools import preflight

ROOT = Path(__file__).resolve().parent.parent

# The same examples every time, so that a stranger's run is ours. To look for new ones: HYPOTHESIS_PROFILE=explore.
# No deadline: how long an example takes is no property of the code.
SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("repeat", derandomize=True, deadline=None, suppress_health_check=SLOW)
hypothesis.settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=SLOW)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

collect_ignore = ["submissions"]  # read by test_checks, not imported as modules: tasks share file names

lacking: set[str] = set()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if preflight.find(program) is None:
                if preflight.must_have_all():
                    pytest.fail(preflight.advice([program]), pytrace=False)
                lacking.add(program)
                pytest.skip(f"{program} is missing")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what could not run. `make test`, which writes reports, says it once at its own end."""
    skipped = " ".join(str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    names = [program for program in preflight.PROGRAMS if program in lacking or f"{program} is missing" in skipped]
    if names and not terminalreporter.config.option.xmlpath:
        terminalreporter.write_line(preflight.advice(names))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT
