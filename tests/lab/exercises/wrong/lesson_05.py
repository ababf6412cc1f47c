"""Usual wrong answers to the exercises of lesson 05: source, and some words of what it is told."""

ARGUMENTS = "state, event, seen, rules"
#: Right, with gaps to be filled: what is said in them is a usual mistake each.
MOVES = """def next_state({arguments}):
    enough = {enough}
    too_many = enough and seen["calls"] and {share}
    if state == "closed" and too_many:
        return "open"
    if state == "open" and {asked} and {rested}:
        return {after_open}
    if state == "half_open" and event == "failure":
        return {after_failure}
    if state == "half_open" and event == "success" and {proven}:
        return "closed"
    return {otherwise}
"""
RIGHT = {
    "arguments": ARGUMENTS,
    "enough": 'seen["calls"] >= rules["min_calls"]',
    "share": 'seen["failures"] / seen["calls"] >= rules["failure_ratio"]',
    "asked": 'event == "call"',
    "rested": 'seen["open_for_s"] >= rules["open_s"]',
    "after_open": "'half_open'",
    "after_failure": "'open'",
    "proven": 'seen["succeeded"] >= rules["half_open_calls"]',
    "otherwise": "state",
}


def _moves(**mistake: str) -> str:
    return MOVES.format(**RIGHT | mistake)


def _order(*lines: str) -> str:
    return f"order = {list(lines)}\n"


def _breaker(calls: int, window_s: float) -> str:
    return f"settings = {{'breaker_min_calls': {calls}, 'breaker_window_s': {window_s}}}\n"


def _open(open_s: float, reason: str) -> str:
    return f"settings = {{'breaker_open_s': {open_s}, 'because': '{reason}'}}\n"


WRONG: dict[str, dict[str, str]] = {
    "05a": {
        f"def next_state({ARGUMENTS}):\n    return 'closed'\n": "waits for a timeout",
        f"def next_state({ARGUMENTS}):\n    return state == 'open'\n": "one of the three",
        _moves(otherwise="None"): "Does every path through the function end",
        _moves(after_open="'half-open'"): "with an underscore",
        _moves(after_open="'HalfOpen'"): "with an underscore",
        _moves(after_open="'Half_open'"): "in small letters",
        _moves(after_failure="'Open'"): "It is spelled 'open'",
        _moves(after_failure="'broken'"): "spelled exactly like that",
        _moves(enough="True"): "few calls prove nothing",
        _moves(share="seen['failures'] >= rules['min_calls'] / 2"): "and not their share",
        _moves(share="seen['failures'] / seen['calls'] > rules['failure_ratio']"): "must *reach*",
        _moves(rested="True"): "“open_s” to recover",
        _moves(asked="event == 'success'", rested="True"): "Only one arrow leads away from open",
        _moves(after_open="'closed'"): "let the whole crowd through",
        _moves(asked="event in ('call', 'success')", rested="seen['open_for_s'] > 0"): (
            "“open_s” to recover"
        ),
        _moves(after_failure="'half_open'"): "the first failure is enough",
        _moves(proven="True"): "One success may be luck",
        _moves(proven="seen['succeeded'] > rules['half_open_calls']"): "never will",
        _moves(proven="seen['succeeded'] >= 3"): "are not constants",
        _moves(rested="seen['open_for_s'] >= 1"): "are not constants",
    },
    "05b": {
        _breaker(30, 1): "never opens.",
        _breaker(1000, 10): "never opens.",
        _breaker(1, 1): "few calls prove nothing",
        _breaker(5, 1): "few calls prove nothing",
        _breaker(20, 10): "still holds the successes",
    },
    "05c": {
        "settings = {'breaker_open_s': '3s', 'because': 'd'}\n": "without a unit, such as 3.",
        "settings = {'breaker_open_s': ' 2.5 s', 'because': 'd'}\n": "without a unit, such as 2.5.",
        "settings = {'breaker_open_s': 'long', 'because': 'd'}\n": "the form that the task gives",
        _open(1, "d"): "three real customers",
        _open(10, "d"): "you go on rejecting customers",
        _open(10, "a"): "no load to speak of",
        _open(3.5, "a"): "no load to speak of",
        _open(3.5, "b"): "Trying twice as often",
        _open(3.5, "c"): "knows how long an outage will last",
    },
    "05d": {
        _order("retry", "deadline", "breaker", "timeout", "pay"): "starts again with each attempt",
        _order("deadline", "timeout", "retry", "breaker", "pay"): "there is no second",
        _order("deadline", "retry", "timeout", "breaker", "pay"): "counts no failure",
        _order("deadline", "breaker", "retry", "timeout", "pay"): "slips past it",
        _order("breaker", "deadline", "retry", "timeout", "pay"): "slips past it",
        _order("pay", "timeout", "breaker", "retry", "deadline"): "would protect nothing",
        _order("deadline", "retry", "timeout", "pay"): "each of them once",
        "order = 'deadline retry breaker timeout pay'\n": "each of them once",
    },
}
