"""The album: what a learner predicted and measured, on one page."""

import pytest

from bpdemo.lab import home, predict, reveal, simulate
from bpdemo.lab.predictions.keepsakes import kept_runs
from bpdemo.lab.predictions.own_page import album


@pytest.fixture(autouse=True)
def own_place(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run():
    return simulate({}, times=2, seconds=5)


def test_a_revealed_run_comes_back_with_its_picture(run, own_place):
    """Choice, outcome and picture stand on a page that fetches nothing."""
    predict("01a").children[1].value = "Half of its capacity"
    reveal("01a", run)
    page = album()
    text = page.path.read_text(encoding="utf-8")
    assert page.pictures == 1
    assert page.rows == [("01a", "Half of its capacity", run.sentence)]
    assert "I said: Half of its capacity." in text
    assert "src=" not in text.split("<body>")[1]
    assert page.path == own_place / "reports" / "album.html"


def test_an_explanation_stands_beside_its_outcome(run):
    """What was measured, and why in the learner's own words."""
    line = reveal("01a", run).line()
    line.value = "The wait grows & grows."
    text = album().path.read_text(encoding="utf-8")
    assert "My explanation: The wait grows &amp; grows." in text


def test_the_page_goes_to_the_learners_own_folder(run, own_place, monkeypatch):
    """Notebooks run one folder deeper than my-work/."""
    (own_place / "my-work").mkdir()
    (own_place / "notebooks").mkdir()
    monkeypatch.chdir(own_place / "notebooks")
    reveal("01a", run)
    assert album().path == own_place / "my-work" / "album.html"


def test_only_the_last_run_of_a_name_is_kept(run):
    """A cell may be run as often as one likes."""
    reveal("01b", simulate({}, times=1, seconds=5))
    reveal("01b", run)
    kept = dict(kept_runs())
    assert kept["01b"].summary["offered_per_s"] == run.summary["offered_per_s"]


def test_a_name_cannot_lead_out_of_the_folder(run, own_place):
    """Names of one's own questions are free text."""
    predict("../../outside", "Where does this go?", ["out", "nowhere"])
    reveal("../../outside", run)
    assert not list(own_place.rglob("*outside*"))
    assert dict(kept_runs()) == {}


def test_a_damaged_run_costs_only_its_picture(run):
    """The sentence is still told."""
    reveal("01a", run)
    (home.home() / "runs" / "01a.json.gz").write_bytes(b"scribble")
    page = album()
    assert (len(page.rows), page.pictures) == (1, 0)


def test_with_nothing_measured_the_page_is_empty_but_there():
    """Lesson 09 may be opened first."""
    assert album().rows == []


def test_the_page_is_a_link_from_where_the_notebook_stands(run, own_place, monkeypatch):
    """JupyterLab follows a link that is relative to the notebook's own folder."""
    (own_place / "my-work").mkdir()
    (own_place / "notebooks").mkdir()
    monkeypatch.chdir(own_place / "notebooks")
    reveal("01a", run)
    assert "<a href='../my-work/album.html' target='_blank'>" in album()._repr_html_()
    assert "<b>Album of 0 predictions, 1 outcome, 1 picture</b>" in album()._repr_html_()
