"""The last touch on the pages that Sphinx has made: small pictures, loaded when in view; the original notebooks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from PIL import Image

SMALL = 20_000  # bytes: a picture below this stays as it is
QUALITY = 88  # of a photograph; drawings lose nothing


def finish(site: Path, originals: Mapping[str, Path]) -> None:
    """Finish a website in its folder.

    Args:
        site: What Sphinx has made.
        originals: Notebooks as the repository has them, by the address of their page's source.
    """
    smaller = {file.name: _smaller(file) for file in sorted((site / "_images").glob("*.png"))}
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for image in soup.find_all("img"):
            _finish_image(image, page.parent, smaller)
        _mend(soup)
        _lead_to_pages(soup, page.parent)
        page.write_text(str(soup), encoding="utf-8")
    for name, file in originals.items():
        shutil.copyfile(file, site / "_sources" / name)


def _smaller(file: Path) -> tuple[str, int, int]:
    """A picture in as few bytes as WebP takes: its new name, its width and its height."""
    with Image.open(file) as picture:
        width, height = picture.size
        if file.stat().st_size < SMALL:
            return file.name, width, height
        goal, colors = file.with_suffix(".webp"), picture.convert("RGB")
        is_drawing = colors.getcolors(1 << 15) is not None
        colors.save(goal, lossless=is_drawing, quality=100 if is_drawing else QUALITY, method=4)
    file.unlink()
    return goal.name, width, height


def _mend(soup: BeautifulSoup) -> None:
    """What the theme leaves to be desired for those who hear a page."""
    for button in soup.select("button.search-button-field"):
        del button["aria-label"]  # it would hide the words that the button shows
    for lines in soup.select("dt.sig dl"):  # a signature of several lines is no list of terms
        for line in lines.find_all("dd"):
            line.name, line["class"] = "span", "sig-line"
        lines.name = "span"


def _lead_to_pages(soup: BeautifulSoup, folder: Path) -> None:
    """Links in the outputs of cells lead to notebooks; here they lead to the notebooks' pages."""
    for link in soup.select('.cell_output a[href$=".ipynb"]'):
        page = str(link["href"]).removesuffix(".ipynb") + ".html"
        if (folder / page).is_file():
            link["href"] = page


def _finish_image(image: Tag, folder: Path, smaller: Mapping[str, tuple[str, int, int]]) -> None:
    source = str(image.get("src", ""))
    path, _, name = unquote(source).rpartition("/")
    if name not in smaller or not path.endswith("_images"):
        return
    new, width, height = smaller[name]
    image["src"] = f"{path}/{new}"
    image["loading"], image["decoding"] = "lazy", "async"
    if not image.get("width") and not image.get("style"):
        image["width"], image["height"] = str(width), str(height)
