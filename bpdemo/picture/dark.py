"""Pictures on a dark page: turned as a whole, dark on white to light on black, in one rule.

A half turn of the hue gives each colour its name back, but for the light ones: orange would become
brown, and vermilion orange, which is the name of another fate. These two are replaced by what is
orange and red *after* the turn, and letters on orange stay dark.
"""

from __future__ import annotations

from typing import Final

#: What `invert` and `hue-rotate` do to a colour, by the filter effects module of CSS.
TURN: Final = "invert(0.933) hue-rotate(180deg)"
#: By the colour in which it is drawn, as browsers write it, what is drawn on a dark page instead.
INSTEAD: Final = {
    "rgb(230, 159, 0)": "#A45300",  # late: #D9924B when turned
    "rgb(213, 94, 0)": "#FF8036",  # failed: #C85A1A
    "rgb(26, 16, 0)": "#FFFFFF",  # letters on late: #111111
}


def rules(picture: str) -> list[str]:
    """The lines of a style sheet for pictures that this selector finds."""
    return [
        f"{picture} {{ filter: {TURN} }}",
        *(
            f'{picture} :is([style*="{how}: {drawn}"], [{how}="{drawn}"]) '
            f"{{ {how}: {instead} !important }}"
            for drawn, instead in INSTEAD.items()
            for how in ("fill", "stroke")
        ),
    ]
