"""`make soak`: ten minutes at three times capacity, through storms drawn by a seed."""

import argparse
import asyncio
from functools import partial
from pathlib import Path

from tests.faults.soak.soak import soak
from tests.faults.soak.verdict import judge, show, write


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("reports/soak.json"))
    options = parser.parse_args()
    record = asyncio.run(soak(options.minutes * 60, options.seed, partial(print, flush=True)))
    write(record, options.out)
    show(record)
    print(f"All figures are in {options.out}.")
    return int(any(line.ok is False for line in judge(record)))


if __name__ == "__main__":
    raise SystemExit(main())
