"""The simulation beside the real service: the same loads, and the same comes of them.

A few cells of the matrix that `make bench ARGS=conformance` plays whole: three for every change,
and as many again in the long tests.
"""

import pytest

from benchmarks.conformance import Compared, compare
from benchmarks.conformance_cells import TELLING, telling
from bpdemo.results.validity import NotMeasured
from tests.support.measured import TRIES, until_measured

pytestmark = [pytest.mark.load, pytest.mark.whole]

SECONDS = 8.0
#: Callers who leave unheard, a limit before a payment that slows down, and what `size` advises.
FOR_EVERY_CHANGE = (
    "limit, leaving unheard",
    "naive, limit, slow payment",
    "size, payment ×2, constant",
)
NAMES = [
    pytest.param(name, marks=[] if name in FOR_EVERY_CHANGE else [pytest.mark.long])
    for name in TELLING
]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> dict[str, Compared | NotMeasured]:
    """All that were chosen at once: each asks little of the machine."""
    tests = [item for item in request.session.items if item.path == request.path]
    names = {test.callspec.params["name"] for test in tests if isinstance(test, pytest.Function)}
    return compare([cell for cell in telling() if cell.name in names], SECONDS)


def alone(name: str) -> Compared:
    """One of them with the machine to itself. Raises `NotMeasured` if that was busy again."""
    (found,) = compare([cell for cell in telling() if cell.name == name], SECONDS).values()
    if isinstance(found, NotMeasured):
        raise found
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_load_comes_out_live_as_it_does_simulated(
    name: str, played: dict[str, Compared | NotMeasured]
) -> None:
    """Each fate within 0.03 of the offer; depth and requests in flight no greater than noise."""
    found = played[name]
    if isinstance(found, NotMeasured):
        found = until_measured(lambda: alone(name), TRIES - 1)
    assert not found.complaints
    assert len(found.live.records) == len(found.twins[0].records)
