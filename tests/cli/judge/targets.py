"""The five services that a judge is proven on. Each does about 200 requests a second."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.processes import free_port
from tests.support.waiting import eventually

NAIVE: Final = '''\
"""What everybody writes: eight connections, and any number of requests that wait for one."""

import asyncio

from fastapi import FastAPI

app = FastAPI()
connections = asyncio.Semaphore(8)


@app.get("/")
async def buy() -> dict[str, bool]:
    async with connections:
        await asyncio.sleep(0.04)
    return {"ok": True}
'''
THREADS: Final = '''\
"""A `def` route: forty threads, and any number of requests that wait for one."""

import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def buy() -> dict[str, bool]:
    time.sleep(0.2)
    return {"ok": True}
'''
PROTECTED: Final = '''\
"""The naive one, and what `bpdemo judge` tells to begin with."""

from naive import app

from bpdemo.protect import AdmissionControl

app.add_middleware(AdmissionControl, concurrency=8, queue_capacity=8)
'''
FLASK: Final = '''\
"""A service of another make: waitress has four threads, and a queue without a bound."""

import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def buy() -> dict[str, bool]:
    time.sleep(0.02)
    return {"ok": True}
'''
SOURCES: Final = {
    "naive": NAIVE, "threads": THREADS, "protected": PROTECTED, "flask_shop": FLASK,
}  # fmt: skip
COLLAPSES: Final = ("bad", "bad", "bad", "bad", "bad", "not judged")


@dataclass(frozen=True)
class Service:
    """`server`: the command of its own server, for one that is judged by its address. `grades`: of
    goodput at 2× and 5×, recovery, work for leavers, cost of a refusal, Retry-After."""

    name: str
    grades: tuple[str, ...]
    server: tuple[str, ...] = ()

    @contextmanager
    def running(self, folder: Path) -> Iterator[str]:
        """What to judge, from `folder`: an application there, or the address of a server."""
        for name, source in SOURCES.items():
            (folder / f"{name}.py").write_text(source, "utf-8")
        if not self.server:
            yield f"{self.name}:app"
            return
        port = free_port()
        words = [word.format(port=port) for word in self.server]
        process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder)
        try:
            eventually(lambda: answers(port), f"{self.name} answers", within_s=30)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


UVICORN: Final = ("uvicorn", "naive:app", "--port", "{port}", "--log-level", "error")
WAITRESS: Final = ("waitress", "--listen=127.0.0.1:{port}", "flask_shop:app")
SERVICES: Final = (
    Service("naive", COLLAPSES),
    Service("threads", COLLAPSES),
    Service(
        "limited",
        ("good", "good", "good", "bad", "good", "bad"),
        (*UVICORN, "--limit-concurrency", "17"),
    ),
    Service("protected", ("good",) * 6),
    Service("flask", COLLAPSES, WAITRESS),
)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
