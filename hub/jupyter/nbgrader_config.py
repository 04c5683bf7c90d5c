"""nbgrader on the hub, for everybody: where the exchange is, and the commands that keep hand-ins private."""

import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
if str(COURSE) not in sys.path:
    sys.path.insert(0, str(COURSE))

from hub import settings  # noqa: E402 - found by the line above

c = get_config()  # noqa: F821 - nbgrader puts it here
c.Exchange.root = str(settings.load().exchange)
c.Exchange.assignment_dir = str(Path.home() / "exercises")
c.CourseDirectory.course_id = settings.COURSE_ID
c.ExchangeSubmit.strict = True  # a folder without the exercise's notebook is refused while the learner looks on
c.NbGrader.logfile = ""
for name in (
    "list",
    "fetch_assignment",
    "fetch_feedback",
    "submit",
    "release_assignment",
    "release_feedback",
    "collect",
):
    c.ExchangeFactory[name] = "hub.exchange." + "".join(word.title() for word in name.split("_"))
