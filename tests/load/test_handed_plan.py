"""A plan reaches the child that carries it out, however large the body of its request."""

import pytest

from bpdemo.load.driver import drive
from bpdemo.load.handed_plan import handed, taken
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request
from tests.load.stub import StubServer


@pytest.mark.parametrize("size", [0, 100, 30_000, 2_000_000])
def test_what_is_handed_is_taken(size: int) -> None:
    """By a variable as long as it is short, by a file beyond that."""
    plan = Plan(10, request=Request("PUT", "/x", body=b"\x00" * size))
    variables, file = handed(plan)
    try:
        assert taken(variables) == plan
        assert all(len(text) < 32_000 for text in variables.values())
        assert (file is not None) == (size >= 30_000)
    finally:
        if file:
            file.unlink()


@pytest.mark.load
@pytest.mark.light
def test_a_large_body_arrives_and_leaves_nothing_behind() -> None:
    """300 kB to a request: whole at the server, and the file is gone."""
    body = bytes(range(256)) * 1200
    files = []
    with StubServer() as server:
        plan = Plan(10, seconds=0.5, request=Request("PUT", "/x", body=body), client_timeout_s=2)
        with pytest.MonkeyPatch.context() as patch:

            def noted(share: Plan) -> object:
                variables, file = handed(share)
                files.append(file)
                return variables, file

            patch.setattr("bpdemo.load.driver.handed", noted)
            drive(server.url, plan)
        assert server.bodies
        assert set(server.bodies) == {body}
    assert files
    assert not any(file.exists() for file in files)
