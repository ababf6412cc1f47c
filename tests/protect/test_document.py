"""docs/protect.md is true: its code runs, and its table and figures are those of the code."""

import inspect
import re
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry

from bpdemo.flow.deadline import FINISH_WITHIN
from bpdemo.protect import AdmissionControl, Rule
from bpdemo.protect.lookahead import MOST_BYTES
from bpdemo.protect.problems import BODIES

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
