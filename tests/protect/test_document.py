"""docs/protect.md is true: its code runs, and its table and figures are those of the code."""

import asyncio
import inspect
import re
from pathlib import Path
from random import Random
from typing import Any

import httpx
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry

from bpdemo.flow.deadline import FINISH_WITHIN
from bpdemo.flow.limits.aimd import AIMD
from bpdemo.lab import simulate
from bpdemo.lab.lessons.figures.attempts import attempt_peak
from bpdemo.protect import AdmissionControl, Rule
from bpdemo.protect.lookahead import MOST_BYTES
from bpdemo.protect.problems import BODIES
from bpdemo.sim import virtual_time

PAGE = (Path(__file__).parents[2] / "docs" / "protect.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run(block: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(block, "docs/protect.md", "exec"), names)
    return names


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


async def test_the_four_lines_and_the_rules_protect_an_application() -> None:
    """As they stand: a request goes through both."""
    names = run(BLOCKS[1], run(BLOCKS[0], {}))
    app: FastAPI = names["app"]

    @app.get("/orders")
    async def orders() -> str:
        return "sold"

    async with client(app) as shop:
        assert (await shop.get("/orders")).status_code == 200


async def test_the_metrics_count_what_happens() -> None:
    """The example with prometheus_client, at a service that refuses one of two."""
    registry = CollectorRegistry()
    metrics = run(BLOCKS[2], {})["Metrics"](registry)
    app = FastAPI()

    @app.get("/orders/{number}")
    async def order(number: int, request: Request) -> int:
        async with client(app) as shop:  # while this one is inside
            return (await shop.get("/orders/1")).status_code if number == 0 else 200

    app.add_middleware(
        AdmissionControl, paths={"/orders": Rule(concurrency=1, queue_capacity=0)}, observer=metrics
    )
    async with client(app) as shop:
        answer = await shop.get("/orders/0")
    assert (answer.status_code, answer.text) == (200, "503")
    rule = {"rule": "/orders"}
    assert registry.get_sample_value("admitted_total", rule) == 1
    assert registry.get_sample_value("rejected_total", rule | {"reason": "queue_full"}) == 1
    assert registry.get_sample_value("inside", rule) == 0
    assert registry.get_sample_value("service_seconds_count", rule) == 1


def test_the_table_has_every_argument_with_its_default() -> None:
    """And no other."""
    told = dict(re.findall(r"^\| `(\w+)`(?:, `rng`)? \| (.+?) \|", PAGE, re.MULTILINE))
    parameters = dict(inspect.signature(AdmissionControl).parameters)
    del parameters["app"], parameters["rng"]
    reasons = {name for name in told if name in BODIES}
    assert told.keys() - reasons == parameters.keys()
    assert reasons == BODIES.keys()
    for name, parameter in parameters.items():
        if parameter.default is not None:
            assert told[name].strip("`") == str(parameter.default)


def test_its_figures_are_those_of_the_code() -> None:
    """What is read ahead, and how much of the caller's time may be planned."""
    assert f"{MOST_BYTES // 1024} KiB" in PAGE
    assert f"above {FINISH_WITHIN} of what is left" in PAGE


async def limit_after(bad: int) -> float:
    """An adaptive limit that starts at 20, once 30% of 4,000 answers had the status `bad`."""
    loop, rng, limit = asyncio.get_running_loop(), Random(1), AIMD(20, low=1, high=200)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02)
        status = bad if rng.random() < 0.3 else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        await loop.create_future()

    async def send(message: Any) -> None:
        pass

    shop = AdmissionControl(app, concurrency=limit)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "http_version": "1.1"}
    asked = []
    for _ in range(4000):
        await asyncio.sleep(rng.expovariate(300))
        asked.append(loop.create_task(shop(scope, receive, send)))
    await asyncio.gather(*asked)
    return limit.current


def test_a_broken_dependency_is_no_overload_where_it_is_a_502() -> None:
    """A limit that adapts reads the status alone: 503 shrinks it, 502 does not."""
    limits = {bad: virtual_time.run(limit_after(bad), limit_s=100) for bad in (502, 503)}
    assert limits[503] < 20 < limits[502]
    assert f"30% 503 brought AIMD from 20 to {limits[503]:.0f}" in PAGE


def test_what_the_page_says_of_retry_after_is_what_a_crowd_does() -> None:
    """Obeyed to the second it sends a crowd back in bursts; jitter of their own takes them apart,
    and a rush is refused again all the same."""
    small = {"workers": 8, "queue_capacity": 16}
    crowd: dict[str, Any] = {"backoff": "retry_after", "seed": 0}
    peaks, served, again = {}, {}, {}
    for jitter in ("none", "full"):
        herd = simulate(
            small, times=50, seconds=0.15, scenario="spike", bin_s=0.05, retries=6, jitter=jitter,
            **crowd,
        )  # fmt: skip
        peaks[jitter], served[jitter] = attempt_peak(herd, after_s=0.5), herd.summary
        one = {"workers": 1, "queue_capacity": 2}  # eight times as many make no difference
        rush = simulate(
            one, times=5, seconds=30, scenario="spike", retries=3, bin_s=1, jitter=jitter,
            **crowd,
        ).frame  # fmt: skip
        again[jitter] = rush.attempts_per_s.sum() / rush.offered_per_s.sum()
    assert f"up to {peaks['none']} came\nback within the same 50 ms" in PAGE
    assert f"{served['none']['served_share']:.0%} were served; where each" in PAGE
    assert f"at most {peaks['full']} did, and all were served" in PAGE
    assert served["full"]["served_share"] == 1
    assert f"{again['full']:.1f} to {again['none']:.1f} attempts for each order" in PAGE
