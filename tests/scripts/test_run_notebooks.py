"""The runner of notebooks tells a busy machine from a claim that does not hold."""

import pytest

from bpdemo.results.validity import LOST_SENTENCE, SENTENCE, NotMeasured
from scripts import run_notebooks
from tests.support.notebooks import write_notebook

RAISE = "from bpdemo.results.validity import NotMeasured\nraise NotMeasured(['p99 was high'])"


@pytest.fixture
def notebook(tmp_path):
    def write(source):
        path = tmp_path / "one.ipynb"
        write_notebook(path, source)
        return str(path)

    return write


def test_a_notebook_on_a_busy_machine_is_not_judged(notebook):
    """In a real kernel, which shows such a run as a box and no traceback."""
    with pytest.raises(NotMeasured):
        run_notebooks.judged(notebook(RAISE))


def test_a_notebook_whose_claim_fails_is_judged(notebook):
    """Its assert is a failure at once, and is told."""
    code, output = run_notebooks.judged(notebook("assert 1 > 2, 'sold too little'"))
    assert code == 1
    assert "sold too little" in output


def test_every_sentence_of_such_a_run_is_known():
    """A new sentence that the runner does not know would be taken for a failure."""
    assert all(run_notebooks.NOT_MEASURED in sentence for sentence in (SENTENCE, LOST_SENTENCE))


def test_busy_each_time_is_a_failure(monkeypatch, capsys):
    """Nothing is passed over: the notebook is named among those that failed."""
    monkeypatch.setattr("tests.support.measured.await_quiet", lambda: None)
    monkeypatch.setattr(run_notebooks, "run", lambda _: (1, f"E  {SENTENCE}\n1 failed"))
    assert run_notebooks.main(["one.ipynb"]) == 1
    assert "too busy in each of 4 tries" in capsys.readouterr().out
