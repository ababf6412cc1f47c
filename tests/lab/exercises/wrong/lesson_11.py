"""Usual wrong answers to the exercises of lesson 11: source, and some words of what it is told."""

AIMD = "def aimd(limit, in_flight, latency_s, dropped):\n"
FOLLOW = "def follow(long_s, short_s):\n    return "


def _aimd(timeout_s: float, cut: str, used: str = "2 * in_flight >= limit") -> str:
    return (
        f"{AIMD}    if dropped or latency_s > {timeout_s}:\n        return {cut}\n"
        f"    if {used}:\n        return limit + 1\n    return limit\n"
    )


WRONG: dict[str, dict[str, str]] = {
    "11a": {
        _aimd(5, "0.9 * limit"): "A call may take 5 s before the rule cuts",
        _aimd(0.4, "0.9 * limit"): "the cut comes a whole wait too late",
        _aimd(0.2, "0.9 * limit"): "A call may take 0.2 s before the rule cuts",
        _aimd(0.12, "1"): "A cut leaves 2% of the limit",
        _aimd(0.1, "0.1 * limit"): "Cut less",
        _aimd(0.12, "0.9 * limit", "True"): "no limit when the burst comes",
        _aimd(0.05, "0.9 * limit"): "An order takes 0.042 s of its own",
        _aimd(0.12, "limit - 1"): "one that can be felt",
        # Numbers that suit eight workers, with the answers that the calls by hand look for.
        f"{AIMD}    return 19 if dropped else 21 if latency_s == 0.05 else 16\n": (
            "a fixed limit again"
        ),
        f"{AIMD}    return max(8, limit - 1) if dropped else min(limit + 1, 24)\n": (
            "With all of a limit of 40 in use"
        ),
        f"{AIMD}    return 1 if dropped else 10**400\n": "as a number",
        f"{AIMD}    return 1 if dropped else 10**5000\n": "a number of 5001 digits",
        f"{AIMD}    if dropped:\n        return 0.9 * limit\n    if latency_s < 8:\n"
        "        return limit + 1\n": "it returned None",
        f"{AIMD}    if dropped:\n        return 0.9 * limit\n    return limit + 1\n": (
            "takes every late answer for a success"
        ),
        f"{AIMD}    if dropped or latency_s > 0.2:\n        return 0.9 * limit\n"
        "    return limit\n": "ends at one order at a time",
        f"{AIMD}    if latency_s > 0.2:\n        return 0.9 * limit\n    return limit + 1\n": (
            "the clearest sign of overload"
        ),
        f"{AIMD}    if dropped or latency_s > 0.2:\n        return 0.9 * limit\n"
        "    if 2 * in_flight >= limit:\n        return limit + 1\n": "3 in flight",
    },
    "11b": {
        FOLLOW + "long_s + (short_s - long_s) / 600\n": "treat the queue as normal",
        FOLLOW + "long_s + (short_s - long_s) / 6000\n": "only drifts later",
        FOLLOW + "short_s\n": "treat the queue as normal",
        FOLLOW + "max(long_s, short_s)\n": "treat the queue as normal",
        FOLLOW + "(long_s + short_s) / 2\n": "treat the queue as normal",
        FOLLOW + "long_s\n": "allows a queue for ever",
        FOLLOW + "min(short_s, long_s + (short_s - long_s) / 20000)\n": "drifts all the same",
        FOLLOW + "0.042\n": "right for one service",
        FOLLOW + "min(long_s, short_s, 0.042)\n": "right for one service",
        "def follow(long_s, short_s):\n    min(long_s, short_s)\n": "above 0",
        FOLLOW + "'slow' if short_s > 0.3 else long_s\n": "it returned 'slow'",
        FOLLOW + "10**5000\n": "a number of 5001 digits",
    },
}
