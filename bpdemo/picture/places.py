"""Where a request stands in the picture of single requests: at the door, in the queue, at a worker,
or at one of the ways out. In pixels of a picture narrow enough for a telephone.
"""

from __future__ import annotations

from typing import Any, Final

SHEET_PX: Final = (396, 270)
"""Width and height of all of it; a page draws it as wide as there is room for."""
DOT_PX: Final = 5
"""Radius of a request."""
TOP_PX: Final = 52
ENTRY_X: Final = 14
QUEUE_X: Final = (46, 166)
SEATS_X: Final = 192
EXIT_X: Final = 280
ROW_PX: Final = 12
ROWS: Final = 15
SEAT_PX: Final = 22
SEAT_ROWS: Final = 8
SEAT_COLUMNS: Final = 4

Place = tuple[float, float]


def places() -> dict[str, Any]:
    """Each place by its name: those in the queue and at the workers in the order of their use. More
    than there is room for stand at the last one; the figure above them says how many they are."""
    (width, height), (left, right) = SHEET_PX, QUEUE_X
    columns = range(right, left - 1, -ROW_PX)
    return {
        "width": width,
        "height": height,
        "radius": DOT_PX,
        "entry": [(ENTRY_X, TOP_PX + ROW_PX * row) for row in range(ROWS)],
        "queue": [(x, TOP_PX + ROW_PX * row) for x in columns for row in range(ROWS)],
        "seats": [
            (SEATS_X + SEAT_PX * column, TOP_PX + SEAT_PX * row)
            for column in range(SEAT_COLUMNS)
            for row in range(SEAT_ROWS)
        ],
        "exits": [(EXIT_X, TOP_PX + 40 * row) for row in range(5)],
        "notes": (left - 5, TOP_PX + ROW_PX * ROWS + 5),
        "legend": (left, height - 12),
        "figures": [(left - 5, 33), (SEATS_X - 10, 33)],
        "heads": [(ENTRY_X - 8, 16), (left + 16, 16), (SEATS_X - 10, 16), (EXIT_X - 6, 16)],
    }
