"""The challenge: one word, one load for all; bad settings lose, good ones win, nobody cheats."""

import io
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bpdemo.lab.contest.challenge as contest
from bpdemo.cli.main import main
from bpdemo.core.errors import SettingsInvalid
from bpdemo.lab import challenge, simulate
from bpdemo.lab.contest.challenge import BAD, Challenge, settings_for
from bpdemo.lab.contest.code import code_of, read_code
from bpdemo.lab.contest.scene_score import SCENE_POINTS, SceneScore
from bpdemo.lab.contest.scenes import WORKERS, scenes_of
from bpdemo.lab.contest.word import plain_word
from bpdemo.load.progress_line import ProgressText
from tests.support.notebooks import code_cell, write_notebook

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[3]
TUNED = {
    "queue_capacity": 8,
    "request_timeout_s": 0.5,
    "attempt_timeout_s": 0.4,
    "breaker_open_s": 0.5,
}


@cache
def drawn(word: str) -> Challenge:
    """One for all tests: it remembers the scores it has calculated."""
    return challenge(word)


def test_a_word_means_the_same_to_everybody() -> None:
    """However it is written; and another word brings another load."""
    assert challenge(" Tide ").scenes == challenge("TIDE").scenes
    assert challenge("tide").scenes != challenge("ember").scenes
    assert plain_word("hand-to-hand!") == "HANDTOHAND"
    with pytest.raises(ValueError, match="no letter"):
        challenge("…")


@pytest.mark.long
def test_bad_is_clearly_below_the_defaults_and_tuned_above_them() -> None:
    """The measure of the game: there is much to win, and the defaults do not win it."""
    for word in ("tide", "ember"):
        bad, usual, tuned = (drawn(word).score(knobs).total for knobs in (BAD, {}, TUNED))
        assert bad <= 400
        assert usual >= bad + 300
        assert tuned >= max(usual + 20, 950)


def test_the_same_settings_have_the_same_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, in another process, whatever the environment says there."""
    first = drawn("tide").score(TUNED)
    monkeypatch.setenv("BPDEMO_QUEUE_CAPACITY", "-1")
    monkeypatch.setenv("BPDEMO_WORKERS", "64")
    again = challenge("tide").score(TUNED)
    assert [scene.won for scene in first.scenes] == [scene.won for scene in again.scenes]


@pytest.mark.parametrize(
    "knob", ["workers", "payment_latency_s", "payment_outage", "store", "seed"]
)
def test_machines_and_payment_are_not_for_sale(knob: str) -> None:
    """More workers would win any storm."""
    with pytest.raises(SettingsInvalid, match="not yours"):
        challenge("tide").score({knob: 64})


@pytest.mark.parametrize(
    "knobs", [{"queue_capacity": -7}, {"no_such_knob": 1}, {"retry_jitter": 3}]
)
def test_settings_that_cannot_be_are_told(knobs: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid, match=next(iter(knobs))):
        settings_for(knobs)


def test_the_bad_settings_of_the_lesson_are_those_of_the_challenge() -> None:
    """The learner's cell begins with them, so that every step up is their own."""
    notebook = json.loads(next((ROOT / "notebooks").glob("08_*.ipynb")).read_text("utf-8"))
    (source,) = (
        "".join(cell["source"])
        for cell in notebook["cells"]
        if "answer-08" in cell["metadata"].get("tags", [])
    )
    names: dict[str, object] = {}
    exec(source, names)
    assert names["mine"] == dict(BAD)


def test_points_won_and_lost_add_up() -> None:
    """Each scene has 250, in every case."""
    for scene in drawn("tide").score(BAD).scenes:
        assert min(scene.won, scene.late, scene.failed, scene.shed) >= 0
        assert scene.won + scene.late + scene.failed + scene.shed == pytest.approx(SCENE_POINTS)


def test_nothing_is_possible_while_payment_is_down() -> None:
    """The yardstick itself: below capacity all that was offered, in the outage nothing."""
    outage = scenes_of("tide")[3]
    run = simulate(settings_for({}), changes=outage.changes, **outage.load)
    down_s, up_s = outage.changes[1][0], outage.changes[2][0]
    outside = np.count_nonzero((run.records.t_s < down_s) | (run.records.t_s >= up_s))
    assert outage.possible(run) == pytest.approx(outside, rel=0.05)
    storm = scenes_of("tide")[0]
    flood = simulate(settings_for({}), changes=storm.changes, **storm.load)
    assert storm.possible(flood) < 18 * WORKERS / 0.042
    assert storm.possible(flood) < len(flood.records) / 2


def test_a_perfect_scene_has_all_points_and_says_no_loss() -> None:
    perfect = SceneScore("calm", 250.0, 0.0, 0.0, 0.0)
    assert perfect.worst == ""
    assert SceneScore("x", 100.0, 20.0, 30.0, 100.0).worst == "shed in vain"


def test_a_score_is_told_in_words_and_as_a_picture() -> None:
    """Table, sentence and picture say the same, in words beside the colours."""
    score = drawn("tide").score(BAD)
    assert str(score.total) in score.sentence
    assert "outage" in score.sentence
    assert "late" in str(score)
    assert "late" in score._repr_html_()
    texts = [text for bar in score.figure().data for text in bar.text]
    assert any(text.startswith("<b>late") for text in texts)
    assert "outage" in str(challenge("tide"))
    assert "outage" in challenge("tide")._repr_html_()


# --- from a terminal


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bpdemo", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return call


def save(path: Path, source: str) -> None:
    write_notebook(path, code_cell(source, ["answer-08"]))


def test_score_reads_the_saved_settings_and_prints_a_code(run: Run, tmp_path: Path) -> None:
    """The code holds the very points that the notebook shows."""
    save(tmp_path / "08.ipynb", f"mine = {TUNED!r}")
    code, out, _ = run("score", "--name", "Anna", "--word", "tide")
    assert code == 0
    result = read_code(out.split()[-1])
    assert (result.name, result.word) == ("ANNA", "TIDE")
    assert result.points == drawn("tide").score(TUNED).total
    assert out.split()[-1] == drawn("tide").code("anna", TUNED)


def test_score_takes_settings_from_the_command_line_too(run: Run) -> None:
    knobs = [word for name, value in TUNED.items() for word in ("--set", f"{name}={value}")]
    code, out, _ = run("score", "--name", "Anna", "--word", "tide", *knobs)
    assert (code, read_code(out.split()[-1]).points) == (0, drawn("tide").score(TUNED).total)


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (None, 1, "answer-08"),
        ("mine = dict(queue_capacity=8)", 2, "plain dict"),
        ("mine = {'workers': 99}", 2, "not yours"),
        ("mine = {'queue_capacity': 'many'}", 2, "queue_capacity"),
    ],
    ids=["no notebook", "not a plain dict", "forbidden", "wrong type"],
)
def test_score_says_what_is_wrong_in_one_line(
    run: Run, tmp_path: Path, source: str | None, code: int, words: str
) -> None:
    if source:
        save(tmp_path / "08.ipynb", source)
    ended, out, err = run("score", "--name", "Anna", "--word", "tide")
    assert (ended, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1


def test_the_board_ranks_codes_from_anywhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given, from a file, or pasted: the same ranking; what is no code is asked for again."""
    anna, ben = code_of("Anna", "tide", 700), code_of("Ben", "tide", 900)
    (tmp_path / "chat.txt").write_text(f"A: {anna}\nB: {ben}\n")
    outs = [run("board", anna, ben)[1], run("board", "--file", str(tmp_path / "chat.txt"))[1]]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ben}\n{anna}\n"))
    outs.append(run("board")[1])
    for out in outs:
        assert out.index("BEN") < out.index("ANNA")
    code, out, _ = run("board", anna.replace("0700", "0999"))
    assert code == 1
    assert "Please ask for it again" in out
    code, out, _ = run("board", "nonsense")
    assert (code, "'nonsense' is no code" in out) == (1, True)
    assert run("board", "--file", "nowhere.txt")[0] == 2


def test_a_score_says_which_scene_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four scenes take some seconds; asked again, the score is there at once."""
    told: list[str] = []
    monkeypatch.setattr(ProgressText, "show", lambda _, text: told.append(text))
    scored = SceneScore.of
    monkeypatch.setattr(SceneScore, "of", lambda scene, _: scored(scene, simulate(seconds=1)))
    monkeypatch.setattr(contest, "simulate", lambda *_, **__: None)
    drawn_anew = challenge("TIDE")
    for _ in range(2):
        drawn_anew.score(TUNED)
    titles = [scene.title for scene in drawn_anew.scenes]
    assert told == [f"Scene {n} of 4: {title}" for n, title in enumerate(titles, 1)]
