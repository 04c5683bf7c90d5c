"""JupyterHub for one server: `make hub` starts it. What differs from class to class is in /etc/rflib/hub.toml.

The names of the class list log in with the passwords of the machine's accounts, and each one's server runs as that
account. README.md, beside this file, says how all of it is set up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
if str(COURSE) not in sys.path:
    sys.path.insert(0, str(COURSE))

from hub import configuration, settings  # noqa: E402 - found by the line above

c = get_config()  # noqa: F821 - JupyterHub puts it here
class_settings = settings.load()
if lacking := list(configuration.lacking()):
    sys.exit("\n".join(lacking))

# What this process and its children write is their user's alone: database, cookie secret, homes.
os.umask(0o077)
configuration.make_private(class_settings.state)

configuration.hub(c, class_settings)
configuration.login(c, class_settings)
configuration.servers(c, class_settings)
for line in configuration.limits(c, class_settings, systemd=Path("/run/systemd/system").is_dir()):
    print(f"rflib: {line}", file=sys.stderr, flush=True)
configuration.culling(c, class_settings)

# Last, so that it has the last word. Run here, and not loaded as a subconfig, which would replace the lists above
# (services, roles) where it means to add to them.
if settings.MORE.is_file():
    print(f"rflib: {settings.MORE} is read too.", file=sys.stderr, flush=True)
    exec(compile(settings.MORE.read_text(encoding="utf-8"), str(settings.MORE), "exec"))
