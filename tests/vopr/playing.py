"""Plays a script to its end, once or twice, and tells what became of it."""

import asyncio
import gc
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.vopr.loop import WatchedLoop
from tests.vopr.script import Act, Script
from tests.vopr.verdicts import Wrong
from tests.vopr.world import World

SOME = 6  # one in so many is played twice


@dataclass
class Result:
    """One world in figures. `wrongs` is empty where everything held."""

    seed: int
    simulated_s: float = 0.0
    customers: int = 0
    orders: int = 0
    recovered: bool = False
    twice: bool = False
    wrongs: list[Wrong] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    took_s: float = 0.0


def play(
    script: Script, *, wall_jumps: bool = True, sums: bool = False, full: bool = False
) -> World:
    """The world as it was at its end. An exception that left it is among its wrongs."""
    made: list[World] = []

    async def main() -> None:
        made.append(World(script, wall_jumps=wall_jumps, sums=sums, full=full))
        try:
            await made[0].play()
        finally:
            made[0].end()

    try:
        with asyncio.Runner(loop_factory=WatchedLoop) as runner:
            runner.run(main())
    except (Exception, KeyboardInterrupt, SystemExit, asyncio.CancelledError) as error:
        if not made or (isinstance(error, KeyboardInterrupt) and not error.args):
            raise  # Ctrl-C; those that are injected have a word with them
        made[0].verdicts.fail("it broke out of the loop", f"{type(error).__name__}: {error}")
    return made[0]


def examine(script: Script, *, twice: bool | None = None) -> Result:
    """Play it, and see whether the same script gives the same history again.

    Where the wall clock jumped it does not the second time: that must not matter either.
    """
    began_s = time.perf_counter()
    if twice is None:
        twice = script.seed % SOME == 0 or any(
            "stop" in (act.kind, act.what.get("kind")) for act in script.acts
        )
    world = play(script, sums=twice)
    if twice:
        gc.collect()
        again = play(script, wall_jumps=False, sums=True)
        same = again.diary.checksum == world.diary.checksum
        world.verdicts.expect(same, "the same seed gave another history")
    return Result(
        script.seed,
        world.loop.time(),
        len(world.doorway.customers),
        len(world.truth.made),
        world.recovered,
        twice,
        world.verdicts.wrongs,
        _faults_of(script),
        Counter(one.reason or str(one.status) for one in world.doorway.customers),
        time.perf_counter() - began_s,
    )


def _faults_of(script: Script) -> Counter[str]:
    """How often each kind of thing went wrong."""
    faults: Counter[str] = Counter()
    for planned in script.acts:
        act = planned
        if act.kind == "when":
            faults["done just as something happened"] += 1
            act = Act(act.at_s, act.what["kind"], act.what["what"])
        match act.kind:
            case "break":
                how = act.what["error"] if act.what["how"] == "raise" else act.what["how"]
                faults[f"{act.what['dependency']}: {how}"] += 1
            case "crash" | "stall" | "wall" | "drain" | "stop" | "kill" | "freeze":
                faults[act.kind] += 1
            case "turn":
                faults["knobs turned"] += 1
            case "order":
                faults["hang-up"] += act.what["hang_up_s"] is not None
                faults["request cancelled"] += act.what["cancel_s"] is not None
                faults["left just as something happened"] += act.what["flees"] is not None
    return faults
