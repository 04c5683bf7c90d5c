"""Five learners, a lecturer and one who is not of the class: what happens on the machine of `world.py`.

Tells, as JSON on its output, what came of every step, and what it took; `test_class.py` says what should have come.
"""

from __future__ import annotations

import csv
import json
import os
import pwd
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import requests

from tests.test_hub import browsing, targets, watching
from tests.test_hub.visitor import HUB, Kernel, Refused, Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
EXERCISE = "01_definition"
LESSON = "lessons/00_start_here.ipynb"
NAMES = {"alice": "Alice Adams", "bob": "Bob Brown", "carol": "Carol Clark", "dave": "Dave Díaz", "mallory": "Mallory"}
OUTSIDER, ROOT_PASSWORD = "zoe", "a word that root has"
BROWSES = "alice"  # by Chromium; the others by the requests that a browser sends
LOG = Path("/srv/hub.log")
BY_LAYERS = """\
def field(network):
    size, jump = 1, 1
    for layer in network:
        number = lambda name: (value[0] if isinstance(value := getattr(layer, name, 1), tuple) else value)
        size += number("dilation") * (number("kernel_size") - 1) * jump
        jump *= number("stride")
    return size, jump
"""
EVERYBODY = """\
def readers(network, length, position):
    return list(range(network(torch.zeros(1, 1, length, dtype=torch.float64)).shape[-1]))
"""


def answers() -> dict[str, dict[str, str]]:
    """What each learner writes: all right, nothing, one task of three, two of three, one."""
    source = nbformat.read(ROOT / "solutions" / EXERCISE / f"{EXERCISE}.ipynb", as_version=4)
    right = {cell.id: cell.source for cell in source.cells if cell.id.endswith("-yours")}
    return {
        "alice": right,
        "bob": {},
        "carol": {"field-yours": BY_LAYERS},
        "dave": {**right, "readers-yours": EVERYBODY},
        "mallory": {"positions-yours": right["positions-yours"]},
    }


class Story:
    """What is known so far."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"seconds": {}, "errors": {}}
        self.visitors = {name: Visitor(name) for name in NAMES if name != BROWSES}
        self.kernels: dict[str, Kernel] = {}
        self.passwords: dict[str, str] = {}
        self.ready, self.ran = threading.Barrier(len(NAMES) + 1), threading.Barrier(len(NAMES) + 1)

    def accounts(self) -> None:
        """The administrator's part; /etc is a copy here, from which somebody of the same name is taken out."""
        for name in (*NAMES, "lecturer", OUTSIDER):
            subprocess.run(["userdel", name], capture_output=True)
        Path("/etc/rflib").mkdir()
        with Path("/etc/rflib/class.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["id", "name"], *NAMES.items()])
        self.told["prepared"] = command([sys.executable, "-m", "hub.prepare"])
        rows = Path("/etc/rflib/passwords.csv").read_text().split()
        self.passwords = dict(row.split(",") for row in rows)
        command(["useradd", "--create-home", OUTSIDER])
        subprocess.run(["chpasswd"], input=f"{OUTSIDER}:let me in\nroot:{ROOT_PASSWORD}\n", text=True, check=True)
        own = Path("/home", BROWSES, ".jupyter")
        own.mkdir()
        (own / "jupyter_lab_config.py").write_text(
            "c.LabApp.expose_app_in_browser = True\n"
        )  # for the test's questions
        command(["chown", "-R", f"{BROWSES}:", str(own)])

    def refused(self) -> None:
        """Three who must not come in: a wrong password, an account that is not in the class list, root."""
        tries = {"alice": "wrong", OUTSIDER: "let me in", "root": ROOT_PASSWORD}
        self.told["refused"] = {}
        for name, password in tries.items():
            try:
                Visitor(name).log_in(password)
                self.told["refused"][name] = "came in"
            except Refused as no:
                self.told["refused"][name] = str(no)

    def learn(self, name: str) -> None:
        """One learner's hour: log in, lesson 00, exercise 01."""
        try:
            begin = time.monotonic()
            visitor = self.visitors[name]
            visitor.log_in(self.passwords[name])
            visitor.open_lab()
            self.note("ready", name, begin)
            self.ready.wait()
            begin = time.monotonic()
            self.kernels[name] = visitor.kernel(LESSON)
            cells = [cell for cell in visitor.notebook(LESSON)["cells"] if cell["cell_type"] == "code"]
            said = [self.kernels[name].run("".join(cell["source"])) for cell in cells]
            self.told["errors"][name] = [error for _, error in said if error]
            self.told["cells"] = len(cells)
            self.note("lesson", name, begin)
            self.ran.wait()
            self.hand_in(name)
        except BaseException:
            self.broken(name)

    def hand_in(self, name: str) -> None:
        """Fetch, answer, submit; Dave by commands, as in a terminal, the others as the Assignment List does."""
        visitor, path = self.visitors[name], f"exercises/{EXERCISE}/{EXERCISE}.ipynb"
        by_command = name == "dave"
        if by_command:
            self.shell(name, f"nbgrader fetch_assignment {EXERCISE}")
        else:
            visitor.exercise("fetch", EXERCISE)
        notebook = visitor.notebook(path)
        for cell in notebook["cells"]:
            cell["source"] = answers()[name].get(cell["id"], cell["source"])
        visitor.save(path, notebook)
        if by_command:
            self.shell(name, f"nbgrader submit {EXERCISE}")
        else:
            visitor.exercise("submit", EXERCISE)

    def shell(self, name: str, line: str) -> None:
        code = f"import subprocess; subprocess.run({line!r}, shell=True, check=True, stdin=subprocess.DEVNULL)"
        if error := self.kernels[name].run(code)[1]:
            raise Refused(error)

    def browse(self, browser: browsing.Browsing) -> None:
        """The same hour at the real browser."""
        try:
            self.told["seconds"].setdefault("ready", {})[BROWSES] = browser.do(
                lambda shown: browsing.log_in(shown, BROWSES, self.passwords[BROWSES])
            )
            self.ready.wait()
            begin = time.monotonic()
            self.told["errors"][BROWSES] = browser.do(browsing.run_lesson)
            self.note("lesson", BROWSES, begin)
            self.ran.wait()
            browser.do(lambda shown: browsing.hand_in(shown, EXERCISE, answers()[BROWSES]))
        except BaseException:
            self.broken(BROWSES)

    def note(self, what: str, name: str, begin: float) -> None:
        print(f"{name}: {what} after {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)
        self.told["seconds"].setdefault(what, {})[name] = time.monotonic() - begin

    def broken(self, name: str) -> None:
        self.told.setdefault("broken", {})[name] = traceback.format_exc()
        self.ready.abort()
        self.ran.abort()

    def class_hour(self, browser: browsing.Browsing) -> None:
        """All five at once; memory is looked at when everybody has a server, and while the lesson runs."""
        with ThreadPoolExecutor(len(NAMES) + 1) as pool:
            jobs = [pool.submit(self.learn, name) for name in self.visitors]
            jobs += [pool.submit(self.browse, browser), pool.submit(self.refused)]
            try:
                self.ready.wait(200)
                self.told["idle"] = watching.accounts()
                watch = watching.Watch()
                self.ran.wait(200)
                watch.stop()
                self.told["most"], self.told["ran"] = watch.most, watching.accounts()
            except threading.BrokenBarrierError:
                pass
            for job in jobs:
                job.result()
        if "broken" in self.told:
            raise Refused("\n".join(f"{name}: {trace}" for name, trace in self.told["broken"].items()))

    def limits(self) -> None:
        """Whether a learner's limits bind, asked in the learner's own notebook."""
        kernel = self.kernels["mallory"]
        self.told["memory"] = kernel.run("block = bytearray(3 << 30)")[1]
        forking = "import subprocess\nmany = [subprocess.Popen(['sleep', '60']) for _ in range(400)]"
        self.told["processes"] = kernel.run(forking)[1]
        kernel.run("[each.kill() for each in subprocess._active]")

    def besieged(self) -> None:
        """What goes on while the lecturer grades."""
        self.attack("attacks", targets.before_grading(self))
        self.limits()
        self.knock()

    def attack(self, what: str, wanted: list[list[Any]]) -> None:
        """Let Mallory try, as her account."""
        script = Path(__file__).with_name("attacks.py").read_text(encoding="utf-8")
        said = as_user("mallory", [sys.executable, "-c", script], given=json.dumps(wanted))
        self.told[what] = json.loads(said["out"]) if said["code"] == 0 else said

    def knock(self) -> None:
        """What the hub answers to Mallory, logged in, who asks for what is Bob's."""
        mallory, answers = self.visitors["mallory"], {}
        for path in ("/user/bob/lab", "/user/bob/api/contents", "/hub/api/users/bob", "/hub/api/users", "/hub/admin"):
            said = mallory.session.get(HUB + path, headers={"Referer": f"{HUB}/hub/home"}, timeout=60)
            answers[path] = said.status_code
        self.told["knocked"] = answers

    def marked(self) -> None:
        """The lecturer's part: collect, grade, look, send back."""
        begin = time.monotonic()
        self.told["graded"] = as_user("lecturer", [sys.executable, "-m", "hub.exercise", "grade", EXERCISE])
        self.told["seconds"]["graded"] = time.monotonic() - begin
        marks = ROOT / "marking" / "marks" / f"{EXERCISE}.csv"
        if marks.is_file():
            self.told["marks"] = list(csv.DictReader(marks.read_text(encoding="utf-8").splitlines()))
        self.told["returned"] = as_user("lecturer", [sys.executable, "-m", "hub.exercise", "return", EXERCISE])

    def fetched(self, browser: browsing.Browsing) -> None:
        """Everybody fetches their page."""
        pages = {}
        for name, visitor in self.visitors.items():
            if name == "dave":
                self.shell(name, f"nbgrader fetch_feedback {EXERCISE}")
            else:
                visitor.exercise("fetch_feedback", EXERCISE)
            found = sorted(Path("/home", name, "exercises", EXERCISE, "feedback").glob("*/*.html"))
            pages[name] = [page.read_text(encoding="utf-8") for page in found]
        pages[BROWSES] = [browser.do(lambda shown: browsing.feedback(shown, Path("/home", BROWSES)))]
        self.told["pages"] = pages
        seen = browser.do(lambda shown: (shown.foreign, shown.complaints))
        self.told["foreign"], self.told["complaints"] = seen

    def formgrader(self) -> None:
        """Whether the lecturer's server shows nbgrader's Formgrader, and a learner's does not."""
        lecturer = Visitor("lecturer")
        lecturer.log_in(self.passwords["lecturer"])
        lecturer.open_lab("/lab")
        there = lecturer.session.get(f"{lecturer.base}/formgrader/api/assignments", timeout=60)
        not_there = self.visitors["bob"].session.get(f"{self.visitors['bob'].base}/formgrader", timeout=60)
        self.told["formgrader"] = [there.status_code, there.text[:2000], not_there.status_code]


def command(line: list[str]) -> dict[str, Any]:
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr[-3000:]}


def as_user(name: str, line: list[str], given: str = "") -> dict[str, Any]:
    """Run a command as an account, with its groups and nothing of root's."""
    account = pwd.getpwnam(name)
    done = subprocess.run(
        line,
        input=given,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"HOME": account.pw_dir, "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"},
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(name, account.pw_gid),
    )
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr[-3000:]}


def together(*steps: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(steps)) as pool:
        for job in [pool.submit(step) for step in steps]:
            job.result()


def wait_for_hub(hub: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and hub.poll() is None:
        try:
            if requests.get(f"{HUB}/hub/health", timeout=10).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise Refused("the hub did not start")


def tell() -> None:
    """The whole story."""
    story, begin = Story(), time.monotonic()
    steps: list[tuple[str, Callable[[], Any]]] = []
    browser = hub = None
    try:
        story.accounts()
        with LOG.open("wb") as log:
            line = [sys.executable, "-m", "jupyterhub", "--config", "hub/jupyterhub_config.py"]
            hub = subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        story.told["given"] = as_user("lecturer", [sys.executable, "-m", "hub.exercise", "give", EXERCISE])
        browser = browsing.Browsing()
        wait_for_hub(hub)
        story.note("hub", "hub", begin)
        steps = [
            ("class", lambda: story.class_hour(browser)),
            ("false hand-ins", lambda: story.attack("false hand-ins", targets.false_hand_ins(EXERCISE))),
            ("marked", lambda: together(story.marked, story.besieged)),
            ("fetched", lambda: together(lambda: story.fetched(browser), story.formgrader)),
            ("attacks after", lambda: story.attack("attacks after", targets.after_grading(story))),
        ]
        for name, step in steps:
            start = time.monotonic()
            step()
            story.note("step", name, start)
    except BaseException:
        story.told["trace"] = traceback.format_exc()
    finally:
        if browser:
            browser.close()
        if hub:
            hub.terminate()
            hub.wait()
    story.told["seconds"]["all"] = time.monotonic() - begin
    story.told["log"] = LOG.read_text(encoding="utf-8", errors="replace") if LOG.is_file() else ""
    print(json.dumps(story.told))
