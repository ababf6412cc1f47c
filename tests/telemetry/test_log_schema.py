"""docs/logs.md says what each log line holds; the code and the lines themselves agree with it."""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from bpdemo import __version__
from bpdemo.core.choices import LogLevel
from bpdemo.telemetry.tracer import make_tracer
from tests.support.http import BODY, running

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {*get_args(LogLevel), "critical"}
#: A file without this has no place that logs, and need not be parsed: that takes half a second for
#: all of them, in each process that looks for tests.
MAY_LOG = re.compile(rf"log[\s)]*\.\s*(?:{'|'.join(sorted(LEVELS))})\b|\bwrite\s*\(")
ROW = re.compile(r"\| `([\w.]+)` \| (\w+)( or null)?(, optional)? \|")
TYPES: dict[str, Any] = {"string": str, "number": (int, float)}


class Field:
    """One row of a table."""

    def __init__(self, kind: str, or_null: str | None, optional: str | None) -> None:
        self.types = TYPES[kind]
        self.may_be_null = bool(or_null)
        self.is_optional = bool(optional)

    def admits(self, value: object) -> bool:
        if value is None:
            return self.may_be_null
        return isinstance(value, self.types) and not isinstance(value, bool)


def documented() -> tuple[dict[str, Field], dict[str, dict[str, Field]]]:
    """The fields of every line, and those of each event."""
    first, *sections = re.split(r"^### ", (ROOT / "docs/logs.md").read_text("utf-8"), flags=re.M)

    def table(text: str) -> dict[str, Field]:
        return {name: Field(*rest) for name, *rest in ROW.findall(text)}

    return table(first), {text.split("\n", 1)[0].strip(): table(text) for text in sections}


COMMON, EVENTS = documented()


def written() -> Iterator[tuple[str, set[str], bool]]:
    """Event, fields, and whether more come by `**`, of each place in the code that logs."""
    for path in sorted((ROOT / "bpdemo").rglob("*.py")):
        text = path.read_text("utf-8")
        if not MAY_LOG.search(text):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, event = node.func, node.args[0]
            is_ours = (
                isinstance(name, ast.Attribute)
                and name.attr in LEVELS
                and ast.unparse(name.value).endswith("log")
            ) or (isinstance(name, ast.Name) and name.id == "write")
            if is_ours and isinstance(event, ast.Constant) and isinstance(event.value, str):
                fields = {word.arg for word in node.keywords if word.arg}
                yield event.value, fields, any(word.arg is None for word in node.keywords)


def told(fields: set[str]) -> set[str]:
    """An error is told as its traceback."""
    return {"exception" if name == "exc_info" else name for name in fields}


def test_every_event_of_the_code_is_in_the_docs_and_no_other():
    """A new one needs its table; one that is gone must not stay."""
    assert {event for event, _, _ in written()} == set(EVENTS)


@pytest.mark.parametrize(("event", "fields", "more"), list(written()))
def test_each_place_that_logs_writes_the_fields_of_its_event(event, fields, more):
    """Those that are not optional, all of them; and none that the table lacks."""
    table = EVENTS[event]
    assert told(fields) <= set(table)
    missing = set(table) - told(fields)
    assert all(table[name].is_optional for name in missing)
    assert not missing or more


async def lines_of_a_day() -> list[dict[str, Any]]:
    """Orders that succeed, fail and are refused, a breaker that opens."""
    knobs = {
        "retry_attempts": 1,
        "breaker_min_calls": 3,
        "breaker_open_s": 60.0,
        "traces": "memory",
    }
    async with running(**knobs) as service:
        await service.order()()
        service.turn(payment_failure_rate=1.0)
        for _ in range(6):
            await service.order(body=BODY)()
    return [json.loads(line) for line in service.log.getvalue().splitlines()]


async def test_each_line_holds_what_its_table_says(monkeypatch):
    """Types too: what a machine reads must not change from line to line."""
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    lines = await lines_of_a_day()
    assert {line["event"] for line in lines} >= {"order", "refused", "breaker"}
    for line in lines:
        table = COMMON | EVENTS[line["event"]]
        assert set(line) <= set(table), line
        assert {name for name, field in table.items() if not field.is_optional} <= set(line), line
        assert all(table[name].admits(value) for name, value in line.items()), line
        assert line["level"] in LEVELS
        assert (line["service.name"], line["version"]) == ("bpdemo", __version__)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("tickets", ""),
        ("tickets", "service.name=x"),
        ("", "team=a,service.name=tickets"),
        ("", "="),
    ],
)
async def test_a_service_has_one_name_for_lines_and_spans(name, attributes, monkeypatch):
    """So a line leads to the spans of the same service, however it got its name."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", name)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", attributes)
    stream = io.StringIO()
    with make_tracer("console", lambda: 0.0, stream=stream).span("work"):
        pass
    told = json.loads(stream.getvalue())["resource"]["attributes"]["service.name"]
    async with running() as service:
        await service.order()()
    lines = [json.loads(line) for line in service.log.getvalue().splitlines()]
    assert {line["service.name"] for line in lines} == {told}
