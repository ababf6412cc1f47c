"""A broken claim is played at those points of a line that its claims name."""

import ast

import pytest

from tests.support.claims import named_points, with_points


@pytest.mark.parametrize(
    ("loop", "drawn"),
    [
        ("(1, 2, 3)", "(1, 3)"),
        ("(0.5, 1, 2)", "(1,)"),
        ("(2, 4)", "(2, 4)"),  # looked at by another name
        ("(1, more, 3)", "(1, more, 3)"),  # who knows what that is
        ("points", "points"),
        ("(('a', 1), ('b', 3))", "(('a', 1), ('b', 3))"),
    ],
)
def test_of_a_loop_those_points_are_left_that_are_named(loop: str, drawn: str) -> None:
    """In a statement as in a comprehension."""
    named = named_points(["sold = {}", 'claim("more", sold[1] - sold[3], at_least=other["name"])'])
    assert named == {1, 3}
    for form in ("for x in {}:\n    sold[x] = x", "sold = {{x: x for x in {}}}"):
        assert ast.unparse(with_points(form.format(loop), named)) == form.format(drawn)
