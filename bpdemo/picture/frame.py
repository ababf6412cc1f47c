"""The frame of a figure: its size in pixels, its fonts, and the result as a heading at its top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bpdemo.picture.labels import wrapped
from bpdemo.picture.palette import FONT, GREY, GRID, INK, PLAIN, SIMULATED, TEXT_PX, TITLE_PX

NO_TICKS: Final = {"ticks": "outside", "ticklen": 8, "tickcolor": "white"}
"""Text at the axis stands a little apart from the panel, without a tick to be seen."""

AXIS: Final = NO_TICKS | {"gridcolor": GRID}

EDGE_PX: Final = 12
HEADING_PX: Final = 10


def say_simulated(figure: Any) -> None:
    """In the corner at the bottom right of a figure with its layout: no machine was measured."""
    margin = figure.layout.margin
    figure.add_annotation(
        xref="paper", x=1, xanchor="right", xshift=margin.r - 8, yref="paper", y=0,
        yanchor="bottom", yshift=6 - margin.b, text=SIMULATED, showarrow=False,
        font={"size": TEXT_PX, "color": GREY},
    )  # fmt: skip


def plain_layout(width_px: float, height_px: float) -> dict[str, Any]:
    """What every figure has in common; series are named at the line, so there is no legend."""
    return {
        **PLAIN, "paper_bgcolor": "white", "template": "none", "showlegend": False,
        "font": {"family": FONT, "size": TEXT_PX, "color": INK},
        "width": width_px, "height": height_px,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """Margins around `inner_px` of panels, and above them the title in as many lines as it needs.

    `above_px` is kept free between title and panels. All in pixels, so that text never meets text.
    """

    title: str
    inner_px: float
    width_px: float = 930
    left_px: float = 86
    right_px: float = 30
    above_px: float = 0
    below_px: float = 60

    @property
    def lines(self) -> list[str]:
        return wrapped(self.title, self.width_px - 2 * EDGE_PX, TITLE_PX, bold=True)

    @property
    def top_px(self) -> float:
        return 28 + 1.3 * TITLE_PX * len(self.lines) + self.above_px

    def layout(self, **more: Any) -> dict[str, Any]:
        """The layout of the figure, to be given before any annotation is added; `more` is what is
        its own: axes, and the like."""
        margin = {"l": self.left_px, "r": self.right_px, "t": self.top_px, "b": self.below_px}
        height_px = self.top_px + self.inner_px + self.below_px
        return plain_layout(self.width_px, height_px) | {
            "margin": margin, "annotations": [self._heading()], **more,
        }  # fmt: skip

    def _heading(self) -> dict[str, Any]:
        # Plotly's own title is cut off at the top when it has two lines.
        return {
            "xref": "paper", "x": 0, "xanchor": "left", "xshift": EDGE_PX - self.left_px,
            "yref": "paper", "y": 1, "yanchor": "top", "yshift": self.top_px - HEADING_PX,
            "text": "<br>".join(f"<b>{line}</b>" for line in self.lines), "align": "left",
            "showarrow": False, "font": {"size": TITLE_PX},
        }  # fmt: skip
