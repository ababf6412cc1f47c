"""Usual wrong answers to the exercises of lesson 04: source, and some words of what it is told."""

JITTER = "def full_jitter(failed, base_s, cap_s, rng):\n    return "
AWAY = "def turn_away(wait_s, service_s, remaining_s):\n    return "


def _settings(places: int, share: float, reason: str) -> str:
    chosen = {"queue_capacity": places, "retry_budget": share, "because": reason}
    return f"settings = {chosen}\n"


WRONG: dict[str, dict[str, str]] = {
    "04a": {
        JITTER + "min(cap_s, base_s * 2 ** (failed - 1))\n": "came back together",
        JITTER + "min(cap_s, base_s * 2 ** (failed - 1)) * rng.uniform(0.9, 1)\n": (
            "came back together"
        ),
        JITTER + "min(cap_s, base_s * 2 ** (failed - 1)) * rng.uniform(0.5, 1)\n": (
            "*equal* jitter"
        ),
        JITTER + "min(cap_s, rng.uniform(0, base_s * 2 ** (failed - 1)))\n": (
            "waits lie close together"
        ),
        JITTER + "rng.uniform(0, min(1.0, 0.05 * 2 ** (failed - 1)))\n": (
            "a base of 0.2 s and a cap of 3 s"
        ),
        JITTER + "rng.uniform(0, base_s)\n": "The waits grow",
        JITTER + "rng.uniform(0, base_s * 2 ** (failed - 1))\n": "never comes back",
        JITTER + "rng.uniform(0, min(cap_s, base_s * 2 ** failed))\n": "not doubled yet",
        JITTER + "rng.uniform(0, cap_s)\n": "the first retry should come soon",
        JITTER + "min(cap_s, base_s * 2 ** (failed - 1)) + rng.uniform(0, base_s)\n": (
            "leaves the crowd together, only later"
        ),
        JITTER + "base_s * 2 ** failed\n": "not doubled yet",
        JITTER + "base_s * 2 ** (failed - 1) * (1 + rng.random())\n": "never less than 0.05",
        "def full_jitter(failed, base_s, cap_s, rng):\n"
        "    rng.uniform(0, min(cap_s, base_s * 2 ** (failed - 1)))\n": "return the wait",
    },
    "04b": {
        _settings(16, 0, "a"): "would succeed when tried again",
        _settings(16, 1, "a"): "attempts per order",
        _settings(-1, 0.1, "a"): "no storm, but a backlog",
        _settings(0, 0.1, "a"): "come together by chance",
        _settings(0, 0, "a"): "Two things at once",
        _settings(16, 0.1, "b"): "a failure that nobody notices",
        _settings(16, 0.1, "c"): "What makes callers wait is backoff",
        _settings(16, 0.1, "d"): "leave a backlog",
    },
    "04c": {
        AWAY + "wait_s > remaining_s\n": "leaves before it is done",
        AWAY + "wait_s + service_s > remaining_s\n": "Leave a margin",
        AWAY + "service_s > remaining_s\n": "long after its caller has left",
        AWAY + "False\n": "long after its caller has left",
        AWAY + "True\n": "to lose a sale",
        AWAY + "wait_s > 0\n": "about half of the time",
        AWAY + "wait_s > 0.5 * remaining_s\n": "takes so long",
    },
}
