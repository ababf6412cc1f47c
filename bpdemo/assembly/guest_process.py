"""Somebody else's ASGI application in a process of its own. Run only as a child.

    python -m bpdemo.assembly.guest_process module:app FOLDER

looks `module` up from FOLDER, as uvicorn does, and prints `ready URL`. It ends when its standard
input is closed. The last line on standard error says why it did not start.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
from typing import Any, NoReturn

from uvicorn.config import LOGGING_CONFIG
from uvicorn.importer import import_from_string

from bpdemo.assembly.guest_server import GuestServer, require_asgi
from bpdemo.core.foreign_variables import require_providers, uses_opentelemetry

FAILED = 3


def main(where: str, folder: str) -> None:
    to_owner = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the application prints is no message to its owner
    os.chdir(folder)
    sys.path.insert(0, folder)
    server = GuestServer(_imported(where), _logging())
    threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    threading.Thread(target=_tell_when_ready, args=(server, to_owner), daemon=True).start()
    server.serve_until_stopped()
    if not server.started:
        _fail(server.why_not)


def _imported(where: str) -> Any:
    before = set(sys.modules)
    try:
        app = import_from_string(where)
        require_asgi(where, app)
        if uses_opentelemetry(set(sys.modules) - before):
            require_providers()
    except ValueError as error:
        _fail(str(error))
    except BaseException as error:  # anything may happen while a module runs, sys.exit too
        kind = "" if type(error).__name__ == "ImportFromStringError" else type(error).__name__
        told = ": ".join(filter(None, (kind, " ".join(str(error).split()))))
        _fail(f"{where} cannot be imported: {told}")
    return app


def _logging() -> dict[str, Any]:
    """uvicorn's own, with its lines of access written to nowhere: they cost what they always do."""
    config = copy.deepcopy(LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    return config


def _tell_when_ready(server: GuestServer, to_owner: Any) -> None:
    server.ready.wait()
    if server.started:
        print(f"ready {server.url}", file=to_owner, flush=True)


def _stop_at_end_of_stdin(server: GuestServer) -> None:
    # os.read, not sys.stdin: a reader blocked in its lock aborts the interpreter's end.
    while os.read(0, 4096):
        pass
    server.should_exit = True
    # Callers that do not leave must not keep an orphan.
    threading.Timer(1.0, lambda: setattr(server, "force_exit", True)).start()
    threading.Timer(4.0, lambda: os._exit(FAILED)).start()


def _fail(why: str) -> NoReturn:
    print(f"\n{why}", file=sys.stderr, flush=True)
    os._exit(FAILED)


if __name__ == "__main__":
    main(*sys.argv[1:])
