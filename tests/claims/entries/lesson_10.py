"""Lesson 10: promises, workers and a real database."""

from __future__ import annotations

from tests.claims.entry import Claim, NotApplicable

LESSON = "10_beyond_one_process"
REAL = "processes and a database that know no virtual time; "

CLAIMS = (
    Claim(
        LESSON,
        "promise",
        mechanism="accepted work is written down, and done later by a worker",
        figure="",
        arms=NotApplicable(REAL + "two tests break the promise and its speed, each alone"),
        recommended=NotApplicable("it recommends no value; the payment takes five times as long"),
    ),
    Claim(
        LESSON,
        "killed",
        mechanism="leases that end with the heartbeat, and charges with a key",
        figure="",
        arms=NotApplicable(REAL + "lease and key are each taken away alone by its two tests"),
        recommended=NotApplicable("it recommends no value; the payment takes five times as long"),
    ),
    Claim(
        LESSON,
        "bounded",
        mechanism="the backlog's bound, counted and written in one step",
        figure="",
        arms=NotApplicable(REAL + "nothing but the bound could refuse a promise in it"),
        recommended=NotApplicable(
            "a backlog of 40 is an example; its length is a number about one speed, and says so"
        ),
    ),
    Claim(
        LESSON,
        "percentiles",
        mechanism="a mean of percentiles is not a percentile",
        figure="",
        arms=NotApplicable("arithmetic, tried with few and with many orders at the slow service"),
        recommended=NotApplicable("it recommends to add buckets up, and no value"),
    ),
)
