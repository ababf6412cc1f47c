"""Predictions in a real kernel, with nobody at the keyboard."""

import nbformat
import pytest
from nbclient import NotebookClient

from bpdemo.lab import home
from bpdemo.lab.predictions import CONFIDENCE, KEPT, predict, reveal
from bpdemo.lab.questions import QUESTIONS

CELLS = (
    "from bpdemo.lab import predict, reveal, simulate",
    "predict('01b')",
    "run = simulate({'workers': 2, 'queue_capacity': 8}, times=2, seconds=3)\nreveal('01b', run)",
)


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    return tmp_path


def html_of(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


@pytest.mark.slow
def test_a_notebook_runs_headless_and_twice_without_an_answer():
    """Nothing waits for a click; an earlier choice stands beside the run's sentence."""
    choice = QUESTIONS["01b"].choices[0]
    home.keep(KEPT, {"01b": {"choice": choice, "confidence": CONFIDENCE[1]}})
    v4 = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell(text) for text in CELLS * 2])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    for cell in (notebook.cells[2], notebook.cells[5]):
        assert choice in html_of(cell)
        assert CONFIDENCE[1] in html_of(cell)
        assert "Measured:" in html_of(cell)
        assert "capacity offered" in html_of(cell)


def test_how_sure_one_was_is_kept_and_shown_again():
    """The confidence belongs to the choice, today and tomorrow."""
    form = predict("01a")
    form.children[1].value = QUESTIONS["01a"].choices[0]
    form.children[3].value = "certain"
    assert predict("01a").children[3].value == "certain"
    assert "(certain)" in reveal("01a", "done").data


def test_a_folder_that_cannot_be_written_costs_no_error(monkeypatch, tmp_path):
    """A learner on a locked laptop goes on; only the memory is lost."""
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("BPDEMO_HOME", str(blocked))
    predict("01a").children[1].value = QUESTIONS["01a"].choices[0]
    assert "no prediction" in reveal("01a", "done").data


def test_questions_do_not_disturb_one_another(own_home):
    """Each has its own entry in one file, and no half-written file is left beside it."""
    for name in QUESTIONS:
        predict(name).children[1].value = QUESTIONS[name].choices[-1]
    kept = home.recall(KEPT)
    assert {name: kept[name]["choice"] for name in QUESTIONS} == {
        name: question.choices[-1] for name, question in QUESTIONS.items()
    }
    assert [path.name for path in own_home.iterdir()] == [f"{KEPT}.json"]
