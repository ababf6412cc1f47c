"""`bpdemo margin`: the table, the map, the files, and what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from math import inf
from pathlib import Path

import pytest

from bpdemo.cli.margin_command import CHANCE, RECOVERED, STUCK, document, text_map
from bpdemo.sim.margin import Margin, MarginAt
from tests.support.command import Run

FEW = ("margin", "--unprotected", "--set", "workers=2", "--seeds", 1, "--at", 0.8)
FOUND = Margin(
    (MarginAt(0.3, (inf, inf, inf)), MarginAt(0.9, (0.3, 1.0, 2.0))), 10.0, 3, {}
)  # fmt: skip


def test_it_tells_the_edge_and_draws_the_map(run: Run, tmp_path: Path) -> None:
    """One load and one seed: a row, a column, a sentence, and both files."""
    figures, page = tmp_path / "a.json", tmp_path / "a.html"
    code, out, err = run(*FEW, "--json", figures, "--html", page)
    assert (code, err) == (0, "")
    written = json.loads(figures.read_text("utf-8"))
    [at] = written["loads"]
    assert at["load"] == 0.8
    assert 0.1 < at["edge_s"] < 3
    assert f"   80%  {at['edge_s']:8.2f}" in out
    assert written["sentence"] in out
    assert f"{STUCK * 4}" in out
    assert f"{RECOVERED * 4}" in out
    assert "plotly" in page.read_text("utf-8")


def test_the_map_has_a_column_for_each_load_and_a_row_for_each_length() -> None:
    """Recovered, by chance, or stuck; nothing beyond the longest trigger that was tried."""
    lines = text_map(FOUND)
    rows = {line[:8].strip(): line[8:].split() for line in lines if line[6:8] == " s"}
    assert rows["10 s"] == [RECOVERED * 4, STUCK * 4]
    assert rows["1 s"] == [RECOVERED * 4, CHANCE * 4]
    assert rows["0.25 s"] == [RECOVERED * 4, RECOVERED * 4]
    assert "60 s" not in rows


def test_a_load_that_sticks_now_and_then_is_not_told_as_survived(run: Run) -> None:
    """Two of nine runs stay stuck, half do not: the last line says so."""
    code, out, err = run("margin", "--unprotected", "--set", "workers=1", "--at", 0.35,
                         "--most-seconds", 1, "--seeds", 9)  # fmt: skip
    assert (code, err) == (0, "")
    assert "is survived" not in out
    assert re.search(r"At 35% load \d of 9 runs stayed stuck, from 0\.\d+ s on\.\n$", out)


def test_what_says_little_is_told_beside_its_row_and_at_the_end(run: Run, tmp_path: Path) -> None:
    """More load than the service has capacity, and a window with few orders; the file has both."""
    figures = tmp_path / "a.json"
    code, out, err = run(*FEW[:-1], 0.01, "--at", 1.2, "--most-seconds", 0.1, "--retries", 0,
                         "--json", figures)  # fmt: skip
    assert (code, err) == (0, "")
    assert re.search(r"^ +1% .*  too few orders to judge$", out, re.MULTILINE)
    assert re.search(r"^ +120% .*  collapses by itself, above the capacity$", out, re.MULTILINE)
    assert "At 1% load fewer than 20 orders come" in out
    assert "The service collapses by itself at 120% load." in out
    assert "is survived" not in out
    doubts = [at["doubt"] for at in json.loads(figures.read_text("utf-8"))["loads"]]
    assert doubts == ["too few orders to judge", "above the capacity"]


def test_what_never_sticks_is_null_in_the_file() -> None:
    """JSON has no infinity."""
    written = document(FOUND, 5.0)
    json.dumps(written, allow_nan=False)
    assert written["loads"][0]["edge_s"] is None
    assert written["loads"][1]["edge_s"] == 1.0
    assert written["loads"][1]["band_s"] == [0.3, 2.0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--retries", "21"), "--retries must be a whole number from 0 to 20"),
        (("--slow-times", "0.5"), "--slow-times must be a number above 1 and up to 1000, not 0.5"),
        (("--slow-times", "1"), "--slow-times must be a number above 1 and up to 1000, not 1"),
        (("--slow-times", "1001"), "--slow-times must be a number above 1 and up to 1000"),
        (("--slow-times", "nan"), "--slow-times must be a number above 1 and up to 1000"),
        (("--set", "payment_latency_s=0"), "payment_latency_s: 0 makes no payment that could be"),
        (("--set", "payment_latency_s=0.6"), "client_timeout_s must be longer than an order"),
        (("--set", "payment_outage=true"), "no order is served within client_timeout_s=0.5"),
        (("--set", "initial_stock=5"), "initial_stock must be at least"),
        (("--at", "0"), "--at must be a number from"),
        (("--most-seconds", "0"), "--most-seconds must be a number from"),
        (("--seeds", "0"), "--seeds must be a whole number"),
        (("--processes", "0"), "--processes"),
        (("--set", "store=embedded"), "store"),
        (("--json", "/no/such/folder/a.json"), "--json: /no/such/folder"),
        (("--html", "/no/such/folder/a.html"), "--html: /no/such/folder"),
    ],
)
def test_a_wrong_argument_is_told_by_its_option(
    run: Run, words: tuple[str, str], told: str
) -> None:
    """In one line, with exit code 2, before anything is tried."""
    code, out, err = run("margin", *words)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_ends_it_soon_and_quietly(tmp_path: Path, processes: str) -> None:
    """To the whole group, as a terminal sends it, once a row is there: a file has it at once, and
    nothing waits for the seeds that are left."""
    rows, errors = tmp_path / "rows", tmp_path / "errors"
    words = ["margin", "--unprotected", "--set", "workers=2", "--seeds", "20", "--at", "0.01",
             "--at", "0.6"]  # fmt: skip
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "if __name__ == '__main__':\n    from bpdemo.cli.main import main; main()\n"
    )
    (tmp_path / "program.py").write_text(program, "utf-8")
    with rows.open("w") as out, errors.open("w") as err:
        command = subprocess.Popen(
            [sys.executable, tmp_path / "program.py", *words, "--processes", processes],
            stdout=out, stderr=err, start_new_session=True,
        )  # fmt: skip
    try:
        patience = time.monotonic() + 120
        while "   1%" not in rows.read_text("utf-8") and time.monotonic() < patience:
            assert command.poll() is None, errors.read_text("utf-8")
            time.sleep(0.05)
        os.killpg(command.pid, signal.SIGINT)
        assert command.wait(60) == 130
    finally:
        if command.poll() is None:
            os.killpg(command.pid, signal.SIGKILL)
            command.wait()
    assert errors.read_text("utf-8") == ""
