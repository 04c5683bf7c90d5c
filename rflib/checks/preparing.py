"""Arguments out of plain inputs: the layers and networks that a learner's function is asked about.

The text of this file, like that of `plain.py`, is put into the asking cell as it is: it must not import rflib.
"""

from __future__ import annotations
