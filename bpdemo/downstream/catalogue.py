"""What a fresh store sells: ten acts on tour through ten halls, a hundred items in all."""

from typing import NamedTuple


class CatalogueEntry(NamedTuple):
    """An item before it has any stock."""

    id: int
    name: str
    price_cents: int


_ACTS = (
    ("The Paper Lanterns", 4500),
    ("Nightingale Express", 6200),
    ("Ada and the Engines", 5100),
    ("Slow Comet", 3900),
    ("The Salt Road Orchestra", 8800),
    ("Marigold Parade", 4200),
    ("Velvet Semaphore", 5600),
    ("Hundred Small Drums", 3500),
    ("Copper Kettle Quartet", 2900),
    ("The Last Tram Home", 7400),
)
_HALLS = (
    ("Harbour Hall", 0),
    ("Old Brewery", -400),
    ("City Park", 300),
    ("Opera House", 2500),
    ("Riverside Arena", 1800),
    ("Lighthouse Stage", 200),
    ("Market Square", -600),
    ("Observatory", 900),
    ("Winter Garden", 700),
    ("Railway Depot", -200),
)


def _entries() -> tuple[CatalogueEntry, ...]:
    shows = [(f"{act}, {hall}", price + extra) for act, price in _ACTS for hall, extra in _HALLS]
    return tuple(CatalogueEntry(id, *show) for id, show in enumerate(shows, start=1))


#: Ids 1 to 100, in order.
CATALOGUE = _entries()
