"""Settings of nbgrader for this course: the judge, the sandbox, and where the gradebook lies.

`python -m rflib.grading` grades a folder of hand-ins. With this file nbgrader's own commands (`nbgrader autograde`,
the Formgrader in JupyterLab) find the same gradebook and use the same judge.
"""

import os
from pathlib import Path

from rflib.grading.settings import Places, configure

PROJECT = Path(__file__).resolve().parent
MARKING = Path(os.environ.get("RFLIB_MARKING", PROJECT / "marking")).resolve()

c = get_config()  # noqa: F821 - nbgrader puts it here
configure(c, Places(PROJECT, MARKING))
c.CourseDirectory.release_directory = "exercises"
