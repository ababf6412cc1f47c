"""The arguments that a load takes, carried out by Locust or in virtual time.

They are written once: `LoadArguments` has their types, `DEFAULTS` what they are unless given. A
function decorated with `takes_load` and ending in `**arguments: Unpack[LoadArguments]` has them
all, shows them in its signature, and finds every one of them in `arguments`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from inspect import Parameter
from typing import Any, Final, ParamSpec, TypedDict, TypeVar, Unpack, cast, get_type_hints

from bpdemo.core.choices import SCENARIOS, Backoff, ClientJitter, RetryPolicyName, Scenario
from bpdemo.core.nearest import or_meant
from bpdemo.plan.capacity import rate_of
from bpdemo.plan.changes import Change
from bpdemo.plan.plan import Plan, mix_of, require_choice
from bpdemo.plan.request import Request

P = ParamSpec("P")
R = TypeVar("R")


class LoadArguments(TypedDict, total=False):
    """What a load is asked to do.

    `times` is a multiple of the service's capacity (2 unless `rate` is given), `rate` is absolute:
    the peak in requests a second, or users if `scenario` is closed. `client_timeout_s`: each
    attempt is hung up after that long, counted from when it was meant to be sent. `retry_budget`
    keeps retries to that share of requests, `retry_policy` is what a well-known client library does
    about failures: sre_throttling, grpc_tokens, aws_bucket, aws_bucket_2025 (a retry costs less),
    linkerd_budget; with `retries` 0 only the first does anything. `clients` and `priorities` mix
    labels by weight.
    `changes` turn the service's knobs on the way, as in `[(4, {"payment_latency_s": 0.16})]`.
    """

    times: float | None
    rate: float | None
    seconds: float
    scenario: Scenario
    seed: int
    client_timeout_s: float
    send_deadline: bool
    send_keys: bool
    retries: int
    backoff: Backoff
    jitter: ClientJitter
    retry_budget: float | None
    retry_policy: RetryPolicyName | None
    browse_per_s: float
    bin_s: float
    clients: Mapping[str, float] | None
    priorities: Mapping[int, float] | None
    item_id: int | None
    changes: Sequence[Change]


NAMES: Final = tuple(LoadArguments.__annotations__)
#: A plan has mixes where the caller gives weights, and a rate where the caller may give `times`.
_PLANNED: Final = {field.name for field in fields(Plan)} & set(NAMES) - {"clients", "priorities"}

DEFAULTS: Final = cast(
    "LoadArguments",
    {field.name: field.default for field in fields(Plan) if field.name in _PLANNED}
    | {"times": None, "rate": None, "bin_s": 0.5, "changes": ()}
    | {"clients": None, "priorities": None},
)


def takes_load(**others: Unpack[LoadArguments]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for a function with the arguments of a load; `others` are its own defaults.

    TypeError, with the nearest name, for an argument that does not exist.
    """
    defaults: dict[str, Any] = {**DEFAULTS, **others}

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        signature = _signature(function, defaults)
        # On the function too, so that a look behind every wrapper sees the same.
        function.__signature__ = signature  # type: ignore[attr-defined]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in signature.parameters:
                    _refuse(function.__name__, name, signature)
            return function(*args, **(defaults | kwargs))

        return called

    return decorated


def plan_of(
    arguments: LoadArguments, capacity_per_s: float | None, request: Request | None = None
) -> Plan:
    """The plan that these arguments ask for. ValueError names an argument that is out of range."""
    given: dict[str, Any] = dict(arguments)
    require_choice("scenario", arguments["scenario"], SCENARIOS)  # it says what a rate is
    return Plan(
        rate_per_s=rate_of(
            arguments["times"], arguments["rate"], capacity_per_s, arguments["scenario"]
        ),
        clients=mix_of("clients", arguments["clients"]),
        priorities=mix_of("priorities", arguments["priorities"]),
        request=request,
        **{name: given[name] for name in _PLANNED},
    )


def asked_for(plan: Plan) -> LoadArguments:
    """The arguments that ask for this plan, as far as a command line can: its labels are left
    out."""
    planned = {name: getattr(plan, name) for name in _PLANNED}
    return cast("LoadArguments", planned | {"rate": plan.rate_per_s})


def _signature(function: Callable[..., Any], defaults: Mapping[str, Any]) -> inspect.Signature:
    """The function's own parameters, and behind those that may be given by place, the load's."""
    whole = inspect.signature(function)
    own = [each for each in whole.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults[name], annotation=kind)
        for name, kind in get_type_hints(LoadArguments).items()
    ]
    placed = [each for each in own if each.kind is not Parameter.KEYWORD_ONLY]
    named = [each for each in own if each.kind is Parameter.KEYWORD_ONLY]
    return whole.replace(parameters=[*placed, *shared, *named])


def _refuse(function: str, name: str, signature: inspect.Signature) -> None:
    told = or_meant(name, signature.parameters, "it takes")
    raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{told}")
