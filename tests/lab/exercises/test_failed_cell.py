"""An answer cell that did not run is told; what stood there before it is not judged instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jupyter import Kernel

RIGHT = (
    "def pool_size(allowed, reserved, replicas, surge):\n"
    "    return (allowed - reserved) // (replicas + surge)"
)
SETTINGS = 'settings = {"because": "b", "queue_capacity": 10, "retry_budget": 0.1}'
CHECK = "print(check('06c', pool_size))"
CHECK_SETTINGS = "print(check('04b', settings))"
#: What each is told without a load: this keeps the test quick.
TOLD = {CHECK: " passed: ", CHECK_SETTINGS: "Reason b is not the right one"}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("learner")
    with Kernel(Path(folder), BPDEMO_HOME=str(folder / "home")) as started:
        started.run("from bpdemo.lab import check")
        yield started


@pytest.mark.parametrize(
    ("before", "broken", "asks", "words"),
    [
        (RIGHT, RIGHT.replace(":", "", 1), CHECK, "line 1: expected"),
        (RIGHT, f"{RIGHT})", CHECK, "unmatched ')'"),
        (RIGHT, f"@unknown\n{RIGHT}", CHECK, "NameError: name 'unknown' is not defined"),
        (SETTINGS, SETTINGS.replace('"b"', "b"), CHECK_SETTINGS, "name 'b' is not defined"),
        (SETTINGS, SETTINGS.replace("}", ""), CHECK_SETTINGS, "'{' was never closed"),
    ],
)
def test_what_stood_there_before_is_not_judged(
    kernel: Kernel, before: str, broken: str, asks: str, words: str
) -> None:
    """The cell's own fault is told; once it runs again, its answer is judged."""
    kernel.run(before)
    failed = kernel.outcome(kernel.begin(broken))
    assert failed.error
    told = kernel.run(asks)
    assert words in told
    assert TOLD[asks] not in told
    kernel.run(before)
    assert TOLD[asks] in kernel.run(asks)


def test_a_cell_that_fails_after_its_answer_has_given_one(kernel: Kernel) -> None:
    """The function is new; the line below it, with which it was tried out, is nobody's answer."""
    assert kernel.outcome(kernel.begin(f"{RIGHT}\npool_size(1)")).error == "TypeError"
    assert " passed: " in kernel.run(CHECK)


def test_a_cell_that_failed_for_another_name_is_no_matter(kernel: Kernel) -> None:
    """Nor is one that failed before the answer was written anew."""
    assert kernel.outcome(kernel.begin("def pool_size(allowed")).error == "SyntaxError"
    kernel.run(RIGHT)
    assert kernel.outcome(kernel.begin("def pool_sizes(allowed")).error == "SyntaxError"
    assert " passed: " in kernel.run(CHECK)
