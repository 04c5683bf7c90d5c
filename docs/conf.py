"""Settings of Sphinx for the website. `make book` calls it, by tools/publishing/book.py, which lays the sources out."""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rflib  # noqa: E402

project = "The receptive field"
author = "The rflib authors"
copyright = "the rflib authors; text and figures CC BY 4.0, code MIT"
release = rflib.__version__
language = "en"
smartquotes = False  # quotation marks of code are code

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "tools.publishing.sphinx_course",
]
exclude_patterns = ["_*"]

# Notebooks come with their outputs; what is live on the page was run by tools/publishing/live.py.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {"explorers.js": {"defer": "defer"}}
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence", "html_image", "attrs_block"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
copybutton_selector = "div.cell_input pre, div.highlight-python pre, div.highlight-sh pre"
copybutton_exclude = ".linenos, .gp, .go"

# Docstrings: Google sections, and the field's own heading for a source.
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Reference", "returns_style"), ("Example", "example")]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
add_module_names = False

# Nothing comes from another host: MathJax is one file of the site, its glyphs within.
mathjax_path = "mathjax.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_title = "The receptive field"
html_static_path = [str(ROOT / "docs" / "_static"), *json.loads(os.environ.get("BOOK_STATIC", "[]"))]
html_extra_path = json.loads(os.environ.get("BOOK_EXTRA", "[]"))
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_copy_source = True
html_sourcelink_suffix = ""
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"

# Where readers find the notebooks: make book REPOSITORY=address BRANCH=main
_repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
html_theme_options = {
    "path_to_docs": "",
    "repository_url": _repository,
    "repository_branch": os.environ.get("BOOK_BRANCH", "main"),
    "use_repository_button": bool(_repository),
    "use_issues_button": bool(_repository),
    "use_download_button": True,
    "use_fullscreen_button": False,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"}
    if _repository
    else {},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
