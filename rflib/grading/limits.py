"""How much a submission may take of the machine that grades it."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20
GB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What one submission gets.

    Args:
        cell: Seconds that one cell may run.
        total: Seconds for a whole notebook, kernels started anew included.
        memory: Bytes that all its processes may hold together.
        address_space: Bytes of address space of one process; libraries reserve more than they use.
        processes: Processes and threads at one time, the kernel's own included.
        file: Bytes of one file.
        folder: Bytes of its folder, and as many in /tmp; both are memory.
        files: Open files of one process.
        entries: Files that its folders may hold together, empty ones counted.
        output: Bytes that the kernel may send for one cell.
        message: Bytes of one message of the kernel.
        restarts: Kernels that may be started anew after one has died.
    """

    cell: float = 120.0
    total: float = 900.0
    memory: int = 2 * GB
    address_space: int = 6 * GB
    processes: int = 96
    file: int = 64 * MB
    folder: int = 64 * MB
    files: int = 256
    entries: int = 20_000
    output: int = 8 * MB
    message: int = 8 * MB
    restarts: int = 12

    def rlimits(self, already: int = 0) -> dict[str, int]:
        """The limits that the kernel of the system keeps, by their names in `resource`.

        Args:
            already: Processes of the same user that are counted and are not the sandbox's.
        """
        return {
            "RLIMIT_AS": self.address_space,
            "RLIMIT_NPROC": self.processes + already,
            "RLIMIT_FSIZE": self.file,
            "RLIMIT_NOFILE": self.files,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_MEMLOCK": 64 * 1024,
        }
