"""`bpdemo serve`: the service as a process, from its first check to its exit code."""

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI

from bpdemo.api.admin import is_loopback
from bpdemo.api.connection.descriptors import raise_descriptor_limit
from bpdemo.api.server import DrainingServer, address_of, bind
from bpdemo.assembly.app import create_app
from bpdemo.assembly.collector import Sweeper, calm_collector
from bpdemo.assembly.listening import address_meant
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
    settings = Settings(**knobs)
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
        other_descriptors=0 if settings.store == "memory" else settings.pool_max,
        observer=app.state.telemetry.observer,
    )
    server.on_ready = lambda: _on_ready(app, address_of(listener), server.stop)
    if until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    calm_collector()
    _run(server, app, [listener])


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


def _on_ready(app: FastAPI, address: str, stop: Callable[[], None]) -> None:
    print(f"ready {address}", flush=True)
    # The command line's own standard output keeps an error until the end, for a result may be on
    # its way into a file. Here the line is all that there is, and somebody waits for it.
    if getattr(sys.stdout, "error", None):
        stop()
        return
    assembly = app.state.assembly
    Sweeper(lambda: assembly.office.in_flight).start()
    if assembly.settings.store == "embedded":
        # Others may join by store=postgres and this address, for as long as this one runs.
        print(f"database {assembly.database_url}", flush=True)


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
