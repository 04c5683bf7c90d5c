"""A filter of system calls for the sandbox: closes ways to memory that no limit counts, and ways through the walls.

Memory that belongs to no process and no folder (memfd, System V) is seen by no limit that an ordinary user can set. The
filter is a program for the kernel's packet filter, in the form that `bwrap --seccomp` reads.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

# Opcodes, offsets and verdicts: linux/filter.h, linux/seccomp.h, linux/audit.h.
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NEW_USER = 0x10000000  # CLONE_NEWUSER
X32 = 0x40000000


@dataclass(frozen=True)
class Machine:
    """A processor's name for itself and its numbers for system calls."""

    architecture: int
    clone: int
    denied: tuple[int, ...]


# memfd_create, memfd_secret, shmget, msgget, semget, io_uring_setup, userfaultfd, bpf, perf_event_open, add_key,
# request_key, keyctl, mount, umount2, unshare, setns, ptrace
MACHINES = {
    "x86_64": Machine(
        0xC000003E, 56, (319, 447, 29, 68, 64, 425, 323, 321, 298, 248, 249, 250, 165, 166, 272, 308, 101)
    ),
    "aarch64": Machine(
        0xC00000B7, 220, (279, 447, 194, 186, 190, 425, 282, 280, 241, 217, 218, 219, 40, 39, 97, 268, 117)
    ),
}
CLONE3 = 435  # its flags lie in memory, where a filter cannot look; refused as unknown, libraries fall back to clone


def program(machine: str = "") -> bytes:
    """The filter for this machine; empty where the machine is not known.

    Args:
        machine: As `platform.machine()` calls it.
    """
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    refuse, unknown = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, known.architecture),
        (RETURN, 0, 0, unknown),  # 32-bit calls have other numbers
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, unknown),
        *[step for number in known.denied for step in ((EQUAL, 0, 1, number), (RETURN, 0, 0, refuse))],
        (EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, unknown),
        (EQUAL, 0, 3, known.clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 1, NEW_USER),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
