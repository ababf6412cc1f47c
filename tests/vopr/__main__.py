"""`make vopr`: the service in random worlds, for as many simulated hours as you like."""

import argparse
import logging
import sys
from pathlib import Path

from tests.vopr import proving, record
from tests.vopr.dice import draw_script
from tests.vopr.playing import examine
from tests.vopr.progress import Progress
from tests.vopr.script import Script
from tests.vopr.shrinking import shrink
from tests.vopr.story import tell
from tests.vopr.swarm import Extent, Stop, Sum, run

DEFAULT_MINUTES = 5.0


def main() -> int:
    asked = _arguments().parse_args()
    logging.disable(logging.CRITICAL)
    stop = Stop()
    with stop.on_interrupt():
        if asked.planted:
            return proving.prove(asked.start, asked.seeds or proving.MOST_SEEDS, stop)
        if asked.replay or asked.seed is not None:
            return _one(asked)
        return _many(asked, stop)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make vopr", description=__doc__)
    parser.add_argument("--hours", type=float, help="until so many hours were simulated")
    parser.add_argument("--minutes", type=float, help="for so long (without any of these: 5)")
    parser.add_argument("--seeds", type=int, help="so many worlds")
    parser.add_argument("--start", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--processes", type=int, default=1, help="worlds at a time (default 1)")
    parser.add_argument("--seed", type=int, help="this world alone")
    parser.add_argument("--replay", type=Path, help="the script that --shrink has written")
    parser.add_argument("--shrink", action="store_true", help="tell each failure as a short story")
    parser.add_argument("--planted", action="store_true", help="plant faults, and look for each")
    parser.add_argument("--record", action="store_true", help=f"write {record.PAGE.name}")
    return parser


def _one(asked: argparse.Namespace) -> int:
    script = Script.from_json(asked.replay.read_text()) if asked.replay else draw_script(asked.seed)
    result = examine(script, twice=True)
    total = Sum(script.seed)
    firsts = total.add(result)
    print(f"seed {script.seed}: {total.hours:.3f} h simulated, {result.customers} customers")
    for wrong in firsts:
        print(f"  ✗ {wrong.kind}, at {wrong.at_s:.6f} s: {wrong.detail}")
    if firsts and asked.shrink:
        _tell_small(script, firsts[0].kind)
    return int(bool(firsts))


def _many(asked: argparse.Namespace, stop: Stop) -> int:
    limits = {name: getattr(asked, name) for name in ("hours", "minutes", "seeds")}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    extent = Extent(asked.start, **(given or {"minutes": DEFAULT_MINUTES}))
    progress = Progress(sys.stdout)
    total = run(extent, stop, asked.processes, progress.hear)
    progress.close(total, stopped=stop.asked)
    if asked.shrink and not stop.asked:
        for kind, seeds in total.failures.items():
            _tell_small(draw_script(seeds[0]), kind)
    if asked.record:
        record.write(total)
        print(f"Written to {record.PAGE}.")
    return int(bool(total.failures))


def _tell_small(script: Script, kind: str) -> None:
    small = shrink(script, kind)
    path = Path("reports") / f"vopr-{script.seed}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(small.to_json())
    print(f"\n{kind}, as small as it goes:\n{tell(small)}")
    print(f'Again with: make vopr ARGS="--replay {path}"')


if __name__ == "__main__":
    raise SystemExit(main())
