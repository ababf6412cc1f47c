"""Play every claim of the course again and again, and count how often it holds: `make claims`.

    python scripts/claims.py                   each claim five times
    python scripts/claims.py --times 20 02 04  those of two lessons, twenty times
    python scripts/claims.py --arms            the second table of notebooks/CLAIMS.md, measured now

Needs a machine with nothing else to do: a run on a busy one is played again, and at last counted as
*busy* and not as broken. Exits with 1 if a claim did not hold, with 2 if there is no such lesson.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.lab import NotMeasured  # noqa: E402
from bpdemo.load.driver import LoadSilent  # noqa: E402
from tests.claims.table import CLAIMS  # noqa: E402
from tests.claims.told import COLUMNS, row_of  # noqa: E402
from tests.support.claims import claims_of, lessons, play  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("lessons", nargs="*", help="their numbers, as in 02; all if none is named")
    parser.add_argument("--times", type=int, default=5, help="how often each is played")
    parser.add_argument(
        "--arms", action="store_true", help="each mechanism alone, in virtual time, as a table"
    )
    args = parser.parse_args()
    known = [lesson[:2] for lesson in lessons()]
    if strangers := [lesson for lesson in args.lessons if lesson not in known]:
        print(
            f"no such lesson: {', '.join(strangers)}; there are {', '.join(known)}", file=sys.stderr
        )
        return 2
    chosen = [lesson for lesson in lessons() if not args.lessons or lesson[:2] in args.lessons]
    if args.arms:
        tell_arms(chosen)
        return 0
    broken = 0
    for lesson in chosen:
        for claim in claims_of(lesson):
            broken += hold(lesson, claim, args.times)["broken"]
    return 1 if broken else 0


def tell_arms(chosen: list[str]) -> None:
    """Print the table of arms, each measured now: what CLAIMS.md is to say of these lessons."""
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for claim in CLAIMS:
        if claim.lesson in chosen:
            print(row_of(claim), flush=True)


def hold(lesson: str, claim: str, times: int) -> Counter[str]:
    """Play one claim so many times; tells at once what did not hold."""
    told, began_s = Counter[str](), time.monotonic()
    for _ in range(times):
        try:
            play(lesson, claim)
            told["held"] += 1
        except NotMeasured:
            told["busy"] += 1
        except (AssertionError, LoadSilent) as why:
            told["broken"] += 1
            print(f"  {lesson} {claim}: {why}", flush=True)
    took_s = time.monotonic() - began_s
    rest = "".join(f", {told[word]} {word}" for word in ("busy", "broken") if told[word])
    print(
        f"{lesson[:2]} {claim:<16} held {told['held']} of {times}{rest} ({took_s:.0f} s)",
        flush=True,
    )
    return told


if __name__ == "__main__":
    raise SystemExit(main())
