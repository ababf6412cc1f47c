"""Admission control for any ASGI application: pure ASGI, before routing, headers and body.

    app.add_middleware(
        AdmissionControl, concurrency=8, queue_capacity=8,
        paths={"/healthz": None, "/readyz": None, "/metrics": None},
    )

This is the part that is made and checked; `guarded.py` is the part that runs. Importing it costs
next to nothing, asyncio included, which a server has loaded before the first request anyway.
"""

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, cast

from bpdemo.flow.limiter import Limit
from bpdemo.protect.books import AdmissionBooks
from bpdemo.protect.events import AdmissionEvent, AdmissionObserver
from bpdemo.protect.paths import ELSEWHERE, Prefixes, normal_prefix
from bpdemo.protect.rule import Rule

if TYPE_CHECKING:
    from random import Random

    from starlette.types import ASGIApp, Receive, Scope, Send

_P = ParamSpec("_P")
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")


def _with_names_told(init: Callable[_P, None]) -> Callable[_P, None]:
    """An argument that does not exist is answered with the nearest that does, still by a TypeError;
    what tells it is loaded only then."""

    @wraps(init)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            return init(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:
                raise  # from within
        from bpdemo.core.slips import forgiving

        return forgiving(init)(*args, **kwargs)

    return called


class AdmissionControl:
    """Middleware that lets in as many requests as the application can serve in time.

    `concurrency` are inside at once, `queue_capacity` more wait, first come, first served, for at
    most `queue_timeout_s` seconds; everybody else gets a 503 with a Retry-After, at once. `paths`
    gives prefixes a `Rule` of their own, or None for no limit; the longest one wins. Without
    `concurrency`, all other paths are unlimited. What must answer during an overload, probes and
    metrics, needs None.

    `timeout_header` names the header that says, in whole milliseconds, how long the caller waits:
    who could not be finished by then is rejected (None: there is no such header). `observer` hears
    an event of `bpdemo.protect.events` for each step, by `observe(event)` or by being called.
    `clock` is the running loop's own unless another is given. Raises ValueError that names the
    field, the value and the range.

    A slot is held until the application returns, background tasks and streams included. A caller
    who hangs up while waiting gives their place back at once; later, only where the application
    ends. Lifespan and websockets pass through.
    """

    @_with_names_told
    def __init__(
        self,
        app: "ASGIApp",
        *,
        concurrency: int | Limit | None = None,
        queue_capacity: int = 8,
        queue_timeout_s: float = 0.5,
        paths: Mapping[str, Rule | None] | None = None,
        timeout_header: str | None = "X-Request-Timeout-Ms",
        observer: AdmissionObserver | Callable[[AdmissionEvent], object] | None = None,
        clock: Callable[[], float] | None = None,
        rng: "Random | None" = None,
    ) -> None:
        self._app = app
        elsewhere = Rule(1 if concurrency is None else concurrency, queue_capacity, queue_timeout_s)
        self._rules = _rules(paths or {}, None if concurrency is None else elsewhere)
        self._timeout_header = _header_name(timeout_header)
        self._tell = None if observer is None else _told_by(observer)
        self._clock = clock
        self._rng = rng
        #: Of each rule, by its prefix; `*` are all other paths.
        self.books = {name: AdmissionBooks() for name, rule in self._rules.items() if rule}
        self._find: Callable[[Scope], ASGIApp] = self._open

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        inner = self._find(scope) if scope["type"] == "http" else self._app
        await inner(scope, receive, send)

    def _open(self, scope: "Scope") -> "ASGIApp":
        """At the first request: then the loop runs whose clock everything reads."""
        made = {name: self._behind(name, rule) for name, rule in self._rules.items()}
        self._find = Prefixes(made, made.pop(ELSEWHERE)).find
        return self._find(scope)

    def _behind(self, name: str, rule: Rule | None) -> "ASGIApp":
        """The application, as the paths of that rule find it."""
        if rule is None:
            return self._app
        from bpdemo.protect.guarded import guard

        return guard(
            self._app,
            name,
            rule,
            self.books[name],
            timeout_header=self._timeout_header,
            tell=self._tell,
            clock=self._clock,
            rng=self._rng,
        )


def _rules(paths: Mapping[str, Rule | None], elsewhere: Rule | None) -> dict[str, Rule | None]:
    """By normal prefix, and for all other paths."""
    if not isinstance(paths, Mapping):
        raise ValueError(f"paths: {paths!r} is no mapping of prefixes to rules")
    rules: dict[str, Rule | None] = {}
    for given, rule in paths.items():
        prefix = normal_prefix(given)
        if rule is not None and not isinstance(rule, Rule):
            raise ValueError(f"paths: {rule!r} for {prefix} is neither a Rule nor None")
        if prefix in rules:
            raise ValueError(f"paths: {prefix} is there twice")
        rules[prefix] = rule
    rules[ELSEWHERE] = elsewhere
    _require_limits([rule for rule in rules.values() if rule])
    return rules


def _require_limits(rules: list[Rule]) -> None:
    if not rules:
        raise ValueError(
            "concurrency: None is not a whole number of at least 1, and paths has no Rule either"
        )
    adaptive = [id(rule.concurrency) for rule in rules if rule.adapts]
    if len(set(adaptive)) < len(adaptive):
        raise ValueError("concurrency: a limit that adapts belongs to one rule, and is in two")


def _told_by(observer: Any) -> Callable[[AdmissionEvent], object]:
    tell: Any = getattr(observer, "observe", observer)
    if not callable(tell):
        raise ValueError(f"observer: {observer!r} has no observe(event), and cannot be called")
    return cast(Callable[[AdmissionEvent], object], tell)


def _header_name(name: object) -> bytes | None:
    if name is None:
        return None
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"timeout_header: {name!r} is not the name of a header")
    return name.lower().encode()
