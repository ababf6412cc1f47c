"""One table of paths: each is written once in the edge, and told where people read of them."""

import ast
import re
from pathlib import Path

from bpdemo.api import paths
from tests.support.http import running

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "bpdemo" / "api"
PATHS = {value for name, value in vars(paths).items() if name.isupper() and name != "LIMITED"}


def test_a_path_is_written_once() -> None:
    """No other file of the edge spells one, nor begins one: those that differ would be told apart
    only by a caller."""
    spelt = [
        f"{path.name}:{node.lineno}: {node.value}"
        for path in sorted(API.rglob("*.py"))
        if path.name != "paths.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.rstrip("/") in PATHS - {"/"} or re.match(r"/(orders|items)/", node.value)
    ]
    assert not spelt


async def test_the_table_is_what_the_service_has() -> None:
    """All of them are routes, and all routes that the document tells of are in the table."""
    async with running() as service:
        told = (await service.client.get("/openapi.json")).json()["paths"]
    assert set(told) == PATHS - {paths.DOCS}


def test_the_plan_tells_of_every_path() -> None:
    """The table of endpoints in the plan has these and no others."""
    plan = (ROOT / "IMPLEMENTATION_PLAN.md").read_text("utf-8")
    table = plan.partition("## Endpoints")[2].partition("\n## ")[0].partition("\n\nEvery ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {
        path.partition("?")[0]
        for row in rows
        for path in re.findall(r"(?:GET |PATCH |POST |`)(/[\w/{}?&]*)", row.split("|")[1])
    }
    assert named == PATHS
