"""docs/protect.md is true: its code runs, and its table and figures are those of the code."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry

import bpdemo.protect
from bpdemo.cli.judge.beginning import Beginning
from bpdemo.flow.deadline import FINISH_WITHIN
from bpdemo.flow.limits.aimd import AIMD
from bpdemo.lab import simulate
from bpdemo.lab.lessons.figures.attempts import attempt_peak
from bpdemo.protect import AdmissionControl, Rule, admission
from bpdemo.protect.lookahead import MOST_BYTES
from bpdemo.protect.problems import BODIES
from bpdemo.sim import theory, virtual_time

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "protect.md").read_text("utf-8")


def blocks_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def call_in(module: Any) -> str:
    """What its docstring says to paste, as a program."""
    call = re.search(r"^    app\.add_middleware\(.*?^    \)", module.__doc__, re.M | re.S)
    assert call
    return "from bpdemo.protect import AdmissionControl\n" + dedent(call.group())


BLOCKS = blocks_of(PAGE)
FEW_LINES, CORS_OUTSIDE, RULES, METRICS = BLOCKS
PASTED = {
    "protect.md": FEW_LINES,
    "protect.md, rules": RULES,
    "judge.md": blocks_of((DOCS / "judge.md").read_text("utf-8"))[0],
    "the judge": Beginning(192, 0.042).code,
    "bpdemo.protect": call_in(bpdemo.protect),
    "bpdemo.protect.admission": call_in(admission),
}
MUST_ANSWER = ("/healthz", "/readyz", "/metrics")


def run(block: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(block, "docs/protect.md", "exec"), names)
    return names


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


async def test_the_few_lines_and_the_rules_protect_an_application() -> None:
    """As they stand: a request goes through all of them."""
    names = run(RULES, run(CORS_OUTSIDE, run(FEW_LINES, {})))
    app: FastAPI = names["app"]

    @app.get("/orders")
    async def orders() -> str:
        return "sold"

    async with client(app) as shop:
        assert (await shop.get("/orders")).status_code == 200


@asynccontextmanager
async def full(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Every slot is taken by a request that does not end before the block does."""
    is_over = asyncio.Event()

    @app.get("/orders")
    async def orders() -> None:
        await is_over.wait()

    for path in MUST_ANSWER:
        app.add_api_route(path, lambda: "ok")
    async with client(app) as shop:
        asked = {asyncio.ensure_future(shop.get("/orders")) for _ in range(20)}
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert {answer.result().status_code for answer in done} == {503}
        try:
            yield shop
        finally:
            is_over.set()
            await asyncio.gather(*asked)


@pytest.mark.parametrize("where", PASTED)
async def test_what_is_pasted_leaves_probes_and_metrics_alone(where: str) -> None:
    """A probe that got a 503 would restart what sheds load: none does while the limit is full."""
    app: FastAPI = run(PASTED[where], {"app": FastAPI()})["app"]
    async with full(app) as shop:
        answers = [(await shop.get(path)).status_code for path in MUST_ANSWER]
    assert answers == [200] * len(MUST_ANSWER)


@pytest.mark.parametrize("outside", [True, False])
async def test_a_browser_reads_a_rejection_where_cors_stands_outside(outside: bool) -> None:
    """Status and Retry-After, and a preflight is answered; with CORS inside neither is so."""
    lines = [FEW_LINES, CORS_OUTSIDE] if outside else [CORS_OUTSIDE, FEW_LINES]
    names: dict[str, Any] = {"app": (app := FastAPI())}
    for block in lines:
        run(block.replace("app = FastAPI()\n", ""), names)
    origin = {"Origin": "https://www.shop.com"}
    asks = origin | {"Access-Control-Request-Method": "GET"}
    async with full(app) as shop:
        no = await shop.get("/orders", headers=origin)
        preflight = await shop.options("/orders", headers=asks)
    assert no.status_code == 503
    assert no.headers["Retry-After"]
    assert ("Access-Control-Allow-Origin" in no.headers) == outside
    assert ("Retry-After" in no.headers.get("Access-Control-Expose-Headers", "")) == outside
    assert (preflight.status_code == 200) == outside


def test_what_several_processes_reject_is_what_theory_says() -> None:
    """The table: random arrivals, split at random, so that each process is a queue of its own."""
    row = r"^\| \w+ process(?:es)?: (\d) \+ (\d)(?: each)? \| ([\d.]+)% \| ([\d.]+)% \|"
    told = re.findall(row, PAGE, re.MULTILINE)
    assert len(told) == 3
    for slots, places, *shares in told:
        servers, capacity = int(slots), int(slots) + int(places)
        found = [
            f"{theory.mmck(load * servers, 1, servers, capacity).blocking_probability:.1%}"
            for load in (0.7, 0.9)
        ]
        assert found == [f"{share}%" for share in shares]


async def test_the_metrics_count_what_happens() -> None:
    """The example with prometheus_client, at a service that refuses one of two."""
    registry = CollectorRegistry()
    metrics = run(METRICS, {})["Metrics"](registry)
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
