"""What is kept of a learner's outputs and text: nothing that a browser would run, and not too much of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

import bleach
from nbformat import NotebookNode
from nbformat.v4 import new_output

PICTURES = ("image/png", "image/jpeg")
LONGEST = 20_000  # characters of text of one cell
MOST = 50  # outputs of one cell
LARGEST = 2_000_000  # characters of one picture
COLORS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TAGS = ("b", "br", "code", "em", "i", "li", "ol", "p", "pre", "strong", "sub", "sup", "table", "td", "th", "tr", "ul")
# Markdown drops a backslash before a colon, and before the signs of an entity.
ENTITY = re.compile(r"&(?=\\*(?:#|\w{1,40}\\*;))")
ADDRESS = re.compile(r"(?i)(\]\s*\(|\]:)(\s|<|&lt;)*(?:data|file)[\s\\]*:|(?:javascript|vbscript)[\s\\]*:")


def sane(value: Any, deep: int) -> Any:
    r"""Plain data in which every text can be written to a file: a lone surrogate, which JSON can hold, is replaced.

    Example:
        >>> sane({"a": ["\ud800"]}, deep=2)
        {'a': ['?']}

    Args:
        value: As JSON gives it.
        deep: How deeply it may be nested.

    Raises:
        ValueError: If it is nested deeper.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | dict) and deep <= 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, list):
        return [sane(each, deep - 1) for each in value]
    if isinstance(value, dict):
        return {sane(name, 1): sane(each, deep - 1) for name, each in value.items()}
    return value


def outputs(found: Iterable[Mapping[str, Any]]) -> list[NotebookNode]:
    """A kernel's outputs as a page may show them: text and pictures.

    Args:
        found: As the kernel sent them.
    """
    kept: list[NotebookNode] = []
    left = LONGEST
    for output in list(found)[:MOST]:
        made = _output(output, left)
        if made is not None:
            kept.append(made)
            left -= len(str(made.get("text", made.get("traceback", ""))))
        if left <= 0:
            break
    return kept


def _output(output: Mapping[str, Any], left: int) -> NotebookNode | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _new("stream", name=name, text=cut(output.get("text"), left))
    if kind == "error":
        lines = output.get("traceback")
        traceback = cut("\n".join(map(str, lines if isinstance(lines, list) else [])), left).split("\n")
        ename, evalue = cut(output.get("ename"), 200), cut(output.get("evalue"), 1000)
        return _new("error", ename=ename, evalue=evalue, traceback=traceback)
    data = output.get("data")
    shown = dict(_shown(data, left)) if isinstance(data, Mapping) else {}
    return _new("display_data", data=shown) if shown else None


def _new(kind: str, **content: Any) -> NotebookNode:
    made: NotebookNode = new_output(kind, **content)
    return made


def _shown(data: Mapping[str, Any], left: int) -> Iterable[tuple[str, str]]:
    for name in PICTURES:
        picture = data.get(name)
        if isinstance(picture, str) and len(picture) <= LARGEST and _decodes(picture):
            yield name, picture
    if "text/plain" in data:
        yield "text/plain", cut(data["text/plain"], left)


def _decodes(picture: str) -> bool:
    try:
        return bool(base64.b64decode("".join(picture.split()), validate=True))
    except (binascii.Error, ValueError):
        return False


def cut(text: Any, longest: int) -> str:
    """A text without the terminal's colors, cut where it is long."""
    plain = COLORS.sub("", text if isinstance(text, str) else "")
    return plain if len(plain) <= longest else f"{plain[:longest]}\n... cut here, {len(plain):,} characters in all"


def markdown(source: str) -> str:
    """A learner's markdown without what a browser would run; harmless tags stay.

    Example:
        >>> markdown("a <script>alert(1)</script> **b** [c](javascript:alert(1))")
        'a &lt;script&gt;alert(1)&lt;/script&gt; **b** [c](#alert(1))'
    """
    # Markdown and the browser both decode entities, so "&amp;#106;avascript:" is an address too.
    for _ in range(4):
        source = unescape(source)
    harmless: str = bleach.clean(ENTITY.sub("& ", source), tags=set(TAGS), attributes={}, strip=False)
    return ADDRESS.sub(lambda found: f"{found[1] or ''}#", harmless)
