"""One world: what its script says is done to the service, and what becomes of it is judged."""

import asyncio
from functools import partial
from typing import Any

from bpdemo.core.errors import NotFound
from tests.vopr import history, knobs, recovery, rest
from tests.vopr.customer import Customer
from tests.vopr.moments import Ambush
from tests.vopr.script import Act, Script
from tests.vopr.stage import Stage

EPS_S = 1e-6


class World(Stage):
    """Plays one script. `verdicts` fill meanwhile."""

    def __init__(
        self, script: Script, *, wall_jumps: bool = True, sums: bool = False, full: bool = False
    ) -> None:
        super().__init__(script, wall_jumps=wall_jumps, sums=sums, full=full)
        self.drained = self.cut_off = self.recovered = self.is_well = False
        self.given_up = 0  # what was still owed when the service stopped
        self.longest_open_s = self.longest_lapse_s = self.longest_work_s = self.stalled_s = 0.0
        self.stalls: list[tuple[float, float]] = []
        self.deeds: set[asyncio.Task[Any]] = set()
        self.note_knobs()

    async def play(self) -> None:
        self.loop.on_still = self.moments.still
        await self.office.start()
        if self.crew:
            self.crew.start()
        for act in self.script.acts:
            if act.at_s > self.loop.time():
                await asyncio.sleep(act.at_s - self.loop.time())
            await self._do(act)
        self._all_is_well()
        await rest.come_to_rest(self)
        rest.check(self)
        if self.office.state == "open" and not self.verdicts.wrongs:
            await recovery.sell_again(self)
            await rest.come_to_rest(self)
            rest.check(self)
        await self._close()
        history.judge(self)

    def end(self) -> None:
        """What happens from here on is the loop's tidying up."""
        self.loop.on_still, self.moments.are_over = None, True

    async def _do(self, act: Act) -> None:
        if act.kind == "yield":
            for _ in range(act.what["n"]):
                await asyncio.sleep(0)
        elif act.kind == "when":
            self._ambush(act.what)
        else:
            self._do_now(act)

    def _do_now(self, act: Act) -> None:
        what = act.what
        match act.kind:
            case "order":
                self.order(what)
            case "look" | "read":
                self.read(act.kind, what)
            case "turn":
                self.turn(what)
            case "break" | "crash":
                self.chaos.begin(what)
            case "mend" | "calm":
                (self.chaos.end if act.kind == "mend" else self.chaos.calm)(what["name"])
            case "stall":
                self._stall(what["s"])
            case "wall":
                self.wall_s += what["s"] * self.wall_jumps
            case "kill" | "freeze" if self.crew:
                (self.crew.kill if act.kind == "kill" else self.crew.freeze)(what["n"])
            case "drain" | "stop" if not self.drained:
                self.drained = True
                is_drain = act.kind == "drain"
                self._spawn(self._drain(what["timeout_s"]) if is_drain else self._stop())

    def order(self, what: dict[str, Any]) -> Customer:
        one = self.doorway.comes(what)
        for name in ("hang_up_s", "cancel_s"):
            if what[name] is not None:
                self._spawn(self._leave(one, name, what[name]))
        if flight := what["flees"]:
            deed = partial(self._part, one, flight["how"])
            self.moments.lie_in_wait(Ambush(flight["event"], flight["nth"], flight["turns"], deed))
        return one

    def read(self, kind: str, what: dict[str, Any]) -> None:
        task = self._spawn(self._read(kind, what))
        if what["cancel_s"] is not None:
            self._spawn(self._cancel(task, what["cancel_s"]))

    async def _cancel(self, task: asyncio.Task[Any], after_s: float) -> None:
        await asyncio.sleep(after_s)
        task.cancel()

    def _ambush(self, what: dict[str, Any]) -> None:
        act = Act(0.0, what["kind"], what["what"])

        def deed() -> None:
            if not self.is_well:
                self._do_now(act)

        self.moments.lie_in_wait(Ambush(what["event"], what["nth"], what["turns"], deed))

    async def _leave(self, one: Customer, how: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        for _ in range(one.what["turns"]):
            await asyncio.sleep(0)
        self._part(one, how)

    def _part(self, one: Customer, how: str) -> None:
        if how == "hang_up_s":
            self.doorway.hangs_up(one)
        elif one.task:
            one.task.cancel()

    def turn(self, knobs: dict[str, Any]) -> None:
        self.moments.check()
        self.assembly.turn(knobs)
        self.note_knobs()
        self.moments.turned()
        if self.crew:
            self.crew.turned()

    def note_knobs(self) -> None:
        """The longest that anything may take, by any knobs there were."""
        now = self.assembly.settings
        lapse_s = (now.attempt_timeout_s or now.breaker_open_s) + 0.1
        self.drops = self.drops and now.drop_on_disconnect
        self.longest_open_s = max(self.longest_open_s, now.breaker_open_s)
        self.longest_lapse_s = max(self.longest_lapse_s, lapse_s)
        self.longest_work_s = max(self.longest_work_s, self.anatomy.longest_work_s())
        self.guards.note_knobs(now)

    def _stall(self, seconds: float) -> None:
        now = self.loop.time()
        self.stalls.append((now, now + seconds))
        self.stalled_s += seconds
        self.guards.stalled_s += seconds
        self.loop.stall(seconds)

    def due_s(self, at_s: float) -> float:
        """When a timer of that moment can be seen to, the loop having been stalled."""
        for begin_s, end_s in self.stalls:
            at_s = end_s if begin_s <= at_s <= end_s else at_s
        return at_s

    def expect_true_stock(self, item_id: int) -> None:
        """What the cache says of an item that somebody ordered is so."""
        known = self.anatomy.known_of(item_id)
        there = self.store._stock[item_id] > 0
        if known is None or known.in_stock == there or self.cut_off:
            return
        if self.script.kind == "promises" and item_id not in self.truth.last_sold_by:
            return  # sold by a worker, of whom this service hears in `cache_ttl_s`
        self.verdicts.fail("the cache is wrong about the stock", f"{known}, {there}")

    def _all_is_well(self) -> None:
        self.is_well = True
        self.moments.give_up_waiting()
        self.chaos.end_all()
        mended = {name: knobs.LIVE[name]["value"] for name in knobs.FAULTY}
        # A limit that learns from the past takes its time to trust again, and is no fault.
        self.turn(mended | self.base | {"limit_algorithm": "fixed"})
        if self.crew:
            self.crew.thaw()

    async def _read(self, kind: str, what: dict[str, Any]) -> None:
        """`GET` of an item, or of an order that was sold."""
        for _ in range(what["turns"]):
            await asyncio.sleep(0)
        deadline = self.office.deadline(self.loop.time(), what["timeout_s"])
        sold = [one.order for one in self.doorway.customers[-40:] if one.is_sold and one.order]
        try:
            if kind == "look":
                await self.office.catalogue.find_item(1 + what["n"] % 100, deadline)
            elif sold:
                try:
                    found = await self.office.catalogue.find_order(sold[0].id, deadline)
                    self.verdicts.expect(found == sold[0], "another order than was sold", found)
                except NotFound:
                    self.verdicts.fail("a sold order is not found", sold[0])
        except BaseException as error:
            # Whatever a dependency raises may come out here; in HTTP it would be a 500.
            self.doorway.check_cause(error)
        in_time = self.loop.time() <= self.due_s(deadline.at) + EPS_S
        self.verdicts.expect(in_time, "a read was answered late", kind)

    def _spawn(self, deed: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = self.loop.create_task(deed)
        self.deeds.add(task)
        task.add_done_callback(self.deeds.discard)
        return task

    # -------- the end

    async def _drain(self, timeout_s: float) -> None:
        office, began_s = self.office, self.loop.time()
        stalled_s = self.stalled_s
        self.doorway.drain_ends_s = began_s + timeout_s
        await office.drain(timeout_s)
        grace_s = max(1.0, timeout_s)
        allowed_s = timeout_s + max(self.longest_work_s, grace_s) + grace_s
        allowed_s += self.stalled_s - stalled_s
        took_s = self.loop.time() - began_s
        self.verdicts.expect(took_s <= allowed_s + EPS_S, "the drain took too long", took_s)
        self.verdicts.expect(not office.queue_depth, "jobs are queued after a drain")

    async def _stop(self) -> None:
        """With no drain before it, as at a second signal."""
        self.cut_off = self.moments.cut_off = self.doorway.may_cancel = True  # as it does itself
        self.given_up = owed = await self.office.stop()
        book = self.office.stats()["payments"]
        over = book["charged"] - book["refunded"] - self.truth.sales
        self.verdicts.expect(over <= owed, "money is lost at a stop", f"{over} kept, {owed} owed")

    async def _close(self) -> None:
        self.doorway.drain_ends_s = min(self.doorway.drain_ends_s, self.loop.time() + 60.0)
        await self.office.drain(60.0)
        if self.crew:
            await self.crew.stop()
        owed = await self.office.stop()
        self.given_up += owed
        self.verdicts.expect(owed == 0 or self.drained, "money is owed at the end", owed)
        for _ in range(4):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        self.verdicts.expect(not left, "tasks outlived the service", left)
        self.verdicts.expect(self.loop.timers == 0, "a timer is left behind", self.loop.timers)
