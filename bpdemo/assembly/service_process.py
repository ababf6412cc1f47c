"""`bpdemo serve`: the service as a process, from its first check to its exit code."""

import errno
import os
import shlex
import socket
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI

from bpdemo.api.admin import is_loopback
from bpdemo.api.connection.descriptors import raise_descriptor_limit
from bpdemo.api.server import DrainingServer, address_of, bind
from bpdemo.assembly.app import create_app
from bpdemo.assembly.collector import Sweeper, calm_collector
from bpdemo.assembly.listening import address_meant
from bpdemo.assembly.ready_line import ReadyLine, at_terminal, readable_at_terminal
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.telemetry.library_logs import take_library_logs

#: An orphan drains no longer than this, and is gone after four times that.
ORPHAN_S = 0.5


def run_server(
    host: str, port: int, knobs: Mapping[str, Any], *, until_stdin_closes: bool = False
) -> None:
    """Serve until a signal, or until standard input closes: then drain, and exit 0.

    Raises `SettingsInvalid` for whatever keeps it from starting.
    """
    settings = readable_at_terminal(Settings(**knobs))
    listener = _listen(host, port, has_token=bool(settings.admin_token))
    app = create_app(settings)
    take_library_logs(app.state.telemetry.log)
    office = app.state.assembly.office
    drain = partial(office.drain, settings.drain_timeout_s)
    if until_stdin_closes:
        drain = partial(office.drain, ORPHAN_S, finish_s=ORPHAN_S)
    raise_descriptor_limit()
    server = DrainingServer(
        app,
        drain,
        read_timeout_s=settings.read_timeout_s,
        verdict=app.state.verdict,
        other_descriptors=0 if settings.store == "memory" else settings.pool_max,
        observer=app.state.telemetry.observer,
    )
    ready = ReadyLine(server.stop)
    server.on_ready = lambda: _on_ready(app, address_of(listener), ready)
    if until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    calm_collector()
    _run(server, app, [listener])
    ready.require_heard()


def _listen(host: str, port: int, *, has_token: bool) -> socket.socket:
    address = address_meant(host)
    if not is_loopback(address) and not has_token:
        raise SettingsInvalid(
            "admin_token",
            f"is needed on {host or address}, beyond this machine: set BPDEMO_ADMIN_TOKEN",
        )
    try:
        return bind(address, port)
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            why += "; give another with --port, or --port 0 for any free one"
        field = "host" if error.errno == errno.EADDRNOTAVAIL else "port"
        raise SettingsInvalid(field, f"cannot listen on {host}:{port}: {why}") from None


def _on_ready(app: FastAPI, address: str, ready: ReadyLine) -> None:
    assembly = app.state.assembly
    lines = [f"ready {address}"]
    if assembly.settings.store == "embedded":
        # Others may join by store=postgres and this address, for as long as this one runs.
        lines.append(f"database {assembly.database_url}")
    if at_terminal():
        lines += _in_words(address, assembly.database_url if len(lines) > 1 else None)
    ready.say(*lines)
    Sweeper(lambda: assembly.office.in_flight).start()


def _in_words(address: str, own_database: str | None) -> list[str]:
    """What a person can do now. The database of a store that is not our own is not told: its
    address may hold a password."""
    told = [f"  The live page is {address}/ and its API {address}/docs. Ctrl-C ends it."]
    if own_database:
        joined = shlex.quote(f"database_url={own_database}")
        told += ["  A worker joins that database, in another terminal, by", ""]
        told += [f"    bpdemo worker --set {joined}", ""]
    return told


def _run(server: DrainingServer, app: FastAPI, sockets: list[Any]) -> None:
    try:
        server.run(sockets=sockets)
    except SystemExit:
        error = app.state.startup_error
        raise (error or RuntimeError("the service did not start")) from None


def _stop_at_end_of_stdin(server: DrainingServer) -> None:
    # Anyone who started us is gone, however that ended: nobody is left to be patient for.
    # Not by sys.stdin: its lock, held by this thread, would upset the interpreter's end.
    while os.read(0, 4096):
        pass
    server.stop()
    time.sleep(4 * ORPHAN_S)
    os._exit(1)
