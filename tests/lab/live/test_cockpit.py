"""The cockpit with no front end: what a hand on a knob or a button comes to."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.lab import cockpit, serve, stop_all
from bpdemo.lab.live.cockpit_panel import Cockpit
from bpdemo.lab.live.knobs import BY_NAME, KNOBS, widget_of
from bpdemo.lab.services.service import Service
from tests.support.waiting import eventually


@pytest.fixture
def office() -> Iterator[Service]:
    yield serve(name="cockpit-test", workers=4, queue_capacity=8)
    stop_all()


def cockpit_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("cockpit")]


def texts(made: Cockpit) -> str:
    with made.picture._lock:  # its thread puts others in their place meanwhile
        return " | ".join(note.text or "" for note in made.picture.figure.layout.annotations)


def test_each_knob_reaches_the_service(office: Service) -> None:
    """Sliders and menus, whatever unit they show, arrive as the settings they stand for."""
    wanted = {
        "queue_capacity": 20,
        "workers": 6,
        "payment_failure_rate": 0.25,
        "payment_latency_s": 0.12,
        "queue_policy": "block",
        "queue_discipline": "lifo",
    }
    cockpit(office).turn(**wanted)

    def has_arrived() -> bool:
        told = office.get("/settings").json()["settings"]
        return {name: told[name]["value"] for name in wanted} == wanted

    eventually(has_arrived, "all six are set")


def test_of_a_slider_that_is_dragged_the_last_value_arrives(office: Service) -> None:
    """Thirty values in one go make a few changes of the service, and end at the last."""
    changes: list[dict[str, Any]] = []
    tune = office.tune

    def turned(**knobs: Any) -> Any:
        changes.append(knobs)
        return tune(**knobs)

    office.tune = turned  # type: ignore[method-assign]
    made = cockpit(office)
    for room in range(9, 39):
        made.turn(queue_capacity=room)
    eventually(lambda: office.stats()["queue"]["capacity"] == 38, "the last value is set")
    assert len(changes) <= 5


def test_the_figures_below_are_those_of_now(office: Service) -> None:
    """The picture of a load tells multiples of the capacity that there was; beside it stands what a
    knob has made of it since."""
    made = cockpit(office)
    made.turn(payment_latency_s=0.25)
    eventually(lambda: "capacity now <b>16/s</b>" in made._now.value, "what it is by now is told")


@pytest.mark.parametrize(("apart", "acts"), [(False, 1), (True, 2)])
def test_a_double_click_is_one_press(
    apart: bool, acts: int, office: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second half would stop the load that the first has started; a press later on counts."""
    made, pressed = cockpit(office), list[str]()
    monkeypatch.setattr(made, "start", lambda: pressed.append("start"))
    if apart:
        monkeypatch.setattr("bpdemo.lab.live.cockpit_panel.DOUBLE_S", 0.0)
    made._button.click()
    made._button.click()
    assert len(pressed) == acts


def test_a_second_cockpit_takes_the_place_of_the_first(office: Service) -> None:
    """The thread of the first ends, its load too, and it says that it is closed."""
    first = cockpit(office)
    second = cockpit(office)
    assert len(cockpit_threads()) == 1
    assert "closed" in first.line
    assert "closed" not in second.line
    stop_all()
    assert cockpit_threads() == []


def test_a_service_that_has_stopped_is_told_in_a_line(office: Service) -> None:
    """No traceback, and no load that nobody answers."""
    made = cockpit(office)
    office.stop()
    eventually(lambda: "The service has stopped" in made.line, "it says so")
    made.start()
    assert made.load.running is None
    made.turn(queue_capacity=20)
    assert "The service has stopped" in made.line


def test_a_refused_setting_is_told_in_a_line(office: Service) -> None:
    """A payment that takes more than an hour is beyond the range: the line names it."""
    made = cockpit(office)
    made._turned(BY_NAME["payment_latency_s"], 4000.0)
    eventually(lambda: "Refused" in made.line, "it says so")
    assert "payment_latency_s" in made.line


@pytest.mark.load
@pytest.mark.light
def test_a_load_is_drawn_marked_and_told(office: Service) -> None:
    """A knob turned under load is marked, the load's own slider changes how much is sent from then
    on; when the load ends its sentence stands there."""
    made = cockpit(office, seconds=30)
    made.start(times=2)
    running = made.load.running
    assert running is not None
    eventually(lambda: "shed" in texts(made), "the fates are drawn", within_s=20)
    made.turn(queue_capacity=20)
    eventually(lambda: "queue 8 → 20" in texts(made), "the turn is marked", within_s=2)
    made._times.value = 6.0
    eventually(lambda: "load 2 → 6×" in texts(made), "the load's turn is marked", within_s=2)
    turned_s = running.now_s
    eventually(lambda: running.now_s > turned_s + 2, "it goes on like that")
    made.stop()
    eventually(lambda: made.run is not None, "the run is there", within_s=20)
    assert made.run is not None
    eventually(lambda: made.run and made.run.sentence in made.line.replace("&#x27;", "'"), "told")
    assert "queue 8 → 20" in [text for _, text in made.run.meta.marks]
    sent_s = made.run.records.t_s
    before_per_s = (sent_s < turned_s - 0.5).sum() / (turned_s - 0.5)
    after_per_s = ((sent_s > turned_s) & (sent_s < turned_s + 1.5)).sum() / 1.5
    assert 2 < after_per_s / before_per_s < 4
    assert made.load.running is None


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_every_control_has_a_name_and_says_what_it_does(knob: Any) -> None:
    """Name and unit at the control, meaning in the tooltip; both as the settings have them."""
    widget = widget_of(knob, Settings(), lambda *_: None)
    assert widget.description
    described = Settings.model_fields[knob.name].description
    assert described
    assert described in widget.tooltip


@pytest.mark.parametrize(("name", "value"), [("queue_capacity", 4000), ("payment_latency_s", 3.0)])
def test_a_value_beyond_the_usual_stretch_still_has_its_place(name: str, value: float) -> None:
    """A service may be started with any setting; its slider then reaches as far."""
    knob = BY_NAME[name]
    widget = widget_of(knob, Settings(**{name: value}), lambda *_: None)
    assert knob.value(widget.value) == value
