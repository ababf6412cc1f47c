"""Usual wrong answers to the exercises of lesson 05: source, and some words of what it is told."""

RULE = "def may_probe(out, succeeded, allowed):\n    return "


def _breaker(calls: int, window_s: float) -> str:
    return f"settings = {{'breaker_min_calls': {calls}, 'breaker_window_s': {window_s}}}\n"


def _open(open_s: float, reason: str) -> str:
    return f"settings = {{'breaker_open_s': {open_s}, 'reason': '{reason}'}}\n"


WRONG: dict[str, dict[str, str]] = {
    "05a": {
        RULE + "True\n": "knocked down again by the crowd",
        RULE + "False\n": "would stay shut",
        RULE + "out < allowed\n": "used its permit",
        RULE + "succeeded < allowed\n": "knocked down again by the crowd",
        RULE + "out + succeeded <= allowed\n": "knocked down again by the crowd",
        RULE + "out == 0 and succeeded < allowed\n": "one must wait for the other",
        RULE + "out + succeeded < allowed - 1\n": "the next one was refused",
        RULE + "out + succeeded < 3\n": "is a setting",
    },
    "05b": {
        _breaker(30, 1): "waits for ever",
        _breaker(1000, 10): "waits for ever",
        _breaker(1, 1): "a few calls prove nothing",
        _breaker(5, 1): "a few calls prove nothing",
        _breaker(20, 10): "still holds the good calls",
    },
    "05c": {
        _open(1, "c"): "three real customers",
        _open(10, "c"): "all is well",
        _open(10, "a"): "leaves the payment in peace",
        _open(3.5, "a"): "leaves the payment in peace",
        _open(3.5, "b"): "Asking twice as often",
        _open(3.5, "d"): "Nobody knows how long",
    },
}
