"""Texts and notebooks as pages, and the last touch on pages, on small ones made here."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image

import rflib
from tools.publishing import finishing, pages

ROOT = Path(__file__).resolve().parent.parent.parent
GLOSSARY = """# Words

## Glossary

**Hole, blind spot.** Not read
by the unit.

**Tap.** One $w$ of a kernel. **Bold** stays.
"""
MADE = """:::{glossary}
Hole
blind spot
  Not read
  by the unit.

Tap
  One $w$ of a kernel. **Bold** stays.
:::
"""


def test_glossary_has_every_term_with_its_text() -> None:
    made = pages.text("lessons/notation.md", GLOSSARY)
    assert made.endswith(f"## Glossary\n\n{MADE}")


def test_course_s_own_glossary_loses_no_word() -> None:
    given = (ROOT / "lessons" / "notation.md").read_text(encoding="utf-8")
    words = re.findall(r"[\w$\\]+", given.partition("\n## Glossary\n")[2])
    made = re.findall(r"[\w$\\]+", pages.text("lessons/notation.md", given).partition(":::{glossary}")[2])
    assert words == made


def test_other_texts_stay_as_they_are() -> None:
    assert pages.text("README.md", GLOSSARY) == GLOSSARY


def test_notebook_loses_the_lecturer_s_notes_and_names_its_pictures() -> None:
    picture = nbformat.v4.new_output(
        "display_data", {"image/png": ""}, metadata={"image/png": {"alt": "What it shows."}}
    )
    given = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("See [the map](#The-Map)."),
            nbformat.v4.new_markdown_cell("Clear the outputs.", id="clear-outputs"),
            nbformat.v4.new_markdown_cell("Answers.", metadata={"slideshow": {"slide_type": "notes"}}),
            nbformat.v4.new_code_cell("draw()", outputs=[picture]),
        ]
    )
    made = pages.notebook(given)
    assert [cell.source for cell in made.cells] == ["See [the map](#the-map).", "draw()"]
    assert made.cells[1].metadata["mystnb"] == {"image": {"alt": "What it shows."}}


def site(folder: Path, body: str) -> Path:
    (folder / "_images").mkdir()
    (folder / "_sources" / "lessons").mkdir(parents=True)
    (folder / "lessons").mkdir()
    (folder / "lessons" / "page.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    return folder


def finished(folder: Path, **originals: Path) -> BeautifulSoup:
    finishing.finish(folder, originals)
    return BeautifulSoup((folder / "lessons" / "page.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("kind", ["drawing", "photograph", "small"])
def test_pictures_get_smaller_and_are_loaded_when_in_view(tmp_path: Path, kind: str) -> None:
    folder = site(tmp_path, '<img src="../_images/a.png" alt="A finding.">')
    file = folder / "_images" / "a.png"
    size = (8, 6) if kind == "small" else (400, 300)
    noise = Image.effect_noise(size, 90)
    picture = noise.convert("1").convert("RGB") if kind == "drawing" else Image.merge("RGB", [noise] * 3).rotate(7)
    if kind == "photograph":
        picture = Image.merge("RGB", [Image.effect_noise(size, 60) for _ in range(3)])
    picture.save(file)
    before = file.stat().st_size
    image = finished(folder).img
    assert image is not None
    assert (image["alt"], image["loading"]) == ("A finding.", "lazy")
    assert (image["width"], image["height"]) == tuple(map(str, size))
    made = folder / "lessons" / str(image["src"])
    if kind == "small":
        assert made.name == "a.png"
        return
    assert made.suffix == ".webp"
    assert made.stat().st_size < before
    assert not file.exists()
    with Image.open(made) as now:
        assert now.size == size
        assert (now.convert("RGB").tobytes() == picture.tobytes()) == (kind == "drawing")


def test_signature_of_several_lines_is_no_list_and_search_is_called_what_it_shows(tmp_path: Path) -> None:
    lines = '<dl><dt class="sig">f(<dl><dd>a,</dd><dd>b</dd></dl>)</dt><dd>Text.</dd></dl>'
    search = '<button class="btn search-button-field" aria-label="Search">Search Ctrl K</button>'
    made = finished(site(tmp_path, lines + search))
    assert [dl.dt is not None for dl in made.find_all("dl")] == [True]
    assert [span.text for span in made.select("dt span span.sig-line")] == ["a,", "b"]
    assert made.button is not None
    assert not made.button.has_attr("aria-label")


def test_links_in_outputs_lead_to_pages(tmp_path: Path) -> None:
    links = (
        '<div class="cell_output"><a href="page.ipynb">A</a><a href="none.ipynb">B</a></div><a href="page.ipynb">C</a>'
    )
    made = finished(site(tmp_path, links))
    assert [link["href"] for link in made.find_all("a")] == ["page.html", "none.ipynb", "page.ipynb"]


def test_download_is_the_original(tmp_path: Path) -> None:
    folder, original = site(tmp_path, ""), tmp_path / "original.ipynb"
    original.write_text("{}", encoding="utf-8")
    (folder / "_sources" / "lessons" / "a.ipynb").write_text('{"live": true}', encoding="utf-8")
    finishing.finish(folder, {"lessons/a.ipynb": original})
    assert (folder / "_sources" / "lessons" / "a.ipynb").read_text(encoding="utf-8") == "{}"


def test_reference_has_every_public_name_once() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "api").glob("*.md")))
    assert sorted(re.findall(r"^\.\. auto\w+:: rflib\.(\w+)$", texts, flags=re.MULTILINE)) == rflib.__all__


def test_contents_list_every_lesson_exercise_and_reference_page_in_order() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(?:.*<)?((?:lessons|exercises|api)/[\w/]+)>?$", index, flags=re.MULTILINE)
    lessons = [f"lessons/{path.stem}" for path in sorted((ROOT / "lessons").glob("*.ipynb"))]
    exercises = [f"exercises/{path.stem}/{path.stem}" for path in sorted((ROOT / "exercises").glob("*/*.ipynb"))]
    assert listed[: len(lessons) + len(exercises)] == [*lessons, *exercises]
    assert sorted(listed[len(lessons) + len(exercises) :]) == sorted(
        ["lessons/notation", *(f"api/{path.stem}" for path in (ROOT / "docs" / "api").glob("*.md"))]
    )


@pytest.mark.parametrize("repository", ["", "https://code.example/you/your-copy/"])
def test_links_to_binder_and_files_are_there_for_a_known_repository_alone(
    monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    monkeypatch.setenv("BOOK_REPOSITORY", repository)
    monkeypatch.setattr("sys.path", list(sys.path))
    options = runpy.run_path(str(ROOT / "docs" / "conf.py"))["html_theme_options"]
    assert options["repository_url"] == repository.rstrip("/")
    assert bool(options["launch_buttons"]) == options["use_repository_button"] == bool(repository)
