"""What the playground asks for and is told, without a browser."""

import json
import math
import re
from typing import Any

import pytest

from bpdemo.core.settings import Settings, describe
from bpdemo.lab.services.simulation import simulate
from bpdemo.picture.picture import picture, shown
from bpdemo.picture.sheet import one
from bpdemo.plan.arguments import DEFAULTS
from bpdemo.sim.controls import controls
from bpdemo.sim.page import COLUMNS, Page, fingerprint
from bpdemo.sim.play import play
from bpdemo.sim.shown import shown as shown_of_play

LOAD: dict[str, Any] = {"times": 2, "seconds": 4, "seed": 3}


def experiment(*arms: dict[str, Any], **load: Any) -> str:
    return json.dumps({"arms": arms or ({},), "load": LOAD | load})


def played_out(page: Page, by_s: float = 1.0) -> list[dict[str, Any]]:
    told = [json.loads(page.step(by_s))]
    while not told[-1]["done"]:
        told.append(json.loads(page.step(by_s)))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("by_s", [0.3, 1.0, 100.0])
def test_in_pieces_of_any_length_it_is_the_same_run(by_s: float) -> None:
    """And the one that `play` plays as a whole, to the last order, attempt and look."""
    page = Page()
    page.begin(experiment({"queue_capacity": 8}, {"unprotected": True}, retries=1))
    last = played_out(page, by_s)[-1]
    whole = [play(knobs, **LOAD, retries=1) for knobs in (
        Settings(queue_capacity=8), Settings.unprotected())]  # fmt: skip
    assert last["prints"] == [fingerprint(played) for played in whole]
    assert last["sentences"] == [played.sentence for played in whole]
    assert last["orders"] == [len(played.orders) for played in whole]


@pytest.mark.parametrize(
    "load",
    [
        {"times": 2, "seconds": 4},
        {"times": 0.5, "seconds": 5.3, "scenario": "spike", "retries": 2},
        {"times": 1, "seconds": 6, "changes": [(2, {"workers": 3}), (3, {"payment_outage": True})]},
    ],
)
def test_a_page_draws_what_a_notebook_draws(load: dict[str, Any]) -> None:
    """The run of `simulate`, shown with numpy and pandas, and the play, shown without."""
    run = simulate({"queue_capacity": 8}, **load)
    plain = one(shown_of_play(play({"queue_capacity": 8}, **load)))
    ours, theirs = shown_of_play(play({"queue_capacity": 8}, **load)), shown(run)
    assert ours.marks == theirs.marks
    assert ours.sentence == theirs.sentence
    figure = picture(run).to_dict()
    assert [trace["name"] for trace in plain["data"]] == [t["name"] for t in figure["data"]]
    for trace, other in zip(plain["data"], picture(run).data, strict=True):
        assert trace["y"] == pytest.approx(list(other.y), nan_ok=True)
    assert plain["layout"]["annotations"] == [
        {key: note[key] for key in plain_note} for note, plain_note in zip(
            figure["layout"]["annotations"], plain["layout"]["annotations"], strict=True)
    ]  # fmt: skip


def test_while_it_runs_only_what_is_settled_is_drawn() -> None:
    """An order whose caller may still wait is in no bin yet, so no bin changes later."""
    page = Page()
    page.begin(experiment(client_timeout_s=0.5))
    steps = played_out(page)
    assert [step["played_s"] for step in steps] == sorted(step["played_s"] for step in steps)
    for step in steps:
        rows = step["tables"][0]
        whole = int(step["played_s"] / 0.5)
        assert rows[:whole] == steps[-1]["tables"][0][:whole]
        assert step["figures"][0]["layout"]["xaxis"]["range"] == [0, LOAD["seconds"]]


def test_what_is_told_is_json_that_a_browser_reads() -> None:
    """No NaN and no infinity in it, though a run has both; a table row has each column."""
    page = Page()
    page.begin(experiment({"queue_capacity": -1}, times=0.1, seconds=2))
    told = page.step(100)
    assert "NaN" not in told
    assert "Infinity" not in told
    assert {len(row) for row in json.loads(told)["tables"][0]} == {len(COLUMNS)}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (experiment({"workers": 0}), "workers: 0 is not a whole number from 1 to 1024"),
        (experiment({"no_such": 1}), "no_such: there is no such setting"),
        (experiment({"store": "postgres"}), "postgres"),
        (experiment(times=-1), "times"),
        (experiment(seconds=1e9), "seconds must be a number from 1 to 120"),
        (experiment(seconds="x"), "seconds"),
        (experiment(no_such=1), "no_such"),
        (experiment({"workers": 1024, "payment_latency_s": 0.05}, times=4), "too many"),
        (experiment({}, {}, {}), "one or two services, not 3"),
        (json.dumps({"arms": [{}], "load": LOAD, "width_px": 3}), "width_px must be a whole"),
        (experiment(changes=[[1, {"no_such": 3}]]), "no_such"),
        (experiment(changes=[[99, {"workers": 3}]]), "99"),
        (experiment({"load": 3}), "load: what is asked of a load"),
        (experiment({"load": {"seconds": 3}}), "seconds: both services"),
        (experiment({"load": {"no_such": 3}}), "no_such"),
        (experiment({"load": {"scenario": "closed"}}), "rate must be given"),
        (experiment({"load": {"scenario": "closed", "rate": 5000}}), "rate must be a number"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(asked: str, why: str) -> None:
    """A link may hold anything. Afterwards the page plays what can be played."""
    page = Page()
    with pytest.raises((ValueError, TypeError), match=re.escape(why)) as refused:
        page.begin(asked)
    assert "\n" not in str(refused.value)
    page.begin(experiment(seconds=1))
    assert played_out(page)[-1]["orders"]


def test_a_service_may_have_callers_of_its_own() -> None:
    """The same load but for what is theirs; a number of users takes the place of a multiple."""
    page = Page()
    own = {"scenario": "closed", "rate": 7}
    page.begin(experiment({}, {"load": own}))
    a, b = played_out(page)[-1]["prints"]
    theirs = LOAD | own | {"times": None}
    assert [a, b] == [fingerprint(play({}, **LOAD)), fingerprint(play({}, **theirs))]


def test_users_who_never_wait_do_not_keep_the_page_busy(monkeypatch) -> None:
    """Rejected at once, each sends again at once: the page gives up, in a sentence."""
    page = Page()
    monkeypatch.setattr("bpdemo.sim.page.ORDERS_MAX", 2_000)
    crowd = {"scenario": "closed", "rate": 20}
    page.begin(experiment({"queue_capacity": 0, "load": crowd}, seconds=60))
    with pytest.raises(ValueError, match="too many for a page"):
        played_out(page, 0.1)


@pytest.mark.slow
def test_single_requests_are_told_of_the_same_run() -> None:
    """Of its first seconds, for each service, and what is being played goes on as it was."""
    page = Page()
    own = {"client_timeout_s": 0.2}
    asked = experiment({"queue_capacity": 8}, {"unprotected": True, "load": own}, seconds=30)
    page.begin(asked)
    page.step(1.0)
    told = page.requests(asked)
    assert "NaN" not in told
    a, b = json.loads(told)
    assert [a["rooms"][0][2], b["rooms"][0][2]] == [8, -1]
    whole = play({"queue_capacity": 8}, **(LOAD | {"seconds": 30}))
    early = [order for order in whole.orders if order.t_s < 1]
    firsts = [row for row in a["requests"] if row[0] < 1000]
    assert len(firsts) == len(early)
    assert sorted(row[5] for row in firsts) == sorted(order.fate for order in early)
    assert 2000 <= a["end"] <= 2100
    assert json.loads(page.step(1.0))["played_s"] < 3
    page.end()


def test_the_next_experiment_ends_the_one_before() -> None:
    """Nothing of it is left, however far it was."""
    page = Page()
    for _ in range(3):
        page.begin(experiment({"payment_failure_rate": 0.5, "payment_hang_rate": 0.2}, retries=3))
        page.step(1.3)
    page.begin(experiment(seconds=1))
    played_out(page)
    page.end()
    page.end()


def test_two_runs_stand_side_by_side_where_there_is_room() -> None:
    """And one below the other where there is not: nothing is drawn wider than the page."""
    for width_px, figures in ((1000, 1), (390, 2)):
        page = Page()
        page.begin(json.dumps({"arms": [{}, {}], "load": LOAD, "width_px": width_px}))
        drawn = json.loads(page.step(1.0))["figures"]
        page.end()
        assert len(drawn) == figures
        assert all(figure["layout"]["width"] <= width_px for figure in drawn)


def test_a_control_keeps_within_its_setting() -> None:
    """Its default and both ends are allowed; units and meanings are the setting's own."""
    knobs = describe(Settings())
    shown = controls()
    for control in shown["service"]:
        knob = knobs[control["name"]]
        assert control["help"] == knob["description"]
        assert control["unit"] == knob["unit"]
        assert control["choices"] == (knob["choices"] or [])
        if not control["choices"] and not isinstance(control["value"], bool):
            assert knob["minimum"] <= control["low"] < control["high"] <= knob["maximum"]
            for value in (control["value"], control["naive"]):
                assert control["low"] <= value <= control["high"]
                steps = (value - control["low"]) / control["step"]
                assert math.isclose(steps, round(steps), abs_tol=1e-9), control["name"]
    for control in shown["load"]:
        assert control["name"] in DEFAULTS
        assert control["help"]
