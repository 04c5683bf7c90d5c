"""Each page of the website in Chromium, without a network: live, readable by everybody, and no link leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from .watched_page import ROOT
from .website import SITE, SitePage, served, site_page

LESSONS = [f"lessons/{path.stem}.html" for path in sorted((ROOT / "lessons").glob("*.ipynb"))]
EXERCISES = [f"exercises/{path.stem}/{path.stem}.html" for path in sorted((ROOT / "exercises").glob("*/*.ipynb"))]
REFERENCE = [f"api/{path.stem}.html" for path in sorted((ROOT / "docs" / "api").glob("*.md"))]
TEXTS = ["README", "INSTRUCTORS", "CONTRIBUTING", "CHANGELOG", "hub/README", "lessons/notation"]
OTHERS = ["index.html", "genindex.html", "search.html", *(f"{name}.html" for name in TEXTS)]
FIRST_VIEW = 2_000_000  # bytes at most, apart from what all pages share
PHONE = {"width": 390, "height": 844}

in_chromium = pytest.mark.needs("chromium", "npm")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as at:
        yield at


@pytest.fixture
def shown(chromium: Browser, address: str) -> Iterator[SitePage]:
    with site_page(chromium, address) as page:
        yield page


@in_chromium
@pytest.mark.parametrize("name", [*LESSONS, *EXERCISES, *REFERENCE, *OTHERS])
def test_page_suits_everybody(shown: SitePage, name: str) -> None:
    shown.open(name)
    assert sum(shown.fetched.values()) < FIRST_VIEW, shown.fetched
    assert shown.sticking_out() == []
    assert shown.serious() == []
    shown.screenshot(Path(name).stem)
    shown.page.evaluate("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    for explorer in shown.explorers:
        shown.move(explorer)
    shown.theme("dark")
    assert shown.serious() == []
    shown.page.set_viewport_size(PHONE)
    shown.page.wait_for_timeout(200)
    assert shown.sticking_out() == []
    shown.screenshot(f"{Path(name).stem}_phone")
    assert shown.complaints == []
    assert shown.foreign == []


@in_chromium
def test_question_is_answered_and_unfolds_what_follows(shown: SitePage) -> None:
    shown.open("lessons/00_start_here.html")
    question, fold = shown.page.locator(".rflib-question").first, shown.page.locator("details.answer").first
    assert "43" not in question.inner_text()
    assert not fold.evaluate("e => e.open")
    question.get_by_label("Your answer").fill("17")
    question.get_by_role("button", name="Commit").click()
    question.get_by_text("The answer: 43").wait_for()
    assert "left out" in question.inner_text()  # the mistake behind 17 is named
    assert fold.evaluate("e => e.open")
    shown.page.reload()
    shown.page.locator(".rflib-question").first.get_by_role("button", name="Show me").click()
    shown.page.get_by_text("Shown, not answered").first.wait_for()
    assert shown.complaints == []


@in_chromium
def test_search_finds_words_of_lessons_and_glossary(shown: SitePage) -> None:
    shown.page.goto(f"{shown.address}/search.html?q=blind+spot")
    results = shown.page.locator("ul.search li")
    results.first.wait_for()
    found = " ".join(results.all_inner_texts())
    assert "Dilation" in found
    assert "Notation and glossary" in found
    assert shown.foreign == []


@in_chromium
def test_theme_and_next_page_by_the_page_s_own_controls(shown: SitePage) -> None:
    shown.open("lessons/00_start_here.html")
    html = shown.page.locator("html")
    for mode in ("Dark", "Light"):
        shown.page.get_by_role("button", name="Color mode").first.click()
        shown.page.get_by_role("button", name=mode, exact=True).first.click()
        assert html.get_attribute("data-theme") == mode.lower()
    shown.page.get_by_role("link", name="next").click()
    shown.page.wait_for_url("**/01_what_is_a_receptive_field.html")


@pytest.fixture(scope="module")
def pages() -> dict[str, BeautifulSoup]:
    with served():
        return {
            path.relative_to(SITE).as_posix(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            for path in sorted(SITE.rglob("*.html"))
            if "_static" not in path.parts  # the theme's own parts are no pages
        }


def targets(soup: BeautifulSoup) -> list[str]:
    """All addresses that a page names."""
    return [str(tag[key]) for key in ("href", "src") for tag in soup.find_all(attrs={key: True})]


def test_no_link_is_broken(pages: dict[str, BeautifulSoup]) -> None:
    names = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in pages.items()}
    broken = []
    for page, soup in pages.items():
        for target in targets(soup):
            if target.startswith(("http:", "https:", "mailto:", "data:")):
                continue
            path, anchor = urldefrag(unquote(target.partition("?")[0] if "#" not in target else target))
            file = (SITE / page).parent / path.partition("?")[0] if path else SITE / page
            at = file.resolve().relative_to(SITE).as_posix()
            if not file.is_file() or (anchor and at in names and anchor not in names[at]):
                broken.append(f"{page}: {target}")
    assert broken == []
    assert sum(len(targets(soup)) for soup in pages.values()) > 1000


def test_every_page_is_opened(pages: dict[str, BeautifulSoup]) -> None:
    assert sorted(pages) == sorted([*LESSONS, *EXERCISES, *REFERENCE, *OTHERS])


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, BeautifulSoup]) -> None:
    loaded = [tag for soup in pages.values() for tag in soup.find_all(["script", "img", "link", "iframe"])]
    foreign = [str(tag)[:200] for tag in loaded if str(tag.get("src") or tag.get("href")).startswith(("http", "//"))]
    assert [tag for tag in foreign if 'rel="canonical"' not in tag] == []


@pytest.mark.parametrize("name", [*LESSONS, *EXERCISES])
def test_download_is_the_notebook_itself(pages: dict[str, BeautifulSoup], name: str) -> None:
    notebook = name.replace(".html", ".ipynb")
    link = next(t for t in targets(pages[name]) if t.endswith(".ipynb") and "_sources" in t)
    assert ((SITE / name).parent / link).read_bytes() == (ROOT / notebook).read_bytes()
