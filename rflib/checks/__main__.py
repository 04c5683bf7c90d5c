"""Try exercises before they are handed in: `python -m rflib.checks exercises/02_recursion`. It needs no nbgrader."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rflib.checks.notebook import LONGEST, look
from rflib.errors import ReceptiveFieldError


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at each notebook; 0 if all is well, 1 if something is not, 2 if there is nothing to look at."""
    parser = argparse.ArgumentParser(prog="python -m rflib.checks", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="NOTEBOOK", help="a notebook, or the folder it is in")
    parser.add_argument(
        "--longest", type=int, default=LONGEST, metavar="SECONDS", help="for one cell; by default %(default)s"
    )
    given = parser.parse_args(arguments)
    good = True
    for path in given.paths:
        try:
            found = look(path, given.longest)
        except ReceptiveFieldError as error:
            print(error, file=sys.stderr)
            return 2
        print(found)
        good &= found.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
