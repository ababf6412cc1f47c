"""A request: what it is filled with, what comes of its draws, and what it refuses to be."""

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request
from bpdemo.plan.visits import draw, visits


def test_a_name_is_replaced_wherever_it_stands() -> None:
    """In path, header and JSON string, keys among them; a string that is only a name takes the
    type of the value, any other its text."""
    request = Request(
        "post",
        "/users/{id}/orders?note={word}",
        json={"id": "{id}", "text": "no. {id} of {word}", "{word}": ["{flag}", {"n": "{none}"}, 7]},
        headers={"X-Tag": "{word}-{id}", "X-Flag": "{flag}"},
        vary={"id": [7], "word": ["a b"], "flag": [True], "none": [None]},
    )
    sent = request.filled([0, 0, 0, 0])
    assert request.method == "POST"
    assert sent.path == "/users/7/orders?note=a%20b"
    assert sent.headers == {"X-Tag": "a b-7", "X-Flag": "true", "Content-Type": "application/json"}
    assert json.loads(sent.body or b"") == {
        "id": 7,
        "text": "no. 7 of a b",
        "a b": [True, {"n": None}, 7],
    }


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("b/c", "/b/c"),
        ("q=1&r=2", "/q=1&r=2"),
        ("50%25", "/50%25"),
        ("é#x", "/%C3%A9%23x"),
        ("a\r\nX: y", "/a%0D%0AX:%20y"),
    ],
)
def test_a_value_in_the_path_stands_as_it_is_if_it_can(value: str, path: str) -> None:
    """What cannot stand in a request line is percent-encoded, so no value makes a second line."""
    assert Request("GET", "/{page}", vary={"page": [value]}).filled([0]).path == path


def test_double_braces_are_text() -> None:
    """`{{name}}` is the text in single braces; what a value holds in braces is text, too."""
    query = "{user{{name}}} {id}"
    request = Request("POST", "/graph", json={"query": query}, vary={"id": ["{id}"]})
    assert json.loads(request.filled([0]).body or b"")["query"] == "{user{name}} {id}"


def test_a_body_is_sent_as_it_is() -> None:
    """Bytes and text, braces and all; nobody adds a type that was not given."""
    assert Request("PUT", "/x", body=b"\x00{id}").filled() == ("/x", b"\x00{id}", {})
    assert Request("PUT", "/x", body="é").filled().body == "é".encode()
    assert Request("GET", "/x").filled() == ("/x", None, {})


def test_a_content_type_of_ones_own_stays() -> None:
    """However it is spelt."""
    request = Request("POST", "/x", json={}, headers={"content-TYPE": "application/ld+json"})
    assert request.filled().headers == {"content-TYPE": "application/ld+json"}


@pytest.mark.parametrize(
    ("expect", "ok", "not_ok"),
    [
        (None, [200, 201, 204, 299], [100, 199, 300, 302, 404, 409, 503, 0, 499]),
        (404, [404], [200, 403]),
        ([200, 302], [200, 302], [201, 301]),
        (range(200, 400), [200, 399], [400]),
        ({503}, [503], [200]),
    ],
)
def test_expect_says_which_statuses_are_served(
    expect: Any, ok: list[int], not_ok: list[int]
) -> None:
    """2xx unless it says otherwise; not 409, which only a box office counts."""
    request = Request("GET", "/", expect=expect)
    assert all(request.is_expected(status) for status in ok)
    assert not any(request.is_expected(status) for status in not_ok)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"path": "/{id}"}, r"\{id\} is asked for"),
        ({"json": {"a": ["{id}"]}}, r"\{id\} is asked for"),
        ({"json": {"{id}": 1}}, r"\{id\} is asked for"),
        ({"headers": {"X-A": "{id}"}}, r"\{id\} is asked for"),
        ({"vary": {"id": [1]}}, r"\{id\} stands nowhere"),
        ({"body": "{id}", "vary": {"id": [1]}}, r"\{id\} stands nowhere"),
        ({"path": "/{{id}}", "vary": {"id": [1]}}, r"\{id\} stands nowhere"),
        ({"path": "/{id}", "vary": {"id": []}}, "'id' has no values"),
        ({"path": "/{id}", "vary": {"id": range(0)}}, "'id' has no values"),
        ({"path": "/{id}", "vary": {"id": "abc"}}, "'id' needs a list or range"),
        ({"path": "/{id}", "vary": {"id": 3}}, "'id' needs a list or range"),
        ({"path": "/{id}", "vary": {"id": [object()]}}, "vary of 'id': cannot be written as JSON"),
        ({"path": "/{id}", "vary": {"id": [float("inf")]}}, "vary of 'id': cannot be written"),
        ({"vary": {"1d": [1]}}, "'1d' is no name"),
        ({"vary": [1]}, "vary must map"),
        ({"json": {}, "body": b""}, "json or body, not both"),
        ({"json": {"a": float("nan")}}, "json: cannot be written"),
        ({"json": object()}, "json: cannot be written"),
        ({"body": 7}, "body must be bytes or text"),
        ({"path": "pay"}, "path: 'pay'"),
        ({"path": "http://elsewhere.example/"}, "path: 'http"),
        ({"path": "/a b"}, "path: '/a b'"),
        ({"path": "/a\r\nHost: x"}, "path: "),
        ({"path": "/a#b"}, "path: '/a#b'"),
        ({"path": "/é"}, "path: '/é'"),
        ({"path": ""}, "path: ''"),
        ({"method": "GE T"}, "method: 'GE T'"),
        ({"method": ""}, "method: ''"),
        ({"method": "connect"}, "method: CONNECT"),
        ({"headers": {"X A": "1"}}, "headers: 'X A'"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "headers: X-A must not hold line breaks"),
        ({"headers": {"X-A": "{a}"}, "vary": {"a": ["ok", "\n"]}}, "headers: X-A must not hold"),
        ({"headers": {"X-A": "→"}}, "headers: X-A holds '→'"),
        ({"headers": {"content-length": "3"}}, "headers: content-length follows"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "headers: Transfer-Encoding follows"),
        ({"headers": {"User-Agent": "me"}}, "headers: User-Agent is always bpdemo-load"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers: x-a is given twice"),
        ({"headers": ["X-A"]}, "headers must map"),
        ({"expect": 99}, "expect: 99 is no status"),
        ({"expect": True}, "expect: True is no status"),
        ({"expect": "2xx"}, "expect must be a status or several"),
        ({"expect": []}, "expect must be a status or several"),
    ],
)
def test_what_cannot_be_sent_is_told(arguments: dict[str, Any], told: str) -> None:
    """A ValueError that names the field, before any load begins."""
    given = {"method": "POST", "path": "/x"} | arguments
    with pytest.raises(ValueError, match=told):
        Request(given.pop("method"), given.pop("path"), **given)


def test_what_the_caller_changes_later_does_not_reach_the_load() -> None:
    """A request has copies of its own."""
    document, choices, headers = {"a": [1]}, [1, 2], {"X-A": "{n}"}
    request = Request("POST", "/x", json=document, vary={"n": choices}, headers=headers)
    document["a"].append(2)
    choices.append(3)
    headers["X-B"] = "3"
    assert (request.json, request.vary, request.headers) == (
        {"a": [1]},
        {"n": (1, 2)},
        {"X-A": "{n}"},
    )


VALUES = st.one_of(
    st.text(max_size=5),
    st.integers(-5, 5),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(
    st.lists(VALUES, min_size=1, max_size=4),
    st.binary(max_size=20),
    st.sampled_from([None, 201, [200, 404]]),
    st.booleans(),
)
def test_a_plan_carries_its_request(
    values: list[Any], body: bytes, expect: Any, as_json: bool
) -> None:
    """As JSON to the child and back, the same request, whatever it holds."""
    more: dict[str, Any] = {"json": {"deep": ["{v}", 1.5]}} if as_json else {"body": body}
    vary = {"v": values, "n": range(2, 9, 3)}
    request = Request("PUT", "/{n}?v={v}", vary=vary, expect=expect, **more)
    plan = Plan(10, request=request)
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.request is not None
    assert [again.request.filled([at, 1]) for at in range(len(values))] == [
        request.filled([at, 1]) for at in range(len(values))
    ]


REQUEST = Request("GET", "/{a}/{b}", vary={"a": range(4), "b": ["x", "y"]})


def test_draws_are_even_and_independent() -> None:
    """Each pair comes as often as any other, within four standard deviations."""
    plan = Plan(800, seconds=10, seed=3, request=REQUEST)
    drawn = Counter(visit.drawn for visit in visits(plan))
    count = sum(drawn.values())
    assert len(drawn) == 8
    spread = (count / 8 * 7 / 8) ** 0.5
    assert all(abs(times - count / 8) < 4 * spread for times in drawn.values())


@pytest.mark.parametrize("count", [2, 3])
def test_the_parts_of_a_load_draw_what_one_process_would(count: int) -> None:
    """The same seed sends the same requests, however many processes send them."""
    plan = Plan(80, seconds=5, seed=7, request=REQUEST)
    whole = list(visits(plan))
    parts = [visit for index in range(count) for visit in visits(plan.share(index, count))]
    assert sorted(parts) == whole
    assert whole != list(visits(Plan(80, seconds=5, seed=8, request=REQUEST)))


def test_orders_are_drawn_as_before() -> None:
    """A plan without a request draws what it has always drawn: an item, and no values."""
    visit = draw(Plan(1), 0.0, random.Random(1))
    assert (visit.item, visit.drawn) == (random.Random(1).randint(1, 100), ())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"browse_per_s": 5}, "browse_per_s"),
        ({"item_id": 5}, "item_id"),
    ],
)
def test_what_only_a_box_office_has_goes_with_no_request(
    arguments: dict[str, Any], told: str
) -> None:
    """Its items cannot be looked at elsewhere."""
    with pytest.raises(ValueError, match=told):
        Plan(1, request=REQUEST, **arguments)
