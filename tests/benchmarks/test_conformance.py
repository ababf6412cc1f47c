"""What the conformance matrix says of two runs; no figure of a live run is judged here."""

from dataclasses import replace

from benchmarks.conformance import MAXIMA, WITHIN, Cell, Compared
from benchmarks.conformance_cells import BASE, TELLING, matrix
from benchmarks.sections.conformance import report
from bpdemo.results.validity import NotMeasured

CELL = Cell("one", BASE, {"rate": 40, "client_timeout_s": 2.0})
SECONDS = 3.0


def beside(other: Cell) -> Compared:
    """The cell simulated, as if the other had been played live."""
    twins = [CELL.simulated(SECONDS, seed) for seed in range(1, 4)]
    return Compared(CELL, other.simulated(SECONDS, 1), twins)


def test_a_service_agrees_with_itself() -> None:
    """No fate is apart, and its maxima lie within their noise."""
    same = beside(CELL)
    assert same.furthest == 0
    assert same.complaints == []


def test_another_service_is_found_out_by_its_fates_and_by_its_maxima() -> None:
    """A longer queue serves no more and is deeper; a slower payment serves fewer."""
    longer = beside(replace(CELL, knobs=BASE | {"queue_capacity": 20}))
    assert [said.split(":")[1].split()[0] for said in longer.complaints[-2:]] == ["most", "most"]
    slower = beside(replace(CELL, knobs=BASE | {"payment_latency_s": 0.3}))
    assert slower.furthest > WITHIN
    assert any("ok: " in said for said in slower.complaints)


def test_every_cell_is_told_and_those_that_were_spoilt_are_counted() -> None:
    """Both tables have a row for each cell; a spoilt one has no figures and breaks no aim."""
    played: dict[str, Compared | NotMeasured] = {"one": beside(CELL), "two": NotMeasured(["busy"])}
    told = report([played])
    fates, maxima = told.tables
    assert {len(cells) for cells in fates.rows.values()} == {len(fates.columns)} == {9}
    assert {len(cells) for cells in maxima.rows.values()} == {len(maxima.columns)}
    assert len(maxima.columns) == 2 * len(MAXIMA)
    assert list(fates.rows) == list(maxima.rows) == ["one", "two"]
    assert fates.rows["two"] == [[]] * 9
    assert all(aim.is_met for aim in told.aims)
    assert told.notes == ["1 plays count; 1 were spoilt by a busy machine"]


def test_nothing_measured_is_no_agreement() -> None:
    """Where every play was spoilt, no aim is met."""
    told = report([{"one": NotMeasured(["busy"])}])
    assert not any(aim.is_met for aim in told.aims)


def test_no_two_cells_have_one_name() -> None:
    """Each is one row, and one service; those that are played for every change are among them."""
    names = [cell.name for cell in matrix()]
    assert len(set(names)) == len(names)
    assert set(TELLING) <= set(names)
