"""What cells have shown, made fit for a page: pictures as data, no widgets, sources linked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any, Final

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from bpdemo.lab.predictions.printed import PRINTED

PLOTLY: Final = "application/vnd.plotly.v1+json"
WIDGET: Final = "application/vnd.jupyter.widget-view+json"
HTML: Final = "text/html"
SVG: Final = "image/svg+xml"
#: What `show` gives: name, place, code.
SHOWN: Final = re.compile(r"\*\*`(.+?)`\*\* · (.+?)(, lines .+?)\n\n`{3,}python\n(.*)\n`{3,}", re.S)
TAG: Final = re.compile(r"<br>|</?[a-z]+[^>]*>")
#: To a file of the learner's, or to a service that has ended: on a page only its text is left.
OWN_LINK: Final = re.compile(r"<a\b[^>]*\bhref=(['\"])(?!https:)[^'\"]*\1[^>]*>(.*?)</a>", re.S)

Linked = Callable[[str], str | None]
"""The address of the page of a source file, or None where there is none."""


def shown(output: dict[str, Any], linked: Linked) -> dict[str, Any] | None:
    """The output as the page shows it; None where there is nothing to show."""
    data = output.get("data")
    if data is None:
        return output
    html = _html_of(data, linked)
    if html is None and WIDGET in data:
        return None
    if html is None:
        left = {HTML: _unlinked(str(data[HTML]))} if HTML in data else {}
        return output | {"data": data | left}
    return output | {"data": {HTML: html, "text/plain": data.get("text/plain", "")}}


def _html_of(data: dict[str, Any], linked: Linked) -> str | None:
    if PRINTED in data:
        return str(data[PRINTED])
    if PLOTLY in data:
        return picture(data[PLOTLY], str(data.get("text/plain", "")))
    if found := SHOWN.fullmatch(str(data.get("text/markdown", "")).strip()):
        return source(found[1], found[2], found[3], found[4], linked)
    if WIDGET in data and SVG in data:
        return still(str(data[SVG]), str(data.get("text/plain", "")))
    return _unlinked(str(data[HTML])) if WIDGET in data and HTML in data else None


def _unlinked(html: str) -> str:
    return OWN_LINK.sub(r"\2", html)


def still(svg: str, told: str) -> str:
    """What stands for an animation where no script of it runs, over its sentence."""
    return f'<figure class="still">{svg}<figcaption>{escape(told)}</figcaption></figure>'


def picture(figure: dict[str, Any], told: str) -> str:
    """A place for plotly.js to draw in, and the figure as JSON, which no `</script>` can end."""
    drawn = {"data": figure.get("data", []), "layout": figure.get("layout", {})}
    text = json.dumps(drawn, separators=(",", ":")).replace("<", "\\u003c")
    name = escape(result_of(figure) or told, quote=True)
    height_px = figure.get("layout", {}).get("height") or 450
    return (
        f'<div class="picture" role="img" aria-label="{name}" style="min-height:{height_px}px">'
        f'<script type="application/json">{text}</script></div>'
    )


def result_of(figure: dict[str, Any]) -> str:
    """What the picture says in words: its title, or what is written in bold at its head."""
    layout = figure.get("layout", {})
    title = layout.get("title", "")
    title = title.get("text", "") if isinstance(title, dict) else title
    if title:
        return _plain(title)
    notes = layout.get("annotations", [])
    heads = [note for note in notes if str(note.get("text", "")).startswith("<b>")]
    heads = [note for note in heads if note.get("yref") == "paper"]
    top = max((note.get("y", 0) for note in heads), default=0)
    return " ".join(_plain(note["text"]) for note in heads if note.get("y", 0) == top)


def _plain(text: str) -> str:
    return unescape(re.sub(r"\s+", " ", TAG.sub(" ", text))).strip()


def source(name: str, file: str, lines: str, code: str, linked: Linked) -> str:
    """A piece of the project's code, under a line that leads to the whole file."""
    address = linked(file)
    place = f'<a href="{escape(address)}">{escape(file)}</a>' if address else escape(file)
    marked = highlight(code, PythonLexer(), HtmlFormatter(nowrap=True))
    return (
        f"<p><strong><code>{escape(name)}</code></strong> · {place}{escape(lines)}</p>"
        f'<div class="highlight"><pre>{marked}</pre></div>'
    )
