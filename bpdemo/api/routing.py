"""The paths there are: their templates, methods, and whether limits apply to them.

Known before any framework is asked, so that the door can judge a request by its first line, and so
that metrics have a label for it that no caller can invent.
"""

from typing import NamedTuple


class Route(NamedTuple):
    """`template` is the metrics label; `limited` routes pass the gate; no methods: not found."""

    template: str
    methods: tuple[str, ...]
    limited: bool = False

    @property
    def allow(self) -> str:
        return ", ".join(self.methods)


_READ = ("GET", "HEAD")
_EXACT = {
    "/": Route("/", _READ),
    "/healthz": Route("/healthz", _READ),
    "/readyz": Route("/readyz", _READ),
    "/metrics": Route("/metrics", _READ),
    "/stats": Route("/stats", _READ),
    "/settings": Route("/settings", (*_READ, "PATCH")),
    "/docs": Route("/docs", _READ),
    "/openapi.json": Route("/openapi.json", _READ),
    "/items": Route("/items", _READ, limited=True),
    "/orders": Route("/orders", ("POST",), limited=True),
}
_ITEM = Route("/items/{id}", _READ, limited=True)
_ORDER = Route("/orders/{id}", _READ, limited=True)
#: Below a limited path, yet nothing: it passes the gate before it is told so.
_LIMITED_NOWHERE = Route("other", (), limited=True)
_NOWHERE = Route("other", ())

PLACE_ORDER = _EXACT["/orders"]


def find_route(path: str) -> Route:
    """The route of a path; one called "other" where there is none."""
    exact = _EXACT.get(path)
    if exact:
        return exact
    if path.startswith("/items/"):
        return _below(path, "/items/", _ITEM)
    if path.startswith("/orders/"):
        return _below(path, "/orders/", _ORDER)
    return _NOWHERE


def _below(path: str, prefix: str, route: Route) -> Route:
    rest = path[len(prefix) :]
    return route if rest and "/" not in rest else _LIMITED_NOWHERE
