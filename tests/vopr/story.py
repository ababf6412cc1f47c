"""A script and what came of it, as a story that a person can read."""

from collections.abc import Iterator
from typing import Any

from bpdemo.core.events import BreakerMoved, OrderEnded, Retried
from tests.vopr.playing import play
from tests.vopr.script import PLAIN, Act, Script

MOST_LINES = 120
#: What happens later is the customers of the recovery, who are always the same.
AFTERMATH_S = 5.0


def tell(script: Script) -> str:
    """Plays it once more, and puts what was done beside what was heard."""
    world = play(script, full=True)
    knobs = {n: v for n, v in script.knobs.items() if n not in ("seed", "store")}
    head = f"Seed {script.seed}, world of kind {script.kind!r}."
    opening = _said(knobs) if knobs else "at the defaults"
    lines: list[tuple[float, int, str]] = [(0.0, 0, f"The box office opens, {opening}.")]
    names = _names_of_customers(script)
    lines += [(act.at_s, 1, _deed(act, names)) for act in script.acts]
    lines += [(at_s, 2, text) for at_s, what in world.diary.lines for text in _heard(what)]
    firsts = {wrong.kind: wrong for wrong in reversed(world.verdicts.wrongs)}.values()
    ends_s = max([act.at_s for act in script.acts] + [0.0]) + AFTERMATH_S
    lines = [line for line in lines if line[0] <= ends_s]
    lines += [(wrong.at_s, 3, f"✗ {wrong.kind}: {wrong.detail}") for wrong in firsts]
    lines.sort(key=lambda line: line[0])
    told = [f"  {at_s:12.6f} s  {text}" for at_s, _, text in lines if text]
    if len(told) > MOST_LINES:
        half = MOST_LINES // 2
        told = [*told[:half], f"  … {len(told) - 2 * half} lines …", *told[-half:]]
    return "\n".join([head, *told])


def _names_of_customers(script: Script) -> Iterator[str]:
    return (f"r{number}" for number in range(len(script.acts)))


def _deed(act: Act, names: Iterator[str]) -> str:
    what = act.what
    match act.kind:
        case "order":
            return _order(next(names), what)
        case "turn":
            return f"Somebody turns {_said(what)}." if what else ""
        case "break":
            return f"{_fault(what)} (fault {what['name']})."
        case "crash":
            when = "after" if what["after"] else "before"
            share = f"{what['rate']:.0%} of the workers' jobs"
            return f"{share} break off {when} their work: {what['error']} ({what['name']})."
        case "mend" | "calm":
            so_far = " for whom it has not met yet" if act.kind == "calm" else ""
            return f"Fault {what['name']} is over{so_far}."
        case "stall":
            return f"The event loop is stuck for {what['s']:g} s."
        case "wall":
            return f"The wall clock jumps by {what['s']:g} s."
        case "drain" | "stop":
            how = f"drains, with {what['timeout_s']:g} s to finish" if what else "stops at once"
            return f"The service {how}."
        case "kill" | "freeze":
            done = "is killed" if act.kind == "kill" else "freezes: its heartbeats end"
            return f"Durable worker {what['n']} {done}."
        case "when":
            then = _deed(Act(act.at_s, what["kind"], what["what"]), names)
            return f"At {what['event']} no. {what['nth']} from here: {then}"
        case "yield":
            return ""
        case kind:
            return f"Somebody asks for {'an item' if kind == 'look' else 'an order'}."


def _order(name: str, what: dict[str, Any]) -> str:
    odd = {n: v for n, v in what.items() if v != PLAIN[n] and n not in ("item", "quantity", "key")}
    under = f" under key {what['key']}" if what["key"] else ""
    how = f" ({_said(odd)})" if odd else ""
    return f"{name} orders {what['quantity']} × item {what['item']}{under}{how}."


def _fault(what: dict[str, Any]) -> str:
    call = "any call" if what["call"] == "any" else what["call"]
    whens = {True: "after it was done", False: "before anything is done"}
    when = whens.get(what["after"], "before it is done or after")
    hows = {"hang": "hangs", "slow": f"takes up to {what['slow_s']:g} s more"}
    how = hows.get(what["how"], f"raises {what['error']}")
    late = what["late_s"]
    later = "" if late is None else f"; what was given up arrives {late:g} s later"
    return f"{call} of the {what['dependency']} {how} {when}, {what['rate']:.0%} of the time{later}"


def _said(what: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_short(value)}" for name, value in what.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _heard(what: tuple[Any, ...]) -> Iterator[str]:
    match what:
        case ("told", name, status, reason, order_id):
            because = f" {reason}" if reason else ""
            about = f" (order {order_id[:8]})" if order_id else ""
            yield f"→ {name}: {status}{because}{about}"
        case (BreakerMoved() as moved,):
            yield f"→ the breaker of the {moved.dependency} is {moved.to}"
        case (Retried() as again,):
            yield f"→ the {again.dependency} is tried again, {again.wait_s:.3f} s later"
        case (OrderEnded(outcome="abandoned" | "shed") as settled,):
            yield f"→ {settled.request_id} is booked as {settled.outcome}"
