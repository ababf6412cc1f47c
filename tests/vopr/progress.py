"""What a person sees of a run: a line every two seconds, each new failure, and the sum."""

import time
from typing import TextIO

from tests.vopr.playing import Result
from tests.vopr.swarm import Sum
from tests.vopr.verdicts import Wrong

EVERY_S = 2.0
#: Of each kind so many seeds are named as they come; all of them count.
NAMED = 3


class Progress:
    """Hears of each world. On a terminal the line is written over; else there is one more."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._over = out.isatty()
        self._last_s = time.monotonic()

    def hear(self, total: Sum, result: Result, firsts: list[Wrong]) -> None:
        for wrong in firsts:
            if len(total.failures[wrong.kind]) <= NAMED:
                self._clear()
                told = f"  ✗ seed {result.seed}: {wrong.kind}, at {wrong.at_s:.6f} s"
                print(f"{told}: {wrong.detail[:200]}", file=self._out, flush=True)
        if time.monotonic() - self._last_s >= EVERY_S:
            self._last_s = time.monotonic()
            self._clear()
            print(line(total), end="" if self._over else "\n", file=self._out, flush=True)

    def close(self, total: Sum, *, stopped: bool) -> None:
        self._clear()
        print(line(total) + (" (stopped)" if stopped else ""), file=self._out)
        for kind, seeds in total.failures.items():
            some = ", ".join(map(str, seeds[:5]))
            print(f"  ✗ {kind}: {len(seeds)} seeds, such as {some}", file=self._out)
        if total.failures:
            first = min(seeds[0] for seeds in total.failures.values())
            print(f'A story of one: make vopr ARGS="--seed {first} --shrink"', file=self._out)

    def _clear(self) -> None:
        if self._over:
            print("\r\x1b[2K", end="", file=self._out)


def line(total: Sum) -> str:
    return (
        f"{total.wall_s:6.0f} s   {total.seeds:,} worlds   {total.hours:,.1f} h simulated   "
        f"{total.customers:,} customers   {total.failed_seeds} failed"
    )
