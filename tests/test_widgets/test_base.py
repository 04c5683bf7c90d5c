"""What all explorers share: files that come together, a picture that none may lack."""

from __future__ import annotations

from pathlib import Path

import pytest

import rflib as rf
from rflib.widgets.base import Explorer, joined


def test_a_script_has_each_neighbor_before_it_and_once(tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export const one = 1;\n", encoding="utf-8")
    (tmp_path / "two.js").write_text('import { one } from "./one.js";\nexport const two = 2 * one;\n', encoding="utf-8")
    script = 'import {\n  one,\n} from "./one.js";\nimport { two } from "./two.js";\nexport default { one, two };\n'
    (tmp_path / "main.js").write_text(script, encoding="utf-8")
    lines = [line for line in joined(tmp_path / "main.js").splitlines() if line]
    assert lines == ["export const one = 1;", "export const two = 2 * one;", "export default { one, two };"]


def test_an_explorer_without_a_picture_cannot_be_made() -> None:
    class Blank(Explorer):
        pass

    with pytest.raises(TypeError, match=r"abstract method '?picture"):
        Blank()


def test_a_learners_own_subclass_keeps_the_script_and_the_style_sheet() -> None:
    class Mine(rf.DilationExplorer):  # type: ignore[name-defined,misc]
        pass

    assert Mine()._esm == rf.DilationExplorer()._esm
    assert ".rflib-dilation" in Mine()._css
    assert ".rflib-explorer {" in Mine()._css
