"""Stands in for rflib, inside the sandbox, where an exercise is graded without it: computes nothing.

Its text is mounted there as `rflib/__init__.py`.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"this exercise is graded without rflib, so `rflib.{name}` is not there")
