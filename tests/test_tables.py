"""The table of a stack, as text and as HTML, row by row against the fields themselves."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rflib.arithmetic import Layer, receptive_field
from rflib.errors import LayerError
from rflib.tables import html_table, layer_table, text_table

STACK = [Layer(3, 2, 1, name="conv1"), Layer(2, 2, name="pool & <b>"), Layer(3, padding=(2, 0), dilation=2)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(Layer, st.integers(1, 5), st.integers(1, 3), st.integers(-1, 3), st.integers(1, 3)),
        min_size=1,
        max_size=6,
    )
)
def test_each_row_is_the_field_of_the_layers_so_far(layers):
    table = layer_table(layers)
    assert len(table) == len(layers)
    for index, row in enumerate(table, start=1):
        field = receptive_field(layers[:index])
        assert (row.index, row.layer) == (index, layers[index - 1])
        assert (row.size, row.jump, row.padding, row.center) == (
            field.size,
            field.stride,
            field.padding,
            field.center(0),
        )
        assert isinstance(row.center, float)


def test_the_table_is_frozen_and_knows_its_names():
    table = layer_table(STACK)
    assert [row.name for row in table] == ["conv1", "pool & <b>", None]
    assert table[-1].size == 21
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.rows = ()  # type: ignore[misc]


def test_the_text_is_aligned():
    assert repr(layer_table(STACK)).splitlines() == [
        "                   the layer itself                       its field in the input",
        "   layer       kernel_size  stride  padding  dilation  size  jump  padding  center",
        "1  conv1                 3       2        1         1     3     2        1     0.0",
        "2  pool & <b>            2       2        0         1     5     4        1     1.0",
        "3                        3       1   (2, 0)         2    21     4        9     1.0",
    ]


def test_the_html_is_well_formed_escaped_and_says_the_same():
    root = ElementTree.fromstring(layer_table(STACK)._repr_html_())
    assert root.tag == "table"
    groups, heads = root.findall("./thead/tr")
    assert sum(int(cell.attrib["colspan"]) for cell in groups) == len(heads) == 10
    rows = [[cell.text or "" for cell in row] for row in root.findall("./tbody/tr")]
    assert rows[1] == ["2", "pool & <b>", "2", "2", "0", "1", "5", "4", "1", "1.0"]
    assert [len(row) for row in rows] == [10] * 3


def test_a_table_of_nothing_is_refused():
    with pytest.raises(LayerError) as error:
        layer_table([])
    assert str(error.value) == "The stack is empty: give at least one Layer, for instance [Layer(3)]."


def test_a_long_heading_makes_room():
    text = text_table(["a", "b", "c"], [[1, 2, "x"]], groups=[("a long heading", 2), ("c", 1)])
    assert text.splitlines() == ["a long heading  c", "a            b  c", "1            2  x"]


def test_a_table_without_rows_or_groups():
    assert text_table(["name", "n"], []) == "name  n"
    assert html_table(["n"], []) == '<table><thead><tr><th scope="col">n</th></tr></thead><tbody></tbody></table>'
