"""What a claim that must fail looks at is worked out, and nothing else."""

import ast
from typing import Any

import pytest

from bpdemo.lab import LoadRun, simulate
from tests.support.needed import Later, later, now, without_words


class Runs:
    """Tells which runs were made."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def make(self, number: int, *, by: int = 1) -> "Run":
        self.made.append(number)
        return Run(number * by)


class Run:
    def __init__(self, served: int) -> None:
        self.summary = {"served": served}
        self.total = served

    def between(self, start_s: float, end_s: float) -> dict[str, float]:
        return {"served": self.total * (end_s - start_s)}


def test_a_run_is_made_when_its_figure_is_looked_at_and_once():
    """To take parts of it, and to count with them, is not to look."""
    runs = Runs()
    first, other = (later(runs.make)(number, by=2) for number in (3, 5))
    figures = {"sum": first.total + other.total, "part": first.between(1, 3)["served"] / 4}
    figures |= {"gain": 10 - first.summary["served"], "size": abs(-2 * other.total)}
    assert runs.made == []
    assert figures["part"] == 3
    assert runs.made == [3]
    assert [float(figures[name]) for name in ("sum", "gain", "size")] == [16, 4, 20]
    assert sorted(runs.made) == [3, 5]


@pytest.mark.parametrize(
    "looks",
    [float, int, bool, str, repr, hash, "{:.1f}".format, lambda x: x < 7, lambda x: x <= 7,
     lambda x: x == 6, lambda x: min(x, 9), lambda x: sorted([x, 1]), lambda x: isinstance(x, int)],
)  # fmt: skip
def test_whoever_looks_sees_the_value_itself(looks: Any):
    """As a number, as a text, in a comparison, by its class: the same as of what is there."""
    assert looks(Later(lambda: 6)) == looks(6)


def test_a_simulation_that_is_made_later_is_the_same():
    """Its arguments are those of the moment in which it was asked for."""
    knobs, load = {"workers": 2, "payment_latency_s": 0.05}, {"times": 1.5, "seconds": 2.0}
    run = later(simulate)(knobs, **load)
    load["seconds"] = 1.0
    assert isinstance(run, LoadRun)
    assert now(run).summary == simulate(knobs, times=1.5, seconds=2.0).summary


def test_an_error_of_a_run_is_the_looker_s():
    """It is raised where the run is needed, and not swallowed."""
    run = later(simulate)({"workers": 0}, times=1, seconds=1)
    with pytest.raises(ValueError, match="workers"):
        float(run.summary["served_share"])


def test_what_is_only_read_is_left_out():
    """Names that claims are made of stay, whatever they are made of."""
    cell = """
a = simulate(b)
a
print(f"{a}")
for x in c:
    print(x)
told = f"{a}"
told += f", {b}"
other = "{}".format(a)
reveal("01a", told)
f(a)
d = a.format("x")
claim("it is so", d)
"""
    left = [ast.unparse(each) for each in without_words(ast.parse(cell)).body]
    assert left == [
        "a = simulate(b)",
        "for x in c:\n    print(x)",
        "f(a)",
        "d = a.format('x')",
        "claim('it is so', d)",
    ]
