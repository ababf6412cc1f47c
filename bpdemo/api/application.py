"""The HTTP application around one box office: routes inside, the door outside."""

from collections.abc import Callable, Mapping
from functools import cache
from random import Random

from fastapi import FastAPI, Request
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Lifespan

from bpdemo import __version__
from bpdemo.api import paths
from bpdemo.api.admission import Admission, DoorPolicy
from bpdemo.api.arrival import arrival_of
from bpdemo.api.door import Door
from bpdemo.api.errors import MethodNotAllowed
from bpdemo.api.items import items_router
from bpdemo.api.openapi import complete
from bpdemo.api.operations import Controls, operations_router
from bpdemo.api.orders import orders_router
from bpdemo.api.problems import Problems
from bpdemo.api.routing import RoutingTable
from bpdemo.core.errors import BoxOfficeError, NotFound
from bpdemo.core.ports import Observer
from bpdemo.service.box_office import BoxOffice
from bpdemo.telemetry.logs import Logger
from bpdemo.telemetry.traces import ServiceTracer


def make_application(
    office: BoxOffice,
    controls: Controls,
    door: DoorPolicy,
    *,
    render_metrics: Callable[[str], tuple[bytes, str]],
    observer: Observer,
    tracer: ServiceTracer,
    log: Logger,
    clock: Callable[[], float],
    rng: Random,
    lifespan: Lifespan[FastAPI],
) -> FastAPI:
    """A FastAPI application; its documentation works with no network.

    `app.state.verdict` is for a server whose connections can say no by themselves.
    """
    app = FastAPIOffline(
        title="The box office",
        version=__version__,
        description="A service on sale day: driven into overload, and taught to survive it.",
        redoc_url=None,
        docs_url=paths.DOCS,
        static_url=paths.DOCS + "/assets",
        redirect_slashes=False,
        lifespan=lifespan,
        # We draw our own spans, into no global provider; asking for one costs every request.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems = Problems(office.advice.retry_after_s)
    # Not by `include_router`, which matches each path through layers that cost an order a fifth of
    # its time; and first what is asked for most.
    app.router.routes[:0] = [
        *orders_router(office, door.max_body_bytes).routes,
        *items_router(office.catalogue).routes,
        *operations_router(office, controls, render_metrics).routes,
    ]
    routes = RoutingTable(app.routes)
    plain = app.openapi
    needs_token = bool(controls.settings.admin_token)
    app.openapi = cache(lambda: complete(plain(), routes, needs_token=needs_token))  # type: ignore[method-assign]
    app.add_exception_handler(HTTPException, _framework_error(problems))
    admission = Admission(
        policy=door,
        routes=routes,
        office=office,
        problems=problems,
        observer=observer,
        tracer=tracer,
        clock=clock,
        rng=rng,
    )
    app.add_middleware(Door, admission=admission, policy=door, tracer=tracer, log=log)
    app.state.verdict = admission.verdict
    return app


def _framework_error(problems: Problems) -> Callable[[Request, Exception], Response]:
    """What the framework finds wrong, said in our way."""

    def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = problems.of(_ours(error, arrival_of(request.scope).route.allow))
        response = Response(problem.body, problem.status)
        response.raw_headers = list(problem.headers)
        return response

    return handle


def _ours(error: HTTPException, allow: str) -> BoxOfficeError:
    if error.status_code == 405:
        headers: Mapping[str, str] = error.headers or {}
        return MethodNotAllowed(allow or headers.get("Allow", "GET"))
    return NotFound() if error.status_code == 404 else BoxOfficeError()
