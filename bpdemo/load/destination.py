"""Whom a load is sent to: the one check that everything asks which sends load.

A load can bring a service down. So it goes to this machine only, unless a person says that they run
the service. What a name means is looked up once, and the load goes to that address whatever the
name means later.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bpdemo.plan.plan import require_yes_or_no

USER_AGENT: Final = "bpdemo-load"
FLAG: Final = "--i-run-this-service (in Python: i_run_this_service=True)"
#: Set for a worker of a load over machines whose person has said so.
OWN_SERVICE: Final = "BPDEMO_I_RUN_THIS_SERVICE"

HOST_AND_PORT: Final = re.compile(r"(localhost|\d+(\.\d+){3}|[\w.-]+(?=:\d))(:\d+)?/?")
"""An address that lacks nothing but its scheme."""
UNREADABLE: Final = re.compile(r"[\x00-\x20\x7f\\]")
"""What programs read differently from each other: such an address means one host to the one that
checks it and another to the one that sends."""
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Destination:
    """`url` is the service's, without a slash at its end; `addresses` are all that `host` means.

    `allows_foreign`: a person said that they run it. `is_foreign`: it is not on this machine.
    """

    url: str
    host: str
    port: int
    addresses: tuple[str, ...]
    allows_foreign: bool = False

    @property
    def is_foreign(self) -> bool:
        return not all(map(is_loopback, self.addresses))


def destination_of(url: str, i_run_this_service: bool = False) -> Destination:
    """Look up whom `url` means. ValueError in one line if that is not this machine and nobody said
    that they run it, and for what is no address of a service."""
    parts = _parts_of(url)
    host, port = _plain_host(parts), parts.port or PORTS[parts.scheme]
    addresses = _addresses_of(host, port)
    require_own(host, addresses, i_run_this_service)
    bracketed = f"[{host}]" if ":" in host else host
    netloc = f"{bracketed}:{parts.port}" if parts.port else bracketed
    plain = f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"
    return Destination(plain, host, port, addresses, i_run_this_service)


def require_own(host: str, addresses: Iterable[str], i_run_this_service: bool) -> None:
    """ValueError if one of them is not this machine, and nobody said that they run it."""
    require_yes_or_no("i_run_this_service", i_run_this_service)  # "no" would count as a yes
    foreign = [address for address in addresses if not is_loopback(address)]
    if not foreign or i_run_this_service:
        return
    means = "" if foreign[0] == host else f" is {foreign[0]}, which"
    if ip_address(foreign[0]).is_unspecified:
        raise ValueError(f"url: {host}{means} is no address to send to; 127.0.0.1 is this machine")
    raise ValueError(
        f"url: {host}{means} is not on this machine, and a load can bring a service down: "
        f"give {FLAG} if you run it"
    )


def is_loopback(address: str) -> bool:
    """Whether it leads back to this machine; `::ffff:127.0.0.1` does, too."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback


def _parts_of(url: str) -> SplitResult:
    meant = f". Did you mean http://{url}?" if HOST_AND_PORT.fullmatch(url) else ""
    wrong = ValueError(f"url: {url!r} is not an address such as http://127.0.0.1:8000{meant}")
    if UNREADABLE.search(url):
        raise wrong
    try:
        parts = urlsplit(url)
        port_is_zero = parts.port == 0
    except ValueError:
        raise wrong from None
    if parts.scheme not in PORTS or not parts.hostname or port_is_zero:
        raise wrong
    if "@" in parts.netloc:
        raise ValueError("url: leave out the user and the password; say them in a header")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError(f"url: {url!r} is more than a service's address; what is asked of it is "
                         "said by the request")  # fmt: skip
    return parts


def _plain_host(parts: SplitResult) -> str:
    assert parts.hostname is not None
    try:
        return parts.hostname.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"url: no host can be called {parts.hostname!r}") from None


def _addresses_of(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"url: no host is called {host!r} ({why})") from None
    return tuple(dict.fromkeys(str(where[0]) for *_, where in found))
