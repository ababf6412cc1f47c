"""The simulation beside the real service: the same loads, and the same comes of them.

A few cells of the matrix that `make bench ARGS=conformance` plays whole.
"""

import pytest

from benchmarks.conformance import Compared, compare
from benchmarks.conformance_cells import TELLING, telling
from bpdemo.results.validity import NotMeasured
from tests.support.measured import TRIES, until_measured

pytestmark = [pytest.mark.load, pytest.mark.long]

SECONDS = 8.0


@pytest.fixture(scope="module")
def played() -> dict[str, Compared | NotMeasured]:
    """All of them at once: each asks little of the machine."""
    return compare(telling(), SECONDS)


def alone(name: str) -> Compared:
    """One of them with the machine to itself. Raises `NotMeasured` if that was busy again."""
    (found,) = compare([cell for cell in telling() if cell.name == name], SECONDS).values()
    if isinstance(found, NotMeasured):
        raise found
    return found


@pytest.mark.parametrize("name", TELLING)
def test_a_load_comes_out_live_as_it_does_simulated(
    name: str, played: dict[str, Compared | NotMeasured]
) -> None:
    """Each fate within 0.03 of the offer; depth and requests in flight no greater than noise."""
    found = played[name]
    if isinstance(found, NotMeasured):
        found = until_measured(lambda: alone(name), TRIES - 1)
    assert not found.complaints
    assert len(found.live.records) == len(found.twins[0].records)
