"""Where no systemd runs: servers as processes of their users, with the limits that a process can be given."""

from __future__ import annotations

import resource
from collections.abc import Callable

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Integer


class LimitedSpawner(LocalProcessSpawner):
    """JupyterHub's own spawner, whose processes cannot take more than the limits.

    Memory is `RLIMIT_DATA`: what a process may write to. It binds each process, and a server has one for each open
    notebook. The number of processes, `RLIMIT_NPROC`, binds the account.
    """

    processes = Integer(256, help="processes and threads of a user").tag(config=True)

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """What runs in the new process before the server: the limits, then the change of user."""
        change_user = super().make_preexec_fn(name)
        limits = {resource.RLIMIT_NPROC: self.processes, resource.RLIMIT_CORE: 0}
        if self.mem_limit:
            limits[resource.RLIMIT_DATA] = int(self.mem_limit)

        def prepare() -> None:
            change_user()
            for limit, value in limits.items():  # afterwards: a changed user who is over a limit could not start
                resource.setrlimit(limit, (value, value))

        return prepare
