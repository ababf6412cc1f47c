"""In the load generator's process a name means what it meant when the load was allowed.

Whatever connects asks gevent's resolver what a name means, and what connects to a bare address
tells Python's audit hooks: these two are where a load is kept from going astray. A library that
opens sockets in C, such as a database driver's, is not seen. Runs in Locust's process only.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import gevent

from bpdemo.load.destination import Destination, is_loopback, require_own

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
    sys.addaudithook(partial(_watch_sockets, destination))


def _watch_sockets(destination: Destination, event: str, arguments: tuple[Any, ...]) -> None:
    """Raises PermissionError for an address that no load goes to."""
    if event not in ("socket.connect", "socket.sendto") or destination.allows_foreign:
        return
    where = arguments[1]
    if not isinstance(where, tuple) or len(where) < 2:  # not of the Internet
        return
    address = _text(where[0]).partition("%")[0]
    if address in destination.addresses or _is_loopback(address):
        return
    raise PermissionError(f"url: {address} is not where this load was allowed to go")


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

    def gethostbyname_ex(self, hostname: Any, *_: Any) -> tuple[str, list[str], list[str]]:
        found = self.getaddrinfo(hostname, None, socket.AF_INET, socket.SOCK_STREAM)
        return _text(hostname), [], [str(where[0]) for *_, where in found]

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


def _is_loopback(address: str) -> bool:
    try:
        return is_loopback(address)
    except ValueError:  # a name: the resolver is asked, and answers for it
        return True


def _text(host: Any) -> str:
    return host.decode("latin-1") if isinstance(host, bytes) else str(host)
