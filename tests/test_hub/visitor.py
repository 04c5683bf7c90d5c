"""A learner at a browser, without the browser: the requests and messages that a browser sends."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
import websocket

HUB = "http://127.0.0.1:8000"
PATIENCE = 120  # seconds: no measurement, only an end to waiting


class Refused(RuntimeError):
    """The hub or a server said no."""


@dataclass
class Visitor:
    """One learner: a session with cookies, as a browser has it."""

    name: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def base(self) -> str:
        return f"{HUB}/user/{self.name}"

    def log_in(self, password: str) -> None:
        """Through the form. What the hub answers to a wrong password is an error here."""
        self.session.get(f"{HUB}/hub/login", timeout=PATIENCE)
        said = {"username": self.name, "password": password, "_xsrf": self.cookie("/hub/")}
        answer = self.session.post(f"{HUB}/hub/login?next=%2Fhub%2Fhome", data=said, timeout=PATIENCE)
        if not answer.url.endswith("/hub/home"):
            raise Refused(f"{answer.status_code} at {answer.url}")

    def cookie(self, path: str) -> str:
        """The token against forged requests that belongs to a path."""
        return next((c.value or "" for c in self.session.cookies if c.name == "_xsrf" and c.path == path), "")

    def open_lab(self, path: str = "/lab/tree/lessons/00_start_here.ipynb") -> str:
        """Start the server and wait for JupyterLab's page; the page."""
        self.session.get(f"{HUB}/hub/spawn/{self.name}", timeout=PATIENCE)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.session.get(self.base + path, timeout=PATIENCE)
            if answer.ok and "jupyter-config-data" in answer.text:
                return answer.text
            time.sleep(0.2)
        raise Refused(f"no JupyterLab for {self.name}: {answer.status_code} at {answer.url}")

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """A request to the learner's server."""
        headers = {"X-XSRFToken": self.cookie(f"/user/{self.name}/"), "Referer": f"{self.base}/lab"}
        answer = self.session.request(method, self.base + path, headers=headers, timeout=PATIENCE, **options)
        if not answer.ok:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.text else None

    def notebook(self, path: str) -> dict[str, Any]:
        """A notebook in the learner's folder."""
        return self.ask("GET", f"/api/contents/{quote(path)}?content=1")["content"]

    def save(self, path: str, notebook: dict[str, Any]) -> None:
        """Save it, as JupyterLab does."""
        said = {"type": "notebook", "format": "json", "content": notebook}
        self.ask("PUT", f"/api/contents/{quote(path)}", json=said)

    def exercise(self, action: str, name: str) -> Any:
        """What a button of the Assignment List does: fetch, submit, fetch_feedback."""
        said = self.ask("POST", f"/assignments/{action}", json={"course_id": "rflib", "assignment_id": name})
        if not said["success"]:
            raise Refused(said["value"])
        return said["value"]

    def kernel(self, path: str) -> Kernel:
        """Open a notebook's kernel."""
        said = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        model = self.ask("POST", "/api/sessions", json=said)
        return Kernel(self, model["id"], model["kernel"]["id"])


class Kernel:
    """A kernel, spoken to over the websocket that JupyterLab uses."""

    def __init__(self, visitor: Visitor, session: str, number: str) -> None:
        self.visitor, self.session, self.client = visitor, session, uuid.uuid4().hex
        self.path = f"/user/{visitor.name}/api/kernels/{number}/channels"
        self.socket: websocket.WebSocket | None = None
        self.used = 0.0

    def connected(self) -> websocket.WebSocket:
        """The websocket; a new one after a pause, since nobody here answers the server's pings meanwhile."""
        if self.socket is None or time.monotonic() - self.used > 10:
            if self.socket:
                self.socket.close()
            cookies = self.visitor.session.cookies
            said = "; ".join(f"{c.name}={c.value}" for c in cookies if self.path.startswith(c.path))
            url = HUB.replace("http", "ws") + f"{self.path}?session_id={self.client}"
            self.socket = websocket.create_connection(url, cookie=said, origin=HUB, timeout=PATIENCE)
        return self.socket

    def run(self, source: str) -> tuple[str, str]:
        """Run a cell: what it printed, and its error, "" where there was none."""
        message = uuid.uuid4().hex
        header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": self.client}
        header |= {"date": "2026-01-01T00:00:00Z", "version": "5.3"}
        content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        said = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        socket = self.connected()
        socket.send(json.dumps(said))
        printed, error, replied, idle = "", "", False, False
        while not (replied and idle):
            heard = socket.recv()
            if not isinstance(heard, str):
                continue
            answer = json.loads(heard)
            if answer["parent_header"].get("msg_id") != message:
                continue
            kind, body = answer["msg_type"], answer["content"]
            if kind == "stream":
                printed += body["text"]
            elif kind == "error":
                error = f"{body['ename']}: {body['evalue']}"
            replied |= kind == "execute_reply"
            idle |= kind == "status" and body["execution_state"] == "idle"
        self.used = time.monotonic()
        return printed, error
