"""A report in one HTML file that needs no network: pictures, words, numbers."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import plotly.io as pio
from plotly.offline import get_plotlyjs

from bpdemo.core.whole_file import write_whole
from bpdemo.picture.dark import rules

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAGE: Final = """
body { font: 17px/1.5 'Open Sans', Verdana, Arial, sans-serif; color: #222; background: #fff;
       margin: 2em auto;
       max-width: 1280px; padding: 0 1em }
h1 { font-size: 30px } h2 { font-size: 23px; margin-top: 2em }
table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .3em .9em }
.number { text-align: right }
tr + tr td { border-top: 1px solid #e3e3e3 }
figure, pre { margin: 1em 0; overflow-x: auto }
figure { container-type: inline-size }
figure > div { zoom: min(1, calc(100cqi / var(--drawn))) }
a { color: #005a8e }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark }
  body { color: #e4e4e4; background: #111 }
  tr + tr td { border-top-color: #3a3a3a }
  a { color: #8ec8f0 }
}
"""
STYLE: Final = "\n".join(
    [PAGE, "@media screen and (prefers-color-scheme: dark) {", *rules(".js-plotly-plot"), "}", ""]
)
"""A picture is drawn smaller as a whole where there is less room than its width; a browser that
cannot divide lengths shows a scroll bar instead. A reader's dark theme is followed on the screen,
and never on paper."""

NUMBER: Final = re.compile(r"[-−+]?\.?\d")
"""How the text of a number begins."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a paragraph or more, a table of cells (its first row is its head; columns
    of numbers are aligned right), lines of code, a picture and what the picture shows in words (for
    those who cannot see it)."""

    heading: str
    text: str = ""
    rows: Sequence[Sequence[object]] = ()
    figure: go.Figure | None = None
    alt: str = field(default="")
    code: str = ""


def write_report(path: str | Path, title: str, sections: Sequence[Section]) -> Path:
    """Write the report to `path` and return it. Plotly's script goes in once, some 5 MB."""
    target = Path(path)
    has_figures = any(section.figure is not None for section in sections)
    script = f"<script>{get_plotlyjs()}</script>" if has_figures else ""
    name = html.escape(title)
    body = "".join(_section(section) for section in sections)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{name}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style>{script}</head>'
        f"<body><h1>{name}</h1>{body}</body></html>"
    )
    write_whole(target, page.encode())
    return target


def _section(section: Section) -> str:
    parts = [f"<section><h2>{html.escape(section.heading)}</h2>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in section.text.split("\n\n") if text]
    if section.rows:
        parts.append(_table(section.rows))
    if section.code:
        parts.append(f"<pre>{html.escape(section.code)}</pre>")
    if section.figure is not None:
        parts.append(_figure(section.figure, section.alt or section.text))
    return "".join([*parts, "</section>"])


def _table(rows: Sequence[Sequence[object]]) -> str:
    head, *body = rows
    columns = zip(*rows, strict=True)
    classes = [' class="number"' if _are_numbers(column[1:]) else "" for column in columns]

    def row(cells: Sequence[object], tag: str) -> str:
        told = (html.escape(str(cell)) for cell in cells)
        return "".join(f"<{tag}{c}>{t}</{tag}>" for t, c in zip(told, classes, strict=True))

    lines = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in body)
    return f"<table><tr>{row(head, 'th')}</tr>{lines}</table>"


def _are_numbers(column: Sequence[object]) -> bool:
    """Whether most cells of a column are numbers, with a unit or without."""
    return sum(bool(NUMBER.match(str(cell))) for cell in column) > len(column) / 2


def _figure(figure: go.Figure, alt: str) -> str:
    drawn = pio.to_html(figure, full_html=False, include_plotlyjs=False)
    told = html.escape(alt, quote=True)
    width = f"--drawn: {figure.layout.width or 700}px"  # Plotly's own, where none is said
    return f'<figure role="img" aria-label="{told}" style="{width}">{drawn}</figure>'
