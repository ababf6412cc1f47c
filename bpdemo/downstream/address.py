"""The URL of a database as the whole of what a connection goes by.

asyncpg fills in what a URL leaves out from `PG*` variables and `~/.pgpass`. On a machine where they
lead to another database, ours would be looked for on the wrong port, or asked to be what it is not.
So each parameter is given: the URL's, or the usual default.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

SCHEMES: Final = ("postgresql", "postgres")
PORT: Final = 5432
#: Where a server on this machine usually listens, for a URL that names no host.
HERE: Final = ("/run/postgresql", "/var/run/postgresql", "/tmp", "/private/tmp", "localhost")
NO_FILE: Final = Path(__file__) / "none"
"""There can be no file in a file."""


def connection_arguments(url: str) -> dict[str, Any]:
    """What to give to `asyncpg.connect` and `create_pool`. ValueError for what is no such URL.

    A URL that names a `service` asks for that file, and gets what is in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("its scheme is not postgresql")
    query = {name: values[-1] for name, values in _query(parts).items()}
    if "service" in query:
        return {"dsn": url}
    who, _, where = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    # As asyncpg has it: `port=` belongs to `host=`, and beats what stands behind a host there.
    hosts, ports = _hosts(where, "") if where else _hosts(*map(query.get, ("host", "port")))
    user = unquote(user) or query.get("user") or _ourselves()
    on_network = any(not host.startswith("/") for host in hosts)
    return {
        "dsn": url,
        "host": hosts,
        "port": ports,
        "user": user,
        "password": unquote(password) or query.get("password", ""),
        "passfile": NO_FILE,
        "database": unquote(parts.path[1:]) or query.get("dbname") or query.get("database") or user,
        "ssl": query.get("sslmode", "prefer" if on_network else "disable"),
        "direct_tls": query.get("sslnegotiation", "postgres") == "direct",
        "target_session_attrs": query.get("target_session_attrs", "any"),
        "krbsrvname": query.get("krbsrvname", "postgres"),
        "gsslib": query.get("gsslib", "sspi" if sys.platform == "win32" else "gssapi"),
    }


def _query(parts: SplitResult) -> dict[str, list[str]]:
    return parse_qs(parts.query, strict_parsing=True) if parts.query else {}


def _hosts(text: str | None, port_text: str | None) -> tuple[list[str], list[int]]:
    """Hosts and their ports, as many of these as of those."""
    if not text:
        text = ",".join(HERE if sys.platform != "win32" else HERE[-1:])
    pairs = list(_pairs(text))
    given = [int(port) for port in port_text.split(",")] if port_text else [PORT]
    if len(given) not in (1, len(pairs)):
        raise ValueError("its ports are not as many as its hosts")
    if len(given) == 1:
        given *= len(pairs)
    ports = given if port_text else [int(port) if port else PORT for _, port in pairs]
    return [host for host, _ in pairs], ports


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for each in text.split(","):
        spec = unquote(each)
        if spec.startswith("["):
            host, closed, rest = spec[1:].partition("]")
            if not closed or rest[:1] not in ("", ":"):
                raise ValueError("its IPv6 address has no end")
            yield host, rest[1:]
        elif spec.startswith("/"):
            yield spec, ""
        else:
            host, _, port = spec.partition(":")
            yield host or "localhost", port


def _ourselves() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without an entry, and no LOGNAME
        raise ValueError("it names no user, and this process has no name either") from None
