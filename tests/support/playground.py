"""The built playground, a server for it, and what CPython says to the same experiments."""

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpdemo.sim.page import Page
from tests.support.scripts import script

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 20


def built_playground() -> Path:
    """Its folder; skipped, with the reason, where what it is made of cannot be fetched."""
    playground = script("playground")
    try:
        built: Path = playground.build(print)
    except playground.CannotFetch as why:
        pytest.skip(str(why))
    return built


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def experiments() -> list[dict[str, Any]]:
    """Twenty seeds over loads and settings that take every road through the service."""
    arms = [
        {},
        {"payment_latency_distribution": "lognormal"},
        {"payment_latency_distribution": "exponential", "queue_discipline": "codel"},
        {"queue_discipline": "adaptive_lifo", "payment_failure_rate": 0.2, "queue_policy": "block"},
        {"unprotected": True},
        {"limit_algorithm": "own", "payment_hang_rate": 0.02},
    ]
    loads: list[dict[str, Any]] = [
        {"times": 2},
        {"times": 1.5, "scenario": "spike", "retries": 2},
        {"times": 0.8, "changes": [[3, {"payment_latency_s": 0.16}]], "browse_per_s": 20},
    ]
    return [
        {
            "arms": [arms[seed % len(arms)]],
            "load": loads[seed % len(loads)] | {"seconds": 8, "seed": seed},
        }
        for seed in range(SEEDS)
    ]


def natively(experiment: dict[str, Any]) -> list[Any]:
    page = Page()
    page.begin(json.dumps(experiment))
    last = json.loads(page.step(1e6))
    return [last["orders"], last["prints"], last["sentences"]]
