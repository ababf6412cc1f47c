"""`album`: what a learner predicted, measured and explained, on one page without a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from bpdemo.core.slips import forgiving
from bpdemo.lab.home import recall
from bpdemo.lab.predictions.keepsakes import kept_runs
from bpdemo.lab.predictions.predictions import KEPT, asked_and_chosen
from bpdemo.picture.palette import FONT

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun
    from bpdemo.picture.report import Section

TITLE = "My box office: what I predicted, and what happened"
FILE = "album.html"
NONE_MADE = "–"


class Album:
    """Where the page was written, and what is on it. Displayed, it is a link and a table."""

    def __init__(self, path: Path, rows: list[tuple[str, str, str]], pictures: int) -> None:
        self.path = path
        self.rows = rows
        self.pictures = pictures

    @property
    def told(self) -> str:
        """How much is on the page, in words."""
        made = sum(choice != NONE_MADE for _, choice, _ in self.rows)
        counts = {"prediction": made, "outcome": len(self.rows), "picture": self.pictures}
        counted = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts.items())
        return f"Album of {counted}"

    def __repr__(self) -> str:
        return f"<{self.told} in {self.path}>"

    def _link(self) -> str:
        """As a notebook in the current folder reaches it: JupyterLab opens that in a tab."""
        return os.path.relpath(self.path).replace(os.sep, "/")

    def _repr_html_(self) -> str:
        cells = (
            "".join(f"<td style='text-align:left'>{escape(text)}</td>" for text in row)
            for row in self.rows
        )
        lines = "".join(f"<tr>{row}</tr>" for row in cells)
        names = ("lesson", "you said", "measured")
        head = f"<tr>{''.join(f'<th style=text-align:left>{name}</th>' for name in names)}</tr>"
        return (
            f"<div style='font:16px {FONT}'><p><b>{escape(self.told)}</b> in "
            f"<a href='{escape(self._link(), quote=True)}' target='_blank'>{escape(self._link())}"
            f"</a><br>It needs no network and can be sent to colleagues: {escape(str(self.path))}"
            f"</p><table>{head}{lines}</table></div>"
        )


@forgiving
def album(path: str | Path | None = None) -> Album:
    """Collect every prediction that met its outcome, with the learner's own pictures.

    Writes one HTML file (some 5 MB) to `path`, or to album.html in my-work/ if there is such a
    folder here or above, else in reports/.
    """
    from bpdemo.picture.report import write_report

    target = Path(path) if path else _folder() / FILE
    runs = dict(kept_runs())
    sections, rows = [], []
    for name in sorted(recall(KEPT)):
        asked, chosen = asked_and_chosen(name)
        if not chosen.get("measured"):
            continue
        rows.append((name, chosen.get("choice") or NONE_MADE, chosen["measured"]))
        sections.append(_section(name, asked.text, chosen, runs.get(name)))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_report(target, TITLE, sections)
    return Album(target.resolve(), rows, sum(section.figure is not None for section in sections))


def _section(name: str, question: str, chosen: Mapping[str, str], run: LoadRun | None) -> Section:
    from bpdemo.picture.report import Section

    said = chosen.get("choice")
    told = [f"I said: {said}." if said else "I made no prediction."]
    told.append(f"Measured: {chosen['measured']}")
    if why := chosen.get("explanation"):
        told.append(f"My explanation: {why}")
    return Section(
        f"{name} · {question}",
        "\n\n".join(told),
        figure=run.figure() if run else None,
        alt=chosen["measured"],
    )


def _folder() -> Path:
    here = Path.cwd()
    found = (place / "my-work" for place in (here, *here.parents))
    return next((folder for folder in found if folder.is_dir()), here / "reports")
