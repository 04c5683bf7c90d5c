"""The first program inside the sandbox: puts the limits on itself, drops root, and becomes the kernel.

Run as `python -I inside.py LIMITS COMMAND...`; it sees nothing of rflib, so it imports the standard library only.
"""

from __future__ import annotations

import json
import os
import resource
import sys


def main(arguments: list[str]) -> None:
    """Limit, drop, become.

    Args:
        arguments: The limits as JSON (`uid`: 0 keeps the user; the rest are names and values of rlimits), then the
            command and its arguments.
    """
    limits = json.loads(arguments[0])
    uid = limits.pop("uid")
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))
    if uid:  # only root is told so: the limit on processes does not bind root
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.execv(arguments[1], arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
