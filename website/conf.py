"""How Sphinx makes the site of what `website/sources.py` lays out for it."""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from website.docstrings import as_rst  # noqa: E402

#: What the build knows of itself: see `website/build.py`.
TOLD = json.loads(os.environ.get("BPDEMO_SITE", "{}"))

project = "The workshop on backpressure"
author = copyright = "the bpdemo contributors"
language = "en-GB"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
exclude_patterns: list[str] = []

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page of the project's may leave out a level
highlight_language = "none"
smartquotes = False  # "process" in a docstring is code
# A single backtick in a docstring is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
viewcode_line_numbers = True

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = [str(ROOT / "website" / "_static"), *TOLD.get("static", [])]
templates_path = [str(ROOT / "website" / "_templates")]
html_favicon = str(ROOT / "website" / "_static" / "favicon.svg")
html_css_files = ["site.css"]
html_js_files = ["pictures.js"]
html_copy_source = False
html_show_sourcelink = False
html_context = {"built": TOLD.get("built", ""), "default_mode": "auto"}
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "header_links_before_dropdown": 8,
    "footer_start": ["built"],
    "footer_center": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars: dict[str, list[str]] = {"index": [], "playground": []}


def setup(app):  # type: ignore[no-untyped-def]
    app.connect("autodoc-process-docstring", as_rst)
