"""The exercises' tasks and the checks beside them; `python -m rflib.checks` tries a notebook before it is handed in."""

from __future__ import annotations

from rflib.checks.checking import Report, check

__all__ = ["Report", "check"]
