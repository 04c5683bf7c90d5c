"""A kernel in the sandbox, and the little that is read from it: outputs of one cell, up to a cap.

Jupyter's own clients keep whatever a kernel sends. This one stops reading, and the kernel, when a message or a cell's
outputs become too large.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import zmq
from jupyter_client.session import Session

from rflib.grading import cleaning, filtering
from rflib.grading.sandbox import RUN, SCRATCH, Sandbox, SandboxError
from rflib.grading.watching import Watch

CHANNELS = {"shell": 1, "iopub": 2, "stdin": 3, "hb": 4, "control": 5}
START = 60.0  # seconds until a kernel must be ready
STEP = 100  # milliseconds between two looks at whether it lives
DEEPEST = 100  # lists in lists in a message
KEPT = ("stream", "display_data", "execute_result", "error")


class KernelLost(Exception):
    """The kernel ended, or had to be ended; the message says why in a few words."""


@dataclass(frozen=True)
class Ran:
    """One cell's run: its outputs as the kernel sent them, the last error, if there was one, and the bytes taken."""

    outputs: list[dict[str, Any]]
    error: str = ""
    taken: int = 0


class Kernel:
    """A running kernel; a context manager that leaves nothing of it behind."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.limits = sandbox.limits
        self.folder = Path(tempfile.mkdtemp(prefix="rfk-"))
        self.context = zmq.Context()
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self._start(sandbox)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _start(self, sandbox: Sandbox) -> None:
        self.folder.chmod(0o711)  # the sandbox has another user where root grades
        sockets = self.folder / "k"
        sockets.mkdir(mode=0o700)
        key = secrets.token_hex(16)
        connection = self.folder / "connection.json"
        connection.write_text(json.dumps(self._connection(RUN, key)))
        self.session = Session(key=key.encode(), signature_scheme="hmac-sha256")
        complaints = self.folder / "stderr"
        calls = self.folder / "filter"
        calls.write_bytes(filtering.program())
        with complaints.open("wb") as errors, calls.open("rb") as read:
            given = read.fileno() if calls.stat().st_size else -1
            self.process = subprocess.Popen(
                sandbox.command(sockets, connection, given),
                pass_fds=[given] if given >= 0 else [],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self._connect(sockets, complaints)
        # With its folder gone the sandbox has no place left outside to write to; what is connected stays connected.
        shutil.rmtree(sockets)
        complaints.unlink()
        self.watch = Watch(self.process.pid, self.limits.memory, self.limits.entries, SCRATCH, self.kill)
        self.watch.start()

    def _connection(self, prefix: str, key: str) -> dict[str, Any]:
        ports = {f"{name}_port": port for name, port in CHANNELS.items()}
        return {**ports, "transport": "ipc", "ip": f"{prefix}/s", "key": key, "signature_scheme": "hmac-sha256"}

    def _connect(self, sockets: Path, complaints: Path) -> None:
        deadline = time.monotonic() + START
        paths = {name: sockets / f"s-{port}" for name, port in CHANNELS.items()}
        while not all(path.exists() for path in paths.values()):
            self._starting(deadline, complaints)
            time.sleep(0.01)
        self.shell = self._socket(zmq.DEALER, paths["shell"])
        self.iopub = self._socket(zmq.SUB, paths["iopub"])
        self.iopub.subscribe(b"")
        self.hangup = self.iopub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        while True:  # a subscription takes a moment; ask until both channels answer
            asked = self._ask("kernel_info_request", {})
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                self._starting(deadline, complaints)
                message = self._receive(self.iopub, until)
                if message and message["parent_header"].get("msg_id") == asked:
                    return

    def _starting(self, deadline: float, complaints: Path) -> None:
        assert self.process
        late = time.monotonic() > deadline
        if late or self.process.poll() is not None:
            said = " ".join(complaints.read_bytes()[-800:].decode(errors="replace").split())
            why = "was not ready in time" if late else "did not start"
            raise SandboxError(f"The sandboxed kernel {why}: {said or 'it said nothing'}.")

    def _socket(self, kind: int, path: Path) -> zmq.Socket[bytes]:
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, 50)
        socket.setsockopt(zmq.MAXMSGSIZE, self.limits.message)
        socket.connect(f"ipc://{path}")
        return socket

    def _receive(self, socket: zmq.Socket[bytes], until: float) -> dict[str, Any] | None:
        """One message, None where none comes by then."""
        wait = max(0, min(STEP, int(1000 * (until - time.monotonic()))))
        if not socket.poll(wait):
            return None
        frames = socket.recv_multipart()
        self.taken += sum(map(len, frames))
        try:
            _, parts = self.session.feed_identities(frames)
            return self.session.deserialize(parts)
        except Exception as error:  # whatever it sent, it is not believed
            raise KernelLost("it sent what no kernel sends") from error

    taken = 0  # bytes read for this cell

    def run(self, source: str, seconds: float) -> Ran:
        """Run one cell.

        Args:
            source: Its text.
            seconds: After so many the kernel is ended.

        Raises:
            KernelLost: If the kernel ended, or took more than it may.
        """
        self.taken = 0
        until = time.monotonic() + seconds
        content = {
            "code": source,
            "silent": False,
            "store_history": False,
            "allow_stdin": False,
            "stop_on_error": False,
        }
        asked = self._ask("execute_request", content)
        outputs: list[dict[str, Any]] = []
        error = ""
        try:
            while True:
                message = self._receive(self.iopub, until)
                self._drain()
                self._check(until, seconds)
                if message is None or message["parent_header"].get("msg_id") != asked:
                    continue
                kind, body = message["header"]["msg_type"], message["content"]
                if kind == "status" and body.get("execution_state") == "idle":
                    return Ran(outputs, error, self.taken)
                if kind in KEPT:
                    outputs.append({"output_type": kind, **cleaning.sane(body, DEEPEST)})
                if kind == "error":
                    error = f"{outputs[-1].get('ename', '')}: {outputs[-1].get('evalue', '')}"[:400]
        except KernelLost:
            self.kill()
            raise
        except (zmq.ZMQError, KeyError, TypeError, ValueError, AttributeError) as broken:
            self.kill()
            raise KernelLost("it sent what no kernel sends") from broken

    def _ask(self, kind: str, content: dict[str, Any]) -> str:
        sent: Any = self.session.send(self.shell, kind, content)
        return str(sent["header"]["msg_id"])

    def _drain(self) -> None:
        """Replies are not needed, but must not pile up."""
        for _ in range(20):
            if not self.shell.poll(0):
                return
            self.taken += sum(map(len, self.shell.recv_multipart()))

    def _check(self, until: float, seconds: float) -> None:
        assert self.process
        if self.taken > self.limits.output:
            raise KernelLost(f"it put out more than {self.limits.output >> 20} MB")
        if self._hung_up():
            raise KernelLost(f"it put out more than {self.limits.message >> 20} MB at once, or cut its connection")
        if self.watch.reason:
            raise KernelLost(self.watch.reason)
        if self.process.poll() is not None:
            raise KernelLost("the process of the notebook ended")
        if time.monotonic() > until:
            raise KernelLost(f"it ran longer than {seconds:.0f} seconds")

    def _hung_up(self) -> bool:
        """Whether ZeroMQ hung up, as it does on a message that is too large; a kernel that ends hangs up too."""
        assert self.process
        if not self.hangup.poll(0):
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        return self.process.poll() is None

    def kill(self) -> None:
        """End every process of the sandbox; bubblewrap's end takes the whole namespace along."""
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def close(self) -> None:
        """End the kernel and remove what was made for it."""
        if watch := getattr(self, "watch", None):
            watch.stop()
        self.kill()
        self.context.destroy(linger=0)
        shutil.rmtree(self.folder, ignore_errors=True)


Starter = Callable[[], Kernel]
