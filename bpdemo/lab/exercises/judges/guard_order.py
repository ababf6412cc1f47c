"""05d: the guards around a call, put together in the order of the answer, and tried out.

Each guard is a function that puts itself around a call. What a wrong order does is measured under
virtual time; no order is compared with ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bpdemo.lab.exercises.exercise import NotYet

if TYPE_CHECKING:
    from bpdemo.flow.breaker import Breaker

Call = Callable[[], Awaitable[str]]

CARDS: Final = ("breaker", "deadline", "pay", "retry", "timeout")
DEADLINE_S, TIMEOUT_S, BACKOFF_S = 0.5, 0.2, 0.05
ATTEMPTS: Final = 3
MIN_CALLS, OPEN_S = 5, 1.0
PAY_S, HANGS_S = 0.04, 60.0
EVERY_S, CALLERS = 0.05, 100
#: The first callers of an outage find out; by then the breaker should be open.
SETTLED_S: Final = 2.0


@dataclass
class GuardedPayment:
    """Takes 40 ms, or hangs; keeps when it was called, and how many permits were given for it."""

    hangs: Callable[[int], bool]
    called_s: list[float] = field(default_factory=list)
    permits: int = 0

    async def pay(self) -> str:
        self.called_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(HANGS_S if self.hangs(len(self.called_s)) else PAY_S)
        return "paid"


def judge_order(order: Any) -> str:
    """One caller in an outage, one lost call, one trial request, a crowd in an outage."""
    cards = _require_cards(order)
    from bpdemo.sim import virtual_time

    return virtual_time.run(_judge(cards))


def _require_cards(order: Any) -> list[str]:
    cards = [*order] if isinstance(order, list | tuple) else []
    if sorted(map(str, cards)) != sorted(CARDS):
        raise NotYet(
            expected=f"`order` is a list of {', '.join(map(repr, CARDS))}, each of them once.",
            seen=f"it is {order!r}.",
            why="the check puts these five lines together in your order.",
            look="The outermost line comes first.",
        )
    if cards[-1] != "pay":
        raise NotYet(
            expected="'pay' is the innermost line, and so the last one of the list.",
            seen=f"after 'pay' the list goes on with {', '.join(_inside(cards))}.",
            why="`return await pay(order)` has nothing inside it, so these guards would protect "
            "nothing.",
            look="The list goes from the outside in, and ends with what is protected.",
        )
    return cards


def _inside(cards: list[str]) -> list[str]:
    return cards[cards.index("pay") + 1 :]


async def _judge(cards: list[str]) -> str:
    took_s = await _one_in_an_outage(cards)
    await _judge_lost_call(cards)
    await _judge_trial(cards)
    reached = await _judge_crowd(cards)
    return (
        f"with a payment that hangs, the caller had an answer after {took_s * 1000:.0f} ms; one "
        f"lost call was tried again and paid; and while {CALLERS} callers came in an outage, only "
        f"{reached} calls reached the payment after its first two seconds: the trial requests."
    )


async def _one_in_an_outage(cards: list[str]) -> float:
    payment = GuardedPayment(lambda _: True)
    took_s = await _took_s(_guarded(cards, payment, _breaker()))
    if took_s > DEADLINE_S + 0.01:
        raise NotYet(
            expected="with a payment that hangs, the caller has an answer within "
            f"{DEADLINE_S * 1000:g} ms.",
            seen=f"it took {took_s * 1000:.0f} ms and {len(payment.called_s)} calls of the "
            "payment.",
            why="inside the retry, the deadline starts again with each attempt. The caller's time "
            "does not: the caller has left, and the work of the last attempts is wasted.",
            look="There are two times. Which one belongs to the whole call, and which one to a "
            "single attempt?",
        )
    return took_s


async def _judge_lost_call(cards: list[str]) -> None:
    payment = GuardedPayment(lambda number: number == 1)
    told = await _told(_guarded(cards, payment, _breaker()))
    if told != "paid":
        raise NotYet(
            expected="when one call is lost, it is tried again within the caller's time, and "
            "the order is paid.",
            seen=f"the caller was told {told!r}, and the payment was not called a second time.",
            why="around the retry, the attempt timeout is one timeout for all attempts: when the "
            "first attempt hangs, it uses up all of it, and there is no second one.",
            look="An attempt that hangs must end *inside* the retry.",
        )


async def _judge_trial(cards: list[str]) -> None:
    """Half-open, with one trial request allowed; the payment still hangs."""
    payment = GuardedPayment(lambda _: True)
    breaker = _breaker()
    for _ in range(MIN_CALLS):
        breaker.failure(breaker.acquire())
    await asyncio.sleep(OPEN_S)
    await _told(_guarded(cards, payment, breaker))
    # More permits than one are another fault: attempts that end outside it, told by the next.
    if len(payment.called_s) > payment.permits:
        raise NotYet(
            expected="a half-open breaker with one trial request lets one call through.",
            seen=f"{len(payment.called_s)} calls reached the payment, which still hung.",
            why="a retry inside the breaker slips past it: to the breaker, three attempts are one "
            "call. So it opens late, and each trial request is really three.",
            look="Every attempt must ask the breaker.",
        )


async def _judge_crowd(cards: list[str]) -> int:
    payment = GuardedPayment(lambda _: True)
    call = _guarded(cards, payment, _breaker())
    loop = asyncio.get_running_loop()
    began_s, callers = loop.time(), []
    for _ in range(CALLERS):
        callers.append(asyncio.ensure_future(_told(call)))
        await asyncio.sleep(EVERY_S)
    await asyncio.gather(*callers)
    reached = sum(called_s - began_s > SETTLED_S for called_s in payment.called_s)
    if reached > CALLERS // 4:
        raise NotYet(
            expected="two seconds into an outage, the breaker is open.",
            seen=f"{reached} calls still reached the payment after that, and each of them hung.",
            why="a timeout outside the breaker cancels what is inside. A cancelled call says "
            "nothing about the payment (the caller may have left), so the breaker counts no "
            "failure and never opens.",
            look="What must end inside the breaker, so that a call that hangs counts as a failure?",
        )
    return reached


async def _took_s(call: Call) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await _told(call)
    return loop.time() - began_s


async def _told(call: Call) -> str:
    from bpdemo.core.errors import BoxOfficeError

    try:
        return await call()
    except BoxOfficeError as error:
        return type(error).__name__


def _breaker() -> Breaker:
    from bpdemo.core.ports import SilentObserver
    from bpdemo.flow.breaker import Breaker, BreakerPolicy

    policy = BreakerPolicy(
        enabled=True,
        failure_ratio=0.5,
        min_calls=MIN_CALLS,
        window_s=10,
        open_s=OPEN_S,
        half_open_calls=1,
        permit_ttl_s=10,
    )
    clock = asyncio.get_running_loop().time
    return Breaker(policy, "payment", clock, SilentObserver())


def _guarded(cards: list[str], payment: GuardedPayment, breaker: Breaker) -> Call:
    around: dict[str, Callable[[Call], Call]] = {
        "deadline": _within_deadline,
        "retry": _tried_again,
        "breaker": lambda call: _behind(breaker, call, payment),
        "timeout": _within_timeout,
    }
    call: Call = payment.pay
    for card in reversed(cards[:-1]):
        call = around[card](call)
    return call


def _within_deadline(call: Call) -> Call:
    async def guarded() -> str:
        from bpdemo.core.errors import DeadlineExceeded

        try:
            async with asyncio.timeout(DEADLINE_S):
                return await call()
        except TimeoutError as error:
            raise DeadlineExceeded from error

    return guarded


def _within_timeout(call: Call) -> Call:
    async def guarded() -> str:
        from bpdemo.core.errors import AttemptTimeout

        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await call()
        except TimeoutError as error:
            raise AttemptTimeout from error

    return guarded


def _tried_again(call: Call) -> Call:
    """After a failure of the dependency only, as in the service."""

    async def guarded() -> str:
        from bpdemo.core.errors import DependencyError

        for left in reversed(range(ATTEMPTS)):
            try:
                return await call()
            except DependencyError:
                if not left:
                    raise
                await asyncio.sleep(BACKOFF_S)
        raise AssertionError("the last attempt returns or raises")

    return guarded


def _behind(breaker: Breaker, call: Call, payment: GuardedPayment) -> Call:
    async def guarded() -> str:
        from bpdemo.core.errors import DependencyError

        permit = breaker.acquire()
        payment.permits += 1
        try:
            told = await call()
        except DependencyError:
            breaker.failure(permit)
            raise
        except BaseException:
            breaker.ignore(permit)  # the caller's time, or our own refusal
            raise
        breaker.success(permit)
        return told

    return guarded
