"""Grading: a judge outside the learner's process and a sandboxed kernel, as extensions of nbgrader.

`python -m rflib.grading 02_recursion handins/` grades a folder of submissions. It wants the extra `grade` and
bubblewrap, and nothing else of rflib imports it.
"""

from __future__ import annotations
