"""Asynchronous tests in which hours pass at once."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from bpdemo.sim import virtual_time

P = ParamSpec("P")

ONE_DAY_S = 86_400.0


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an `async def` test on a VirtualTimeLoop, for at most a virtual day.

    The result is a plain function with the test's signature, so that fixtures, parametrize and
    `@given` (written above it) work; pytest-asyncio leaves it alone. Asynchronous fixtures do not
    fit: they would live on another loop.
    """

    @functools.wraps(test)
    def run_test(*args: P.args, **kwargs: P.kwargs) -> None:
        virtual_time.run(test(*args, **kwargs), limit_s=ONE_DAY_S)

    return run_test
