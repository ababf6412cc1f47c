"""The longest prefix wins, and prefixes end where segments do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.protect.paths import Prefixes, normal_prefix, path_in_application

SEGMENT = st.text(st.sampled_from("ab/x"), min_size=0, max_size=4)
PATH = SEGMENT.map(lambda text: f"/{text}")


def found(prefixes: list[str], path: str, root_path: str = "") -> str:
    table = Prefixes({prefix: prefix for prefix in prefixes}, "*")
    return table.find({"path": path, "root_path": root_path})


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/orders", "/orders"),
        ("/orders/", "/orders"),
        ("/orders/7", "/orders"),
        ("/ordersx", "*"),
        ("/order", "*"),
        ("/orders/bulk", "/orders/bulk"),
        ("/orders/bulk/7", "/orders/bulk"),
        ("/orders/bulky", "/orders"),
        ("/Orders", "*"),
        ("//orders", "*"),
        ("/", "*"),
        ("", "*"),
    ],
)
def test_a_prefix_covers_itself_and_what_is_below_it(path: str, prefix: str) -> None:
    """`/orders` is not for `/ordersx`, and a longer prefix takes what is its own."""
    assert found(["/orders", "/orders/bulk"], path) == prefix


@given(st.lists(PATH.map(normal_prefix), unique=True, max_size=5), PATH)
def test_it_is_the_longest_run_of_whole_segments(prefixes: list[str], path: str) -> None:
    """Held against the definition: take segments off the end until a prefix is left."""
    expected, parts = "*", path.split("/")
    for length in range(len(parts), 0, -1):
        candidate = "/".join(parts[:length]) or "/"
        if candidate in prefixes and not (candidate.endswith("/") and candidate != "/"):
            expected = candidate
            break
    assert found(prefixes, path) == expected


@pytest.mark.parametrize(
    ("path", "root_path", "inner"),
    [
        ("/shop/orders", "/shop", "/orders"),  # mounted, or a server with --root-path
        ("/orders", "/shop", "/orders"),  # behind a proxy that has stripped it
        ("/shop", "/shop", ""),
        ("/shopping/orders", "/shop", "/shopping/orders"),
        ("/orders", "", "/orders"),
    ],
)
def test_a_path_is_relative_to_where_the_application_is_mounted(
    path: str, root_path: str, inner: str
) -> None:
    """As the router inside will see it."""
    assert path_in_application({"path": path, "root_path": root_path}) == inner


def test_a_server_that_sends_no_root_path_is_understood() -> None:
    """ASGI lets a server leave it out."""
    assert path_in_application({"path": "/orders"}) == "/orders"


def test_the_whole_application_is_a_prefix_too() -> None:
    """`/` covers everything that no other prefix does."""
    assert found(["/", "/orders"], "/items") == "/"
    assert found(["/", "/orders"], "/orders/1") == "/orders"


@pytest.mark.parametrize(("given_prefix", "normal"), [("/orders/", "/orders"), ("/", "/")])
def test_a_slash_at_the_end_changes_nothing(given_prefix: str, normal: str) -> None:
    """`/orders/` and `/orders` are the same prefix."""
    assert normal_prefix(given_prefix) == normal


@pytest.mark.parametrize("prefix", ["", "orders", "*", 7, None, b"/orders"])
def test_what_no_path_begins_with_is_no_prefix(prefix: object) -> None:
    """The error names the field and the value."""
    with pytest.raises(ValueError, match=r"^paths: .* is not a path that begins with /$"):
        normal_prefix(prefix)
