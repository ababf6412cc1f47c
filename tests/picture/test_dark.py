"""Pictures on a dark page: every colour keeps the name by which the texts call it."""

import colorsys
from pathlib import Path

import pytest

from bpdemo.picture.dark import INSTEAD, rules
from bpdemo.picture.palette import FATE_COLOURS, INK_ON
from bpdemo.picture.report import STYLE

ROOT = Path(__file__).resolve().parents[2]
IN_LAB = 'body[data-jp-theme-light="false"]'
#: The half turn of `hue-rotate`, by the matrix of CSS's filter effects.
HALF_TURN = ((-0.574, 1.430, 0.144), (0.426, 0.430, 0.144), (0.426, 1.430, -0.856))
#: Degrees of hue, by which a colour is what it is called; green and blue lie far from both.
HUES = {"ok": (140, 180), "late": (28, 48), "shed": (190, 215), "failed": (5, 24)}

Colour = tuple[float, float, float]


def colour(code: str) -> Colour:
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def drawn(code: str) -> str:
    """As a browser writes it."""
    return f"rgb({', '.join(str(round(255 * each)) for each in colour(code))})"


def turned(code: str) -> Colour:
    """What is seen of it on a dark page."""
    given = [0.933 - 0.866 * each for each in colour(INSTEAD.get(drawn(code), code))]
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, given, strict=True)))) for row in HALF_TURN
    )
    return red, green, blue


def luminance(seen: Colour) -> float:
    parts = (e / 12.92 if e <= 0.03928 else ((e + 0.055) / 1.055) ** 2.4 for e in seen)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("fate", FATE_COLOURS)
def test_a_fate_keeps_its_hue_and_letters_on_it_can_be_read(fate: str) -> None:
    """Orange is no brown, and red no orange."""
    ground, letters = turned(FATE_COLOURS[fate]), turned(INK_ON[fate])
    least, most = HUES[fate]
    assert least <= 360 * colorsys.rgb_to_hsv(*ground)[0] <= most
    low, high = sorted((luminance(ground), luminance(letters)))
    assert (high + 0.05) / (low + 0.05) >= 4


def test_late_is_as_much_lighter_than_failed_as_on_a_white_page() -> None:
    """Both are reddish: it is their lightness that tells them apart for most people."""
    late, failed = (luminance(turned(FATE_COLOURS[fate])) for fate in ("late", "failed"))
    assert (late + 0.05) / (failed + 0.05) > 1.5


@pytest.mark.parametrize(
    ("sheet", "picture"),
    [
        (
            "bpdemo/lab/dark.css",
            'body[data-jp-theme-light="false"] .js-plotly-plot:not(.bp-stage *)',
        ),
        ("playground/playground.css", "#pictures > div"),
        ("website/_static/site.css", "html[data-theme=dark] .picture"),
        ("", ".js-plotly-plot"),
    ],
)
def test_every_page_has_the_same_rules(sheet: str, picture: str) -> None:
    """Four hosts, each with a sheet of its own; the last is the report's."""
    text = (ROOT / sheet).read_text("utf-8") if sheet else STYLE
    assert set(rules(picture)) <= {line.strip() for line in text.splitlines()}
