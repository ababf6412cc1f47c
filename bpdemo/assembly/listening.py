"""The address that `serve --host` means."""

from __future__ import annotations

import socket
from typing import Any

from bpdemo.core.errors import SettingsInvalid

EVERY_ADDRESS = "0.0.0.0"  # what an empty host has always meant


def address_meant(host: str) -> str:
    """The one address, in figures, to listen on: a name's first, and rather IPv4.

    Names and spellings such as `localhost.`, `127.1` and `[::1]` are the resolver's to read.
    Raises `SettingsInvalid` for a host that nobody knows.
    """
    text = host.strip()
    if host and not text:
        raise SettingsInvalid(
            "host",
            f"{host!r} is blank; leave it out for this machine alone, or say {EVERY_ADDRESS}",
        )
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if text.lower().rstrip(".") == "localhost":
        text = "localhost"  # with the dot, some resolvers ask the network for it
    try:
        found = socket.getaddrinfo(text or EVERY_ADDRESS, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no name has such letters"
        raise SettingsInvalid("host", f"no host is called {host!r} ({why})") from None
    addresses = sorted(found, key=lambda each: each[0] is not socket.AF_INET)
    where: tuple[Any, ...] = addresses[0][4]
    first, scope = str(where[0]), where[3:]
    return f"{first}%{scope[0]}" if any(scope) and "%" not in first else first
