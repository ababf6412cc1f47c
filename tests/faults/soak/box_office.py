"""The service under the soak: a process of its own that also tells how many tasks it has.

    python -m tests.faults.soak.box_office '{"workers": 8, …}'

Prints JSON lines: its address once it is ready, and its tasks for each line on standard input.
Stops when that ends.
"""

import asyncio
import json
import sys
import threading
from functools import partial
from typing import Any

from bpdemo.api.server import DrainingServer, address_of, bind
from bpdemo.assembly.app import create_app
from bpdemo.assembly.collector import Sweeper, calm_collector
from bpdemo.core.settings import Settings


def main(knobs: str) -> None:
    settings = Settings(**json.loads(knobs))
    app = create_app(settings)
    assembly = app.state.assembly
    drain = partial(assembly.office.drain, settings.drain_timeout_s)
    server = DrainingServer(
        app, drain, read_timeout_s=settings.read_timeout_s, verdict=app.state.verdict
    )
    listener = bind("127.0.0.1", 0)

    def ready() -> None:
        loop = asyncio.get_running_loop()
        Sweeper(lambda: assembly.office.in_flight).start()
        threading.Thread(target=answer, args=(server, loop), daemon=True).start()
        tell(url=address_of(listener), database=assembly.database_url)

    server.on_ready = ready
    calm_collector()
    server.run(sockets=[listener])


def answer(server: DrainingServer, loop: asyncio.AbstractEventLoop) -> None:
    for _ in sys.stdin:
        loop.call_soon_threadsafe(lambda: tell(tasks=len(asyncio.all_tasks(loop))))
    server.stop()


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
