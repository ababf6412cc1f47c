"""The map of what sticks: where its lines lie, and what is never reached."""

from math import inf

from bpdemo.picture.stuck_map import LEAST_S, LivePoint, stuck_map

EDGES = {0.2: inf, 0.5: 1.0, 0.9: 0.4}
BANDS = {0.2: (inf, inf), 0.5: (0.8, 1.3), 0.9: (0.3, 0.5)}


def test_the_fields_meet_at_the_band() -> None:
    """Recovered up to where one in ten sticks, stuck from where nine in ten do; what never sticks
    has the whole height to recover in."""
    recovered, band, stuck, edge = stuck_map(EDGES, BANDS, title="A map", most_s=60.0).data
    assert list(recovered.y) == [60.0, 0.8, 0.3, LEAST_S, LEAST_S, LEAST_S]
    assert list(band.y) == [60.0, 1.3, 0.5, 0.3, 0.8, 60.0]
    assert list(stuck.y) == [60.0, 60.0, 60.0, 0.5, 1.3, 60.0]
    assert list(edge.y) == [60.0, 1.0, 0.4]


def test_where_no_trigger_sticks_the_edge_ends_in_a_wall() -> None:
    """Up to there all the height recovers; the next load's edge and band hold from there on."""
    walled = stuck_map(EDGES, BANDS, title="A map", most_s=60.0, stable_to=0.25)
    recovered, band, stuck, edge = walled.data
    assert list(edge.x) == [0.2, 0.25, 0.25, 0.5, 0.9]
    assert list(edge.y) == [60.0, 60.0, 1.0, 1.0, 0.4]
    assert list(recovered.y[:5]) == [60.0, 60.0, 0.8, 0.8, 0.3]
    assert list(band.y[:5]) == list(reversed(stuck.y[5:])) == [60.0, 60.0, 1.3, 1.3, 0.5]


def test_a_wall_beside_the_map_changes_nothing() -> None:
    """No load lies on its one side."""
    plain = stuck_map(EDGES, BANDS, title="A map").data[3]
    for stable_to in (0.1, 0.9):
        edge = stuck_map(EDGES, BANDS, title="A map", stable_to=stable_to).data[3]
        assert (list(edge.x), list(edge.y)) == (list(plain.x), list(plain.y))


def test_a_single_load_has_its_band_too() -> None:
    """It is given some width: else there would be nothing to see."""
    figure = stuck_map({0.8: 0.6}, {0.8: (0.4, 0.9)}, title="A map")
    _, band, _, edge = figure.data
    assert list(band.y) == [0.9, 0.9, 0.4, 0.4]
    assert list(edge.y) == [0.6, 0.6]
    left, right = figure.layout.xaxis.range
    assert left < 0.8 < right
    assert (min(band.x), max(band.x)) == (left, right)


def test_a_model_and_live_points_are_drawn_beside() -> None:
    """The model as far as it has an edge; a point is crossed where the service stuck."""
    live = [LivePoint(0.5, 0.75, 0, 3), LivePoint(0.5, 1.25, 2, 3)]
    figure = stuck_map(EDGES, BANDS, title="A map", model_s={0.2: inf, 0.5: 1.1}, live=live)
    model, recovered, stuck = figure.data[4:]
    assert (list(model.x), list(model.y), model.line.dash) == ([0.5], [1.1], "dash")
    assert (recovered.y[0], recovered.marker.symbol) == (0.75, "circle-open")
    assert (stuck.y[0], stuck.marker.symbol) == (1.25, "x")
    written = [note.text for note in figure.layout.annotations]
    assert "<i>simulated</i>" in written
    assert "<b>model</b>" in written
