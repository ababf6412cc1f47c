"""HTTP clients that other people use: those that are installed, each with its defaults.

Each is asked to post a file some times, and tells a status for each answer, or what went wrong.
Tools that send load tell no single statuses: theirs are `2xx` and `other`.
"""

import asyncio
import http.client
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

HERE = Path(__file__).parents[1] / "e2e" / "clients"
JSON = {"content-type": "application/json"}
#: More than any of these needs to be started on a busy machine.
START_S = 60.0


class Asked(NamedTuple):
    """What to post, where, how often, and for how long to wait for each answer."""

    url: str
    file: Path
    times: int
    client_timeout_s: float

    @property
    def words(self) -> list[str]:
        return [self.url, str(self.file), str(self.client_timeout_s), str(self.times)]


class Client(NamedTuple):
    """`missing` says what is not here, if anything."""

    missing: Callable[[], str | None]
    post: Callable[[Asked], list[str]]
    sends_load: bool = False

    def wanted(self, status: int) -> str:
        """How it tells that status."""
        if not self.sends_load:
            return str(status)
        return "2xx" if 200 <= status < 300 else "other"


def _program(name: str) -> Callable[[], str | None]:
    return lambda: None if shutil.which(name) else f"no {name} in PATH"


def _package(name: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(name) else f"no package {name}"


def _run(*words: str, **env: str) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=START_S, check=False, env=os.environ | env
    )
    return done.stdout + done.stderr


def _curl(*options: str) -> Callable[[Asked], list[str]]:
    def post(asked: Asked) -> list[str]:
        told = _run(
            *("curl", "-sS", "--noproxy", "*", "--max-time", str(asked.client_timeout_s), *options),
            *("-H", "content-type: application/json", "--data-binary", f"@{asked.file}"),
            *("-w", "%{http_code}\n", *("-o", os.devnull, asked.url) * asked.times),
        )
        return told.split("\n")[: asked.times]

    return post


def _lines(*words: str) -> Callable[[Asked], list[str]]:
    return lambda asked: _run(*words, *asked.words).splitlines()


@cache
def _java_classes() -> str:
    """Where Java's program is, compiled: to run its source costs seconds each time."""
    folder = tempfile.mkdtemp()
    _run("javac", "-d", folder, str(HERE / "Ask.java"))
    return folder


def _java(asked: Asked) -> list[str]:
    return _run("java", "-cp", _java_classes(), "Ask", *asked.words).splitlines()


def _each(post: Callable[[Asked, bytes], list[str]]) -> Callable[[Asked], list[str]]:
    """In a process of its own: what a client warns of is not ours."""

    def run(asked: Asked) -> list[str]:
        words = [sys.executable, "-W", "ignore", "-m", "tests.support.clients", post.__name__]
        return _run(*words, *asked.words).splitlines()

    return run


def http_client(asked: Asked, body: bytes) -> list[str]:
    there = urlsplit(asked.url)
    said = []
    for _ in range(asked.times):
        connection = http.client.HTTPConnection(
            there.hostname or "", there.port, timeout=asked.client_timeout_s
        )
        connection.request("POST", there.path, body, JSON)
        answer = connection.getresponse()
        answer.read()
        said.append(str(answer.status))
        connection.close()
    return said


def requests_(asked: Asked, body: bytes) -> list[str]:
    import requests

    with requests.Session() as session:
        session.trust_env = False

        def once() -> str:
            return str(
                session.post(
                    asked.url, body, headers=JSON, timeout=asked.client_timeout_s
                ).status_code
            )

        return [once() for _ in range(asked.times)]


def urllib3_(asked: Asked, body: bytes) -> list[str]:
    import urllib3

    pool = urllib3.PoolManager()

    def once() -> str:
        answer = pool.request(
            "POST",
            asked.url,
            body=body,
            headers=JSON,
            timeout=asked.client_timeout_s,
            retries=False,
        )
        return str(answer.status)

    return [once() for _ in range(asked.times)]


def httpx_(asked: Asked, body: bytes) -> list[str]:
    import httpx

    with httpx.Client(trust_env=False, timeout=asked.client_timeout_s) as client:
        return [
            str(client.post(asked.url, content=body, headers=JSON).status_code)
            for _ in range(asked.times)
        ]


def aiohttp_(asked: Asked, body: bytes) -> list[str]:
    import aiohttp

    async def all_of_them() -> list[str]:
        timeout = aiohttp.ClientTimeout(asked.client_timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            said = []
            for _ in range(asked.times):
                async with session.post(asked.url, data=body, headers=JSON) as answer:
                    await answer.read()
                    said.append(str(answer.status))
            return said

    return asyncio.run(all_of_them())


def _ab(asked: Asked) -> list[str]:
    told = _run(
        *(
            "ab",
            "-q",
            "-n",
            str(asked.times),
            "-c",
            "1",
            "-s",
            str(max(1, int(asked.client_timeout_s))),
        ),
        *("-p", str(asked.file), "-T", "application/json", asked.url),
    )
    complete = _number(r"Complete requests:\s+(\d+)", told)
    other = _number(r"Non-2xx responses:\s+(\d+)", told)
    lost = asked.times - complete
    return ["2xx"] * (complete - other) + ["other"] * other + [told[-200:]] * lost


def _wrk(asked: Asked) -> list[str]:
    told = _run(
        *("wrk", "-t", "1", "-c", "1", "-d", "1s", "--timeout", f"{asked.client_timeout_s:.0f}s"),
        *("-s", str(HERE / "post.lua"), asked.url),
        BODY_FILE=str(asked.file),
    )
    total = _number(r"(\d+) requests in", told)
    other = _number(r"Non-2xx or 3xx responses: (\d+)", told)
    errors = [line for line in told.splitlines() if "Socket errors" in line]
    return ["2xx"] * (total - other) + ["other"] * other + errors


def _autocannon(asked: Asked) -> list[str]:
    # It overlooks `Connection: close`, and counts it as an error when what it writes next into the
    # ended connection fails: so each request is a run of its own.
    return [answer for _ in range(asked.times) for answer in _one_shot(asked)]


def _one_shot(asked: Asked) -> list[str]:
    told = _run(
        *(
            "autocannon",
            "-c",
            "1",
            "-a",
            "1",
            "-t",
            str(int(asked.client_timeout_s) or 1),
            "-m",
            "POST",
        ),
        *("-H", "content-type=application/json", "-i", str(asked.file), "--json", asked.url),
    )
    result = json.loads(told[told.index("{") :].splitlines()[0])
    lost = [f"{result['errors']} errors"] if result["errors"] else []
    return ["2xx"] * result["2xx"] + ["other"] * result["non2xx"] + lost


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    return int(match[1]) if match else 0


CLIENTS: dict[str, Client] = {
    "curl": Client(_program("curl"), _curl()),
    "curl --http2": Client(_program("curl"), _curl("--http2")),
    "curl --http1.0": Client(_program("curl"), _curl("--http1.0")),
    "http.client": Client(lambda: None, _each(http_client)),
    "requests": Client(_package("requests"), _each(requests_)),
    "urllib3": Client(_package("urllib3"), _each(urllib3_)),
    "httpx": Client(_package("httpx"), _each(httpx_)),
    "aiohttp": Client(_package("aiohttp"), _each(aiohttp_)),
    "node's fetch": Client(_program("node"), _lines("node", str(HERE / "ask.js"))),
    "Java's HttpClient": Client(_program("javac"), _java),
    "ab": Client(_program("ab"), _ab, sends_load=True),
    "wrk": Client(_program("wrk"), _wrk, sends_load=True),
    "autocannon": Client(_program("autocannon"), _autocannon, sends_load=True),
}


def _main(name: str, url: str, file: str, client_timeout_s: str, times: str) -> None:
    asked = Asked(url, Path(file), int(times), float(client_timeout_s))
    try:
        print("\n".join(globals()[name](asked, asked.file.read_bytes())))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    _main(*sys.argv[1:])
