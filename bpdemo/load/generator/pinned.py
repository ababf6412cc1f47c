"""In the load generator's process a name means what it meant when the load was allowed.

Everything in the process that connects asks gevent's resolver, whichever library it is, what a name
means; so this is where a load is kept from going astray. Runs in Locust's process only.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from typing import Any, Final

import gevent

from bpdemo.load.destination import Destination, require_own

VARIABLE: Final = "BPDEMO_LOAD_DESTINATION"
Found = list[tuple[Any, ...]]


def pin_from_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Pin what the owner of this process looked up, if it did."""
    if told := environ.get(VARIABLE):
        fields = json.loads(told)
        pin(Destination(**fields | {"addresses": tuple(fields["addresses"])}))


def pin(destination: Destination) -> None:
    """From now on the destination's host is where it was, and others must be on this machine."""
    hub: Any = gevent.get_hub()
    inner = getattr(hub.resolver, "inner", hub.resolver)
    hub.resolver = PinnedResolver(inner, destination)


class PinnedResolver:
    """Stands before gevent's own resolver. Raises `socket.gaierror` for a host that no load goes
    to."""

    def __init__(self, inner: Any, destination: Destination) -> None:
        self.inner = inner
        self._destination = destination

    def getaddrinfo(self, host: Any, port: Any, *more: Any, **named: Any) -> Found:
        if self._is_destination(host):
            return self._pinned(port, *more, **named)
        if not host:  # an address to listen on
            return list(self.inner.getaddrinfo(host, port, *more, **named))
        found: Found = self.inner.getaddrinfo(host, port, *more, **named)
        try:
            addresses = [str(where[0]) for *_, where in found]
            require_own(_text(host), addresses, self._destination.allows_foreign)
        except ValueError as error:
            raise socket.gaierror(socket.EAI_FAIL, str(error)) from None
        return found

    def gethostbyname(self, hostname: Any, family: int = socket.AF_INET) -> str:
        return str(self.getaddrinfo(hostname, None, family)[0][4][0])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _is_destination(self, host: Any) -> bool:
        return _text(host).lower() == self._destination.host.lower()

    def _pinned(self, port: Any, *more: Any, **named: Any) -> Found:
        found: Found = []
        none: socket.gaierror | None = None
        for address in self._destination.addresses:
            try:
                found += self.inner.getaddrinfo(address, port, *more, **named)
            except socket.gaierror as error:  # of another family than was asked for
                none = error
        if not found and none:
            raise none
        return found


def _text(host: Any) -> str:
    return host.decode("latin-1") if isinstance(host, bytes) else str(host)
