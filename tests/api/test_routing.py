"""The door's routing table against the framework's own: they agree, or the door refuses."""

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Match, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bpdemo.api.routing import RoutingTable
from bpdemo.assembly.app import create_app
from tests.support.examples import examples
from tests.support.http import BODY, STUCK, assert_problem, running

APP = create_app()
TABLE = RoutingTable(APP.routes)
TEMPLATES = sorted({route.path for route in APP.routes})  # type: ignore[attr-defined]
#: What a path may end in, decoded, that is not what it says.
ENDINGS = [
    *("\n", "\r\n", "\r", "\t", " ", "\0", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\ufffd"),
    *("/", "//", "/.", "/..", "/../", "/./", "/%2f", "%2f", "%0a", "\\", "/\\", "/\n", "\n/"),
    *("?", "#", ";", ";a=b", ".", "..", "*", "&", "+", ":", "{id}", "/{id}", "x", "0", "é"),
    *("\u0130", "/1", "/1\n", "/1/", "/1/2", "/swagger-ui-bundle.js\n", "/../../core.py"),
]
BEGINNINGS = ["/", "\n", " ", "//a", "http://a", ".", "\\"]


def frameworks(path: str, method: str) -> str | None:
    """The template that the framework would serve that path by."""
    scope = {"type": "http", "path": path, "method": method, "root_path": "", "headers": []}
    for route in APP.routes:
        match, _ = route.matches(dict(scope))
        if match is not Match.NONE:
            template: str = route.path  # type: ignore[attr-defined]
            return template
    return None


def assert_agree(path: str) -> None:
    ours = TABLE.find(path)
    for method in ("GET", "POST"):
        theirs = frameworks(path, method)
        if ours.exists:
            assert theirs is not None, path
            assert ours.template in {"other", theirs}, path
    if path.split("\n", maxsplit=1)[0] in ("/items", "/orders"):
        assert ours.limited, path


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_routers_agree_on_every_odd_ending(template):
    """Whatever stands behind a path, before it, or in another case: both mean the same route, or
    ours knows none."""
    path = template.replace("{id}", "1")
    assert template == "/docs/assets" or TABLE.find(path).exists
    odd = [path + ending for ending in ENDINGS] + [begin + path for begin in BEGINNINGS]
    odd += [path.upper(), path.title(), path[1:], path[:-1], path.replace("/", "//")]
    for each in odd:
        assert_agree(each)


@given(st.sampled_from(TEMPLATES), st.text(max_size=4), st.text(max_size=3), st.text(max_size=2))
@settings(max_examples=examples(300), deadline=None, derandomize=True, database=None)
def test_both_routers_agree_on_any_path(template, before, name, behind):
    """Random text around and in the paths that there are."""
    assert_agree(before + template.replace("{id}", name) + behind)


def test_every_file_of_the_documentation_is_known():
    """And nothing beside them: the table lists what is on the disk."""
    [mount] = [route for route in APP.routes if isinstance(route, Mount)]
    assert TABLE.find(f"{mount.path}/swagger-ui-bundle.js").exists
    for path in (
        "",
        "/",
        "/none",
        "/../core.py",
        "/swagger-ui-bundle.js/",
        "/\0",
        "/" + "a" * 999,
    ):
        assert not TABLE.find(mount.path + path).exists


@pytest.mark.parametrize(
    "route",
    [
        Route("/a/{b}/c", lambda _: None),
        Route("/a/{b:path}", lambda _: None),
        Route("/{a}{b}", lambda _: None),
        Route("/a/x{b}", lambda _: None),
        Mount("/a", FastAPI()),
        WebSocketRoute("/a", lambda _: None),
    ],
)
def test_a_route_that_the_table_cannot_judge_is_no_route(route):
    """Better no start than a route that the door judges by another rule than the framework."""
    with pytest.raises(ValueError, match=r"table|mounted"):
        RoutingTable([route])


def test_a_mount_of_files_and_plain_routes_can_be_judged(tmp_path):
    """Methods of a template add up; files in folders below are found."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("x")
    table = RoutingTable(
        [
            Route("/a/{b}", lambda _: None, methods=["GET"]),
            Route("/a/{b}", lambda _: None, methods=["PUT"]),
            Mount("/files", StaticFiles(directory=tmp_path)),
        ]
    )
    assert table.find("/a/1").methods == ("GET", "HEAD", "PUT")
    assert table.find("/files/deep/file").exists
    assert not table.find("/files/deep").exists


def test_a_path_of_our_own_may_stand_before_ours():
    """A server that serves us below a path of its own says so, and the path counts without it."""
    assert TABLE.find_in({"path": "/shop/orders", "root_path": "/shop"}).takes_orders
    assert not TABLE.find_in({"path": "/shopping/orders", "root_path": "/shop"}).exists
    assert TABLE.find_in({"path": "/orders", "root_path": ""}).takes_orders


@pytest.mark.parametrize("path", ["/items\n", "/orders\n", "/orders\r\n", "/items\0", "/items\n/1"])
async def test_what_is_below_a_limited_path_is_limited_as_it_is(path):
    """404 from the door, or the no of the gate, or of a closing house: never the framework."""
    async with running(**STUCK, max_in_flight=1) as service:
        for method in ("GET", "POST"):
            call = service.call(method, path, body=BODY)
            assert_problem(await call(), 404, "not_found")
        assert service.books["received"] == 0
        stuck = await service.fill()
        assert_problem(await service.call("GET", path)(), 503, "concurrency_limit")
        stuck.task.cancel()
        await service.office.drain(0.0)
        assert_problem(await service.call("POST", path, body=BODY)(), 503, "draining")
    assert "internal_error" not in service.log.getvalue()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("path", ["/settings\n", "/healthz\n", "/docs\n", "/docs/assets/\0"])
async def test_no_knob_is_reached_by_a_crooked_path(method, path):
    """Neither read nor turned."""
    async with running() as service:
        answer = await service.call(method, path, body=b'{"workers":3}')()
        assert answer.status in (404, 405)
        assert service.office.workers == 8
