"""Lesson 07: what signals and traces tell, of real processes."""

from __future__ import annotations

from tests.claims.entry import Claim, NotApplicable

LESSON = "07_seeing_it"

CLAIMS = (
    Claim(
        LESSON,
        "cpu-or-wait",
        mechanism="workers wait for the payment, and use no processor",
        figure="",
        arms=NotApplicable(
            "CPU time is a real process's; the lesson has the other arm, a service that computes"
        ),
        recommended=NotApplicable("a wait of 250 ms is half of what customers bear, at any speed"),
    ),
    Claim(
        LESSON,
        "trace",
        mechanism="a job carries its caller's context through the queue",
        figure="",
        arms=NotApplicable("trace and log are each broken alone by its two tests"),
        recommended=NotApplicable("it recommends no value that a speed could refute"),
    ),
)
