"""Usual wrong answers to the exercise of lesson 08: source, and some words of what it is told.

Each answer names a Locust file of `crowds/` and a capacity.
"""

from pathlib import Path

CROWDS = Path(__file__).parent / "crowds"


def _found(crowd: str, per_s: object = 66) -> str:
    return f"found = {{'crowd': {str(CROWDS / crowd)!r}, 'capacity_per_s': {per_s!r}}}\n"


WRONG: dict[str, dict[str, str]] = {
    "08a": {
        _found("open_loop.py", 100): "a rejection is an answer, too",
        _found("open_loop.py", 40): "you have measured your own load",
        _found("open_loop.py", "about 66"): "'capacity_per_s' is a number",
        _found("gone.py"): "names your Locust file",
        _found("closed_loop.py"): "the load falls just when it should not",
        _found("slow_rate.py"): "without it, there is one arrival a second",
        _found("few_at_once.py"): "callers wait for each other",
        _found("one_item.py"): "the best case for every cache",
        _found("wrong_path.py"): "one has to send orders",
        _found("no_body.py"): "has a body such as",
        _found("slip.py"): "Locust can load the file",
    },
}
