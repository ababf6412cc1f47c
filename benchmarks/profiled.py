"""`bpdemo serve` with a sampling profiler inside: where does each microsecond go?

    python -m benchmarks.profiled FILE serve --port 8000 …

A timer of processor time rings a thousand times a second, and the innermost function of ours, of
the web framework or of the server is noted; what it calls in libraries counts as its own. At the
end the tallies are written to FILE as JSON. A thousand samples a second cost about one part in a
hundred.
"""

from __future__ import annotations

import atexit
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from bpdemo.cli.main import main as bpdemo

EVERY_S = 0.001
#: The first that is part of a frame's file names its section; files of none are looked through.
SECTIONS = {
    "bpdemo/telemetry/logs": "the log line",
    "bpdemo/telemetry/order_log": "the log line",
    "bpdemo/telemetry/": "metrics",
    "bpdemo/api/body": "reading and checking the body",
    "bpdemo/api/orders": "the route and its answer",
    "bpdemo/api/replies": "the route and its answer",
    "bpdemo/api/connection/": "the connection, ours",
    "bpdemo/api/": "the door",
    "bpdemo/service/": "intake, books and the work on an order",
    "bpdemo/flow/queue": "queue and workers",
    "bpdemo/flow/disciplines": "queue and workers",
    "bpdemo/flow/pool": "queue and workers",
    "bpdemo/flow/cache": "cache",
    "bpdemo/flow/": "guards: deadline, breaker, timeout, budget",
    "bpdemo/downstream/": "payment and store",
    "/fastapi": "FastAPI and Starlette",
    "/starlette": "FastAPI and Starlette",
    "/uvicorn": "uvicorn and its parser",
}
REST = "the event loop"


class Sampler:
    def __init__(self) -> None:
        self.tally: Counter[str] = Counter()
        self._known: dict[str, str] = {}

    def start(self) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: self.tally.clear())
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        while frame is not None:
            if section := self._section_of(frame.f_code.co_filename):
                self.tally[section] += 1
                return
            # uvicorn's own main loop lies under everything: it is the event loop that runs.
            frame = frame.f_back
            if frame is not None and frame.f_code.co_name == "_run_once":
                break
        self.tally[REST] += 1

    def _section_of(self, path: str) -> str:
        if path not in self._known:
            fits = (section for part, section in SECTIONS.items() if part in path)
            self._known[path] = next(fits, "")
        return self._known[path]


def main(path: str) -> None:
    sampler = Sampler()
    atexit.register(lambda: Path(path).write_text(json.dumps(sampler.tally)))
    sampler.start()
    bpdemo()


if __name__ == "__main__":
    target = sys.argv.pop(1)
    main(target)
