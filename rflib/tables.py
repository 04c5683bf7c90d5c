"""Tables for a terminal and for a notebook: aligned text, HTML, and the table of a stack of layers."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rflib.arithmetic import Layer, checked_stack, jumps

Group = tuple[str, int]  # a heading over several columns, and how many


def text_table(headings: Sequence[str], rows: Sequence[Sequence[object]], groups: Sequence[Group] = ()) -> str:
    """Columns of text, words aligned to the left and numbers to the right.

    Example:
        >>> print(text_table(["layer", "size"], [["conv1", 3], ["conv2", 11]], groups=[("the stack", 2)]))
        the stack
        layer  size
        conv1     3
        conv2    11

    Args:
        headings: One heading a column.
        rows: The cells, one sequence a row.
        groups: Headings that stand over several columns, each with its number of columns; together all of them.

    Returns:
        Lines without trailing blanks.
    """
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    spans, start = [], 0
    for title, count in groups:
        spans.append((title, slice(start, start + count)))
        start += count
        # A heading longer than the columns below it widens the last one.
        widths[start - 1] += max(0, len(title) - _room(widths[spans[-1][1]]))
    words = [any(isinstance(cell, str) for cell in column[1:]) for column in columns]
    align = [str.ljust if is_text else str.rjust for is_text in words]
    lines = [
        "  ".join(put(str(cell), width) for put, cell, width in zip(align, line, widths, strict=True))
        for line in zip(*columns, strict=True)
    ]
    if groups:
        lines.insert(0, "  ".join(title.center(_room(widths[columns_below])) for title, columns_below in spans))
    return "\n".join(line.rstrip() for line in lines)


def _room(widths: Sequence[int]) -> int:
    """The width of several columns side by side, with the gaps of two between them."""
    return sum(widths) + 2 * (len(widths) - 1)


def html_table(headings: Sequence[str], rows: Sequence[Sequence[object]], groups: Sequence[Group] = ()) -> str:
    """The same table as HTML, every cell escaped.

    Example:
        >>> html_table(["a"], [["<b>"]])
        '<table><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'

    Args:
        headings: One heading a column.
        rows: The cells, one sequence a row.
        groups: Headings that stand over several columns, each with its number of columns; together all of them.

    Returns:
        One `table` element.
    """
    over = "".join(f'<th colspan="{span}" scope="colgroup">{html.escape(title)}</th>' for title, span in groups)
    heads = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in headings)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    over = f"<tr>{over}</tr>" if over else ""
    return f"<table><thead>{over}<tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class LayerRow:
    """One row of a `LayerTable`: a layer, and the field of its units, in input positions.

    Attributes:
        index: Number of the layer, counted from 1.
        layer: The layer itself, with its own kernel_size, stride, padding and dilation.
        size: Length of a unit's window.
        jump: Distance between the windows of neighboring units.
        padding: How far the window of unit 0 begins before position 0.
        center: Middle of the window of unit 0.
    """

    index: int
    layer: Layer
    size: int
    jump: int
    padding: int
    center: float

    @property
    def name(self) -> str | None:
        """The layer's name."""
        return self.layer.name


@dataclass(frozen=True, repr=False)
class LayerTable:
    """The receptive field after each layer of a stack; iterate over its rows, or show it.

    Attributes:
        rows: One `LayerRow` a layer, in the order of the stack.
    """

    rows: tuple[LayerRow, ...]

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> LayerRow:
        return self.rows[index]

    def __repr__(self) -> str:
        return text_table(_HEADINGS, self._cells(), _GROUPS)

    def _repr_html_(self) -> str:
        return html_table(_HEADINGS, self._cells(), _GROUPS)

    def _cells(self) -> list[list[object]]:
        return [
            [
                *(row.index, row.name or "", row.layer.kernel_size, row.layer.stride, row.layer.padding),
                *(row.layer.dilation, row.size, row.jump, row.padding, row.center),
            ]
            for row in self.rows
        ]


_GROUPS = [("the layer itself", 6), ("its field in the input", 4)]
_HEADINGS = ["", "layer", "kernel_size", "stride", "padding", "dilation", "size", "jump", "padding", "center"]


def layer_table(layers: Iterable[Layer]) -> LayerTable:
    """The receptive field after each layer, one row a layer.

    Example:
        >>> layer_table([Layer(3, stride=2, padding=1, name="conv1"), Layer(2, stride=2, name="pool")])
                        the layer itself                     its field in the input
           layer  kernel_size  stride  padding  dilation  size  jump  padding  center
        1  conv1            3       2        1         1     3     2        1     0.0
        2  pool             2       2        0         1     5     4        1     1.0

    Args:
        layers: The layers in the order in which data passes through them.

    Returns:
        A table that iterates over its rows, prints as aligned text and shows as HTML in a notebook.

    Raises:
        LayerError: If the stack is empty, or holds anything but `Layer`.
    """
    layers = checked_stack(layers)
    before = jumps(layers)  # the sums below are those of the closed form, stopped after each layer
    sizes = accumulate((layer.extent - 1) * jump for layer, jump in zip(layers, before, strict=True))
    paddings = accumulate(layer.left * jump for layer, jump in zip(layers, before, strict=True))
    rows = [
        LayerRow(index, layer, 1 + grown, jump * layer.stride, padding, grown / 2 - padding)
        for index, (layer, jump, grown, padding) in enumerate(
            zip(layers, before, sizes, paddings, strict=True), start=1
        )
    ]
    return LayerTable(tuple(rows))
