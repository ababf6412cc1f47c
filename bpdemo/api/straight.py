"""A route of FastAPI's that calls its endpoint straight away."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response


class StraightRoute(APIRoute):
    """For endpoints that take the request, text from its path, and nothing else.

    Ours read header and body themselves, since a refusal comes before a 422; what FastAPI does to
    find parameters and dependencies that are not there costs an order a tenth of its time. It is
    documented like any other route.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def handle(request: Request) -> Response:
            response: Response = await self.endpoint(request, **request.path_params)
            return response

        return handle
