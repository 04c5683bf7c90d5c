"""Every slide of every deck in Chromium, from disk and without a network: nothing runs over, all explorers are live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tools.publishing import slides

from .watched_page import ROOT, WatchedPage

LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
PROJECTOR = {"width": 1024, "height": 768}
PATIENCE = 60  # seconds for one step: not a measurement, only an end to waiting
THE_SAME_IN_DARK = "11_effective_theory"  # one deck stands for all: they share their style sheet

in_chromium = pytest.mark.needs("chromium", "npm")

# What is wrong with a page, as a list of sentences. A page is looked at with all its fragments shown.
WALK = """async ([text, code, explorer, holding]) => {
  const problems = [];
  for (const page of Reveal.getSlides().filter(page => page.querySelector(holding))) {
    const {h, v} = Reveal.getIndices(page);
    Reveal.slide(h, v ?? 0);
    page.querySelectorAll('.fragment').forEach(fragment => fragment.classList.add('visible'));
    const frames = page.querySelector('.live') ? 3 : 1; // a widget finds its size in the frames after it is seen
    for (let frame = 0; frame < frames; frame++) await new Promise(requestAnimationFrame);
    const wrong = said => problems.push(`page ${h}.${v ?? 0}: ${said}`);
    const box = page.getBoundingClientRect();
    if (box.width < 0.99 * innerWidth || box.top < -1 || box.top > 1) wrong(`does not fill the screen: ${box.width}`);
    if (page.scrollHeight > page.clientHeight + 1) wrong(`${page.scrollHeight} high`);
    if (!page.innerText.trim() && !page.querySelector('img')) wrong('empty');
    const shown = [...page.querySelectorAll('*')].filter(e => !e.closest('aside.notes, .live > *, mjx-assistive-mml'));
    for (const e of shown) {
      const r = e.getBoundingClientRect();
      const isOut = r.bottom > box.bottom || r.right > box.right || r.left < box.left || r.top < box.top;
      if (r.width && r.height && isOut) wrong(`${e.outerHTML.slice(0, 80)} sticks out`);
      const own = [...e.childNodes].some(node => node.nodeType === 3 && node.data.trim());
      const small = e.closest('pre, code') ? code : e.closest('table, .running, summary') ? code : text;
      const size = parseFloat(getComputedStyle(e).fontSize);
      if (own && r.width && size < small) wrong(`${size} px: ${e.outerHTML.slice(0, 80)}`);
    }
    for (const live of page.querySelectorAll('.live')) {
      const zoom = Number(getComputedStyle(live).getPropertyValue('--zoom'));
      if (zoom < explorer - 0.001) wrong(`an explorer at ${zoom} of its size`);
      if (!live.querySelector('.rflib-explorer')) wrong('an explorer is missing');
      const isStill = [...live.closest('.cell').querySelectorAll('.jp-RenderedImage')].some(e => e.offsetHeight);
      if (isStill) wrong('a picture stands beside its live explorer');
    }
    const asked = [...page.querySelectorAll('[data-asks]')].flatMap(cell => cell.dataset.asks.split(' '));
    for (const name of asked) {
      if (page.querySelector(`[data-tags~="answers-${name}"]`)) wrong(`the answer to ${name} stands beside it`);
    }
    const cells = [...page.querySelectorAll('.cell')];
    if (cells.length && cells.every(cell => [...cell.children].every(e => /^H[1-4]$/.test(e.tagName))))
      wrong('a heading alone');
  }
  return problems;
}"""

# Press "Show me" of every question; what comes then is seen on its page.
ASK_ALL = """() => {
  const questions = [...document.querySelectorAll('.live .rflib-question')];
  for (const question of questions) {
    [...question.querySelectorAll('button')].find(button => button.textContent.includes('Show me')).click();
  }
  return questions.length;
}"""

ALL_FRAGMENTS = "() => { const {h, v} = Reveal.getIndices(); Reveal.slide(h, v ?? 0, 99); }"

# All pages one below the other, for axe-core, which sees only what is shown.
ALL_AT_ONCE = """
.reveal .slides > section, .reveal .slides > section > section, .reveal .fragment {
  display: block !important; position: static !important; visibility: visible !important; opacity: 1 !important;
  transform: none !important;
}
.reveal, .reveal .slides, html, body {
  height: auto !important; overflow: visible !important; position: static !important; transform: none !important;
}"""
SHOW_ALL = """() => document.querySelectorAll('.slides section').forEach(page => {
  page.hidden = page.inert = false;
  page.removeAttribute('aria-hidden');
})"""


@pytest.fixture(scope="session")
def folder() -> Path:
    """The decks as `make slides` makes them; what is older than its sources is made anew."""
    if slides.stale(slides.BUILT):
        slides.build_all(LESSONS, slides.BUILT)
    return slides.BUILT


class Deck(WatchedPage):
    """A deck in Chromium."""

    def open(self, name: str) -> None:
        self.page.goto(f"{self.address}/{name}")
        self.page.wait_for_selector("body[data-ready]")

    @property
    def place(self) -> list[int]:
        return self.page.evaluate("() => { const {h, v} = Reveal.getIndices(); return [h, v ?? 0]; }")

    def problems(self, holding: str = "*") -> list[str]:
        """What is wrong with the pages that hold an element, by default with all."""
        return self.page.evaluate(WALK, [slides.TEXT_FLOOR, slides.CODE_FLOOR, slides.EXPLORER_FLOOR, holding])

    def show(self, index: int) -> None:
        """The page that holds the widget of this number."""
        self.page.evaluate(
            """index => {
                 const page = document.querySelectorAll('.live')[index].closest('section');
                 const {h, v} = Reveal.getIndices(page);
                 Reveal.slide(h, v ?? 0, 99);
               }""",
            index,
        )

    def move_explorers(self) -> int:
        """Move every explorer once by keys; the slides stay where they are."""
        moved = 0
        for index, live in enumerate(self.page.locator(".live").all()):
            if live.locator(".rflib-question").count():
                continue
            self.show(index)
            place = self.place
            self.move(live)
            assert self.place == place
            moved += 1
        return moved


@pytest.fixture
def deck(chromium: Browser, folder: Path) -> Iterator[Deck]:
    context = chromium.new_context(viewport=PROJECTOR, color_scheme="light")
    context.set_default_timeout(1000 * PATIENCE)
    shown = Deck(context.new_page(), folder.resolve().as_uri())
    shown.watch()
    yield shown
    context.close()


@in_chromium
@pytest.mark.parametrize("name", [path.stem for path in LESSONS])
def test_deck_is_readable_live_and_alone(deck: Deck, name: str) -> None:
    deck.open(f"{name}.html")
    assert deck.problems() == []
    assert deck.page.evaluate(ASK_ALL) >= 4
    assert deck.problems(holding=".live") == [], "after all questions were answered"
    assert deck.page.locator(".live button:text-is('Show me'):not([hidden])").count() == 0
    assert deck.move_explorers() >= 1
    notes = deck.page.locator("aside.notes").all_text_contents()
    assert len([note for note in notes if re.search(r"\d+ minutes", note)]) >= 3
    deck.page.evaluate(SHOW_ALL)
    deck.page.add_style_tag(content=ALL_AT_ONCE)
    assert deck.serious() == []
    if name == THE_SAME_IN_DARK:
        deck.page.evaluate("() => deckTheme.toggle()")
        assert deck.serious() == []
    assert deck.complaints == []
    assert deck.foreign == []


def background(page: Page) -> str:
    return page.evaluate("() => getComputedStyle(document.body).backgroundColor")


@in_chromium
def test_keys_move_the_slides_and_change_the_theme(deck: Deck) -> None:
    deck.open("03_layer_by_layer.html")
    assert deck.place == [0, 0]
    for key, place in (("ArrowRight", [1, 0]), ("Space", [2, 0]), ("PageUp", [1, 0]), ("PageDown", [2, 0])):
        for _ in range(4):  # fragments come first
            deck.page.keyboard.press(key)
            if deck.place == place:
                break
        assert deck.place == place
    light = background(deck.page)
    deck.page.keyboard.press("d")
    assert background(deck.page) != light
    deck.page.wait_for_function("() => location.hash === '#/2'")
    deck.page.reload()
    deck.page.wait_for_selector("body[data-ready]")
    assert deck.place == [2, 0]
    assert background(deck.page) != light, "the choice is kept"
    assert deck.complaints == []


@in_chromium
def test_a_wrong_answer_is_explained_on_its_page(deck: Deck) -> None:
    deck.open("03_layer_by_layer.html")
    deck.show(0)
    question = deck.page.locator(".live .rflib-question").first
    box = question.locator("input")
    box.fill("6")
    box.press("ArrowRight")
    place = deck.place
    question.get_by_role("button", name="Commit").click()
    deck.page.wait_for_function("text => document.querySelector('.live').textContent.length > text", arg=250)
    assert deck.place == place
    assert deck.problems() == []
    assert re.search(r"\b7\b", question.inner_text())


@in_chromium
def test_a_lecturer_comes_back_to_the_slides_by_keys(deck: Deck) -> None:
    deck.open("03_layer_by_layer.html#/ask-order")
    deck.page.evaluate(ALL_FRAGMENTS)
    at = deck.place
    assert deck.page.evaluate("() => Boolean(Reveal.getCurrentSlide().querySelector('[data-cell=ask-order]'))")
    question = deck.page.locator("section.present .rflib-question")
    question.locator("input").fill("6")
    question.locator("input").press("Enter")
    question.get_by_text("The answer: 7").wait_for()
    deck.page.wait_for_function("() => document.activeElement.matches('.rflib-result')")
    zoom = "Number(getComputedStyle(e.closest('.live')).getPropertyValue('--zoom'))"
    size = question.evaluate(f"e => parseFloat(getComputedStyle(e.querySelector('.rflib-result')).fontSize) * {zoom}")
    assert size >= 16, "what is said of an answer is read from the last row"
    deck.page.keyboard.press("PageDown")
    assert deck.place != at, "a question that was answered keeps no key"
    deck.page.wait_for_function("() => location.hash !== '#/ask-order'")  # reveal.js writes it a little later
    deck.page.evaluate("() => { location.hash = '#/stack-explorer'; }")
    deck.page.wait_for_selector("section.present .rflib-stack")
    deck.page.evaluate(ALL_FRAGMENTS)
    picture = deck.page.locator("section.present .rflib-stack [role=application]").first
    picture.focus()
    assert not deck.page.locator(".reveal .controls").is_visible(), "its arrows would lie over buttons"
    at = deck.place
    deck.page.keyboard.press("Space")
    assert deck.place == at, "an explorer keeps its keys"
    deck.page.keyboard.press("Escape")
    assert not deck.page.evaluate("() => Reveal.isOverview()")
    deck.page.keyboard.press("Space")
    assert deck.place != at
    deck.page.keyboard.press("PageUp")
    assert deck.place == at
    deck.page.evaluate(ALL_FRAGMENTS)
    picture.focus()
    deck.page.keyboard.press("n")
    assert deck.place != at, "N moves the slides wherever the focus is"
    assert deck.complaints == []


@in_chromium
def test_the_speaker_view_opens_from_disk_with_notes_and_a_clock(deck: Deck) -> None:
    deck.open("03_layer_by_layer.html")
    deck.page.evaluate("() => Reveal.slide(2, 0)")
    with deck.page.context.expect_page() as opened:
        deck.page.keyboard.press("s")
    speaker = opened.value
    speaker.wait_for_function("() => document.querySelector('.speaker-controls-notes .value')?.textContent.trim()")
    assert "4 minutes" in speaker.inner_text(".speaker-controls-notes .value")
    speaker.wait_for_function("() => /\\d/.test(document.querySelector('.pacing').textContent)")
    current = speaker.frame_locator("#current-slide iframe")
    current.locator("body[data-ready]").wait_for()
    # A key that is pressed there moves both windows.
    speaker.keyboard.press("ArrowRight")
    deck.page.wait_for_function("() => Reveal.getIndices().f === 0 || Reveal.getIndices().h === 3")
    assert deck.complaints == []
    assert deck.foreign == []


@in_chromium
def test_the_index_leads_to_every_deck(deck: Deck, folder: Path) -> None:
    deck.page.goto(f"{deck.address}/index.html")
    links = [str(link.get_attribute("href")) for link in deck.page.locator("li a").all()]
    assert links == [f"{path.stem}.html" for path in LESSONS]
    assert [link for link in links if not (folder / link).is_file()] == []
    rows = deck.page.locator("li").all_inner_texts()
    assert [row for row in rows if not re.search(r"\d+ minutes\n.*\?", row)] == []
    assert deck.serious() == []
    assert deck.complaints == []
