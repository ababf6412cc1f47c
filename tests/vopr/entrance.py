"""The service's entrance, which counts who is inside and looks at every refusal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bpdemo.core.errors import Refused
from bpdemo.service.entrance import Entrance, Stay
from tests.vopr.anatomy import Anatomy
from tests.vopr.customer import Customer
from tests.vopr.verdicts import Verdicts


class WatchedEntrance(Entrance):
    """`inside` is its own count of the requests that were let in and are not over."""

    def __init__(self, anatomy: Anatomy, clock: Callable[[], float], verdicts: Verdicts) -> None:
        super().__init__(anatomy.office)
        self.inside = 0
        self.now_comes: Customer | None = None  # whose request the next `enter` is
        self._anatomy = anatomy
        self._clock = clock
        self._verdicts = verdicts

    def let_in(self, one: Customer) -> Stay:
        self.now_comes, what = one, one.what
        return self.enter(
            one.id, what["client"], one.came_s, what["timeout_s"], what["priority"], is_order=True
        )

    def enter(
        self,
        request_id: str,
        client: str,
        arrived_s: float,
        client_timeout_s: float | None = None,
        priority: int = 1,
        *,
        is_order: bool,
    ) -> Stay:
        one, self.now_comes = self.now_comes, None
        idle, full = self._anatomy.idle, self._anatomy.is_full
        try:
            stay = super().enter(
                request_id, client, arrived_s, client_timeout_s, priority, is_order=is_order
            )
        except Refused as refused:
            if one is not None:
                self._check(one, refused, idle, full)
            raise
        if one is not None:
            one.caller = stay.caller
        self.inside += 1
        return _CountedStay(stay, self)

    @contextmanager
    def watching_place(self, one: Customer) -> Iterator[None]:
        """Around the way to a place, which under `reject` is one step."""
        idle, full = self._anatomy.idle, self._anatomy.is_full
        try:
            yield
        except Refused as refused:
            if self._anatomy.office.intake.policy.when_full == "reject" and not one.was_admitted:
                self._check(one, refused, idle, full)
            raise

    def _check(self, one: Customer, refused: Refused, idle: int, full: bool) -> None:
        """Whether it was refused for a reason that was there, as far as one can see from here."""
        expect, waiters = self._verdicts.expect, self._anatomy.queue.waiting
        if refused.reason == "queue_full" and not self._anatomy.looks_are_full:
            expect(full or waiters, "refused as full, and there is a place", one.id)
        if refused.reason == "would_expire" and not waiters and self._clock() < one.deadline_s:
            expect(idle <= 0, "refused for want of time while a worker idles", one.id)


class _CountedStay(Stay):
    """Tells the entrance when it ends."""

    def __init__(self, stay: Stay, entrance: WatchedEntrance) -> None:
        super().__init__(stay._visit, stay._intake, stay.deadline, stay.caller)
        self._entrance = entrance

    def end(self, status: int | None, reason: str | None = None) -> None:
        self._entrance.inside -= 1
        super().end(status, reason)
