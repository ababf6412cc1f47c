"""HOST:PORT as a person writes it, and whether it can be listened on or reached."""

from __future__ import annotations

import socket
from typing import NamedTuple, Self

LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    host: str
    port: int

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """`HOST:PORT`, or a port alone for loopback. ValueError names the option `name`."""
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{name}: {text!r} is not HOST:PORT, such as 192.168.1.20:5557")
        return cls(host.strip("[]") or LOOPBACK, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def require_free(name: str, address: Address) -> Address:
    """The address in figures, if one can listen there. ValueError says why not."""
    try:
        family, *_, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As ZeroMQ does: connections that linger from before do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen()
    except OSError as error:
        raise ValueError(f"{name}: cannot listen on {address}: {error.strerror}") from None
    except UnicodeError:
        raise ValueError(f"{name}: no host can be called {address.host!r}") from None
    return Address(str(where[0]), address.port)


def is_reachable(name: str, address: Address, within_s: float = 2.0) -> bool:
    """Whether somebody listens there by now. ValueError if there can be no such host."""
    try:
        socket.create_connection(address, timeout=within_s).close()
    except socket.gaierror as error:
        raise ValueError(f"{name}: no host is called {address.host!r} ({error.strerror})") from None
    except UnicodeError:
        raise ValueError(f"{name}: no host can be called {address.host!r}") from None
    except OSError:
        return False
    return True
