"""Lesson 03: several ways to shed keep goodput up; each is tried without the others."""

from __future__ import annotations

from typing import Any

from bpdemo.lab import LoadRun, simulate
from bpdemo.lab.lessons.fairness import jain_index, parts_by
from bpdemo.results.waits import others_wait_ms
from tests.claims.entry import Arm, Claim, NotApplicable, Recommended
from tests.claims.virtual import careful, goodput, naive, played, slowed

LESSON = "03_load_shedding"
CROWD = {"greedy": 9, "anna": 1, "ben": 1, "carla": 1}
KINDS = {3: 1, 1: 2, 0: 2}


def fairness(settings: Any, slower: float = 1.0) -> float:
    run = simulate(slowed(settings, slower), times=3, seconds=15, clients=CROWD)
    parts = parts_by(run, "client", "").values()
    return float(jain_index(part.summary["goodput_per_s"] for part in parts))


def critical(settings: Any, slower: float = 1.0) -> float:
    """Share of the critical orders that are served in time."""
    run = played(settings, slower=slower, seconds=15, priorities=KINDS)
    return float(parts_by(run, "priority", "")["critical"].summary["served_share"])


def told_after_ms(settings: Any) -> float:
    run: LoadRun = played(settings)
    return others_wait_ms(run, after_s=5)


CLAIMS = (
    Claim(
        LESSON,
        "refusing",
        mechanism="`max_in_flight`: refusing before any work is done",
        figure="goodput ÷ possible",
        arms=NotApplicable("its two services differ in that one number; each is the other's arm"),
        recommended=(
            Recommended(
                "workers + 8 in flight",
                lambda slower: goodput(naive(max_in_flight=16), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "lifo",
        mechanism="newest first",
        figure="goodput ÷ possible",
        arms=(
            Arm("oldest first, no bound", lambda: goodput(naive()), at_most=0.1),
            Arm(
                "oldest first, a bound of 8",
                lambda: goodput(naive(queue_capacity=8)),
                at_least=0.9,
            ),
        ),
        recommended=(
            Recommended(
                "newest first",
                lambda slower: goodput(naive(queue_discipline="lifo"), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "codel",
        mechanism="shedding what has waited too long",
        figure="goodput ÷ possible; for the others, ms until they know",
        arms=(
            Arm(
                "newest first, ms until the others know",
                lambda: told_after_ms(naive(queue_discipline="lifo")),
                at_least=400,
            ),
            Arm(
                "CoDel alone, the payment 7× slower",
                lambda: goodput(naive(queue_discipline="codel"), slower=7),
                at_least=0.9,
            ),
            Arm(
                "a bound of 8, ms until the others know",
                lambda: told_after_ms(naive(queue_capacity=8)),
                at_most=10,
            ),
        ),
        recommended=(
            Recommended(
                "20 ms, standing for 200 ms",
                lambda slower: goodput(naive(queue_discipline="codel"), slower=slower),
                at_least=0.9,
            ),
        ),
    ),
    Claim(
        LESSON,
        "blame",
        mechanism="a share of its own for each client",
        figure="",
        arms=NotApplicable("it is about which status is told, by one real service at rest"),
        recommended=NotApplicable("two in flight are an example; no value is recommended"),
    ),
    Claim(
        LESSON,
        "fair-share",
        mechanism="`client_max_in_flight=10`",
        figure="Jain's index",
        arms=(
            Arm("the bound alone", lambda: fairness(careful()), at_most=0.7),
            Arm(
                "the share alone, no bound",
                lambda: fairness(naive(client_max_in_flight=10)),
                at_least=0.7,
            ),
        ),
        recommended=(
            Recommended(
                "10 in flight for each client",
                lambda slower: fairness(careful(client_max_in_flight=10), slower),
                at_least=0.7,
            ),
        ),
    ),
    Claim(
        LESSON,
        "priority",
        mechanism="critical first, in a queue that is long enough to overtake in",
        figure="critical orders served ÷ critical orders",
        arms=(
            Arm(
                "critical first, 8 may wait",
                lambda: critical(careful(queue_discipline="priority", queue_capacity=8)),
                at_most=0.75,
            ),
            Arm(
                "200 may wait, first come first served",
                lambda: critical(careful(queue_capacity=200)),
                at_most=0.1,
            ),
        ),
        recommended=(
            Recommended(
                "200 may wait, critical first",
                lambda slower: critical(
                    careful(queue_discipline="priority", queue_capacity=200), slower
                ),
                at_least=0.9,
            ),
        ),
    ),
)
