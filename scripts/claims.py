"""Play the claims of the course again and again, and log what was measured: `make claims`.

    python scripts/claims.py                   each claim five times
    python scripts/claims.py --times 20 02 04  those of two lessons, twenty times
    python scripts/claims.py blame pool        these two
    python scripts/claims.py --virtual         those that virtual time can play, in virtual time
    python scripts/claims.py --arms            each mechanism alone, the second table of the page

All of it goes to benchmarks/CLAIMS.md, claim by claim, with the date; what was not played keeps its
rows. Needs a machine with nothing else to do, but for `--virtual` and `--arms`: a run on a busy one
is played again, and at last counted as *busy* and not as broken. Exits with 1 if a claim did not
hold, with 2 if there is no such lesson or claim.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.lab import NotMeasured  # noqa: E402
from bpdemo.load.driver import LoadSilent  # noqa: E402
from tests.claims.entry import Claim  # noqa: E402
from tests.claims.table import CLAIMS, LIVE_IN_VIRTUAL_TIME  # noqa: E402
from tests.claims.told import Played, tidy, write_arm, write_played  # noqa: E402
from tests.support.claims import is_live, lessons, play  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "chosen", nargs="*", help="lessons by number, as in 02, or claims by name; all if none"
    )
    parser.add_argument("--times", type=int, default=5, help="how often each is played")
    parser.add_argument(
        "--arms", action="store_true", help="each mechanism alone, in virtual time, as a table"
    )
    parser.add_argument(
        "--virtual", action="store_true", help="only what virtual time can play, and there"
    )
    args = parser.parse_args()
    known = [*(lesson[:2] for lesson in lessons()), *(one.name for one in CLAIMS)]
    if strangers := [name for name in args.chosen if name not in known]:
        told = f"no such lesson or claim: {', '.join(strangers)}; there are {', '.join(known)}"
        print(told, file=sys.stderr)
        return 2
    chosen = [
        one for one in CLAIMS if not args.chosen or {one.lesson[:2], one.name} & {*args.chosen}
    ]
    tidy()
    if args.arms:
        for one in chosen:
            print(write_arm(one), flush=True)
        return 0
    if args.virtual:
        chosen = [one for one in chosen if _is_virtual(one)]
    held = [hold(one, args.times, virtual=args.virtual) for one in chosen]
    return 0 if all(held) else 1


def _is_virtual(claim: Claim) -> bool:
    """Whether virtual time can play it, and no real service is needed."""
    in_virtual_time = (claim.lesson, claim.name) in LIVE_IN_VIRTUAL_TIME
    return in_virtual_time or not is_live(claim.lesson, claim.name)


def hold(claim: Claim, times: int, *, virtual: bool) -> bool:
    """Play one claim so many times and log it; whether it held each time it could be measured."""
    live = is_live(claim.lesson, claim.name)
    where = "virtual" if live and virtual else "live"
    how = "live" if live and not virtual else "virtual time"
    played = Played(claim, how, datetime.now(UTC).date().isoformat(), times)
    broken, began_s = 0, time.monotonic()
    for _ in range(times):
        try:
            play(claim.lesson, claim.name, where, heard=played.heard)
        except NotMeasured:
            played.busy += 1
        except (AssertionError, LoadSilent) as why:
            broken += 1
            print(f"  {claim.label}: {why}", flush=True)
    write_played(played)
    told = f"held {times - played.busy - broken} of {times}"
    told += "".join(f", {n} {word}" for n, word in ((played.busy, "busy"), (broken, "broken")) if n)
    print(f"{claim.label}: {told} ({time.monotonic() - began_s:.0f} s)", flush=True)
    return not broken


if __name__ == "__main__":
    raise SystemExit(main())
