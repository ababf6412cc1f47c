"""Lesson 06: a real database, in real time. Its arms are runs of the lesson itself."""

from __future__ import annotations

from tests.claims.entry import Claim, NotApplicable

LESSON = "06_database_and_cache"
REAL = "a lock of a real PostgreSQL, which knows no virtual time; "

CLAIMS = (
    Claim(
        LESSON,
        "pool",
        mechanism="two connections are the limit, whatever stands in front of them",
        figure="",
        arms=NotApplicable(
            "a pool of a real PostgreSQL, which knows no virtual time; the test that breaks it has "
            "the other arm, a pool without a bound"
        ),
        recommended=NotApplicable("it recommends to watch the wait, and no size"),
    ),
    Claim(
        LESSON,
        "hot-row",
        mechanism="an update holds the lock of its row for 20 ms",
        figure="",
        arms=NotApplicable(
            REAL + "its two runs differ in the item alone, and its test in what holds the lock"
        ),
        recommended=NotApplicable("it recommends to hold a lock for less long, and no value"),
    ),
    Claim(
        LESSON,
        "stampede",
        mechanism="callers join a load that is under way",
        figure="",
        arms=NotApplicable("one cache and one key: nothing else could have shared the load"),
        recommended=NotApplicable("the store takes 200 ms in it, a hundred times the usual"),
    ),
    Claim(
        LESSON,
        "stale",
        mechanism="`cache_stale_s`: an expired value is kept for a store that is down",
        figure="",
        arms=NotApplicable("its two services differ in that one setting; each is the other's arm"),
        recommended=NotApplicable("the store is down in it, which is slower than twice"),
    ),
)
