"""Play every claim of the course again and again, and count how often it holds: `make claims`.

    python scripts/claims.py                   each claim five times
    python scripts/claims.py --times 20 02 04  those of two lessons, twenty times

Needs a machine with nothing else to do: a run on a busy one is played once more, then counted as
*busy* and not as broken. Exits with 1 if a claim did not hold, with 2 if there is no such lesson.
"""

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.lab import NotMeasured  # noqa: E402
from bpdemo.load.driver import LoadSilent  # noqa: E402
from tests.support.claims import play  # noqa: E402

TAG = re.compile(r"claim-([\w-]+)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("lessons", nargs="*", help="their numbers, as in 02; all if none is named")
    parser.add_argument("--times", type=int, default=5, help="how often each is played")
    args = parser.parse_args()
    broken = 0
    paths = sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))
    known = [path.stem[:2] for path in paths]
    if strangers := [lesson for lesson in args.lessons if lesson not in known]:
        print(
            f"no such lesson: {', '.join(strangers)}; there are {', '.join(known)}", file=sys.stderr
        )
        return 2
    for path in paths:
        if not args.lessons or path.stem[:2] in args.lessons:
            for claim in claims_of(path):
                broken += hold(path.stem, claim, args.times)["broken"]
    return 1 if broken else 0


def claims_of(path: Path) -> list[str]:
    """The claims of a lesson, in its order."""
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    tags = [tag for cell in cells for tag in cell.metadata.get("tags", [])]
    return list(dict.fromkeys(found[1] for tag in tags if (found := TAG.fullmatch(tag))))


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
