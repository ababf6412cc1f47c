"""What bodies look like: those we read, and those the OpenAPI document tells of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bpdemo.core.choices import OrderStatus
from bpdemo.core.events import BreakerState, Dependency
from bpdemo.core.reasons import PROBLEMS
from bpdemo.core.settings import Settings
from bpdemo.service.books import Books

#: Ids live in a signed 32-bit column.
LARGEST_ID = 2**31 - 1


class OrderBody(BaseModel):
    """An order to place."""

    model_config = ConfigDict(strict=True, extra="forbid")

    item_id: Annotated[int, Field(ge=1, le=LARGEST_ID, examples=[1])]
    quantity: Annotated[int, Field(ge=1, le=100, examples=[1])]


class ItemOut(BaseModel):
    """One kind of ticket."""

    id: int
    name: str
    price_cents: int
    in_stock: bool


class ItemsOut(BaseModel):
    """A page of the catalogue; `next` is what `after` must be for the next one."""

    items: list[ItemOut]
    next: int | None


class OrderOut(BaseModel):
    """An order as it stands; `reason` is there only for one that failed."""

    id: str
    item_id: int
    quantity: int
    amount_cents: int
    status: OrderStatus
    created_at: str
    reason: str | None = None


class ProblemOut(BaseModel):
    """A no (RFC 9457). `field` names what could not be read, where something could not."""

    type: str
    title: str
    status: int
    detail: str
    reason: Annotated[str, Field(json_schema_extra={"enum": list(PROBLEMS)})]
    field: Annotated[str | None, WithJsonSchema({"type": "string"})] = None


class HealthOut(BaseModel):
    """The process is alive."""

    status: Literal["alive"]


BreakerStates = dict[Dependency, BreakerState]


class ReadyOut(BaseModel):
    """Traffic may be sent here, whatever stands behind it."""

    status: Literal["ready"]
    breakers: BreakerStates


class QueueOut(BaseModel):
    """Jobs that wait; capacity -1: no bound."""

    depth: Annotated[int, Field(ge=0)]
    capacity: Annotated[int, Field(ge=-1)]


class WorkersOut(BaseModel):
    """Workers, and those with a job in hand."""

    total: Annotated[int, Field(ge=1)]
    busy: Annotated[int, Field(ge=0)]


class PaymentsOut(BaseModel):
    """Charges taken and given back."""

    charged: Annotated[int, Field(ge=0)]
    refunded: Annotated[int, Field(ge=0)]


class ConnectionsOut(BaseModel):
    """Connections of this process; capacity -1: no bound."""

    open: Annotated[int, Field(ge=0)]
    capacity: Annotated[int, Field(ge=-1)]
    turned_away: Annotated[int, Field(ge=0)]


class StatsOut(BaseModel):
    """The books, and how it stands; `connections` where our own server tells of them.

    `limit`: orders that may be in flight, 0 for no limit.
    `nominal_capacity`: orders a second, workers ÷ configured service time; null where that is 0.
    `mean_service_s`: how long orders have taken a worker lately.
    """

    books: Books
    queue: QueueOut
    workers: WorkersOut
    in_flight: Annotated[int, Field(ge=0)]
    limit: Annotated[float, Field(ge=0)]
    breakers: BreakerStates
    payments: PaymentsOut
    nominal_capacity: Annotated[float | None, Field(ge=0)]
    mean_service_s: Annotated[float, Field(ge=0)]
    connections: Annotated[
        ConnectionsOut | None, WithJsonSchema(ConnectionsOut.model_json_schema())
    ] = None


class KnobOut(BaseModel):
    """A setting: what it is, what it may be, and whether PATCH may turn it."""

    value: int | float | bool | str | None
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str] | None
    live: bool
    description: str


class SettingsOut(BaseModel):
    """Every setting by its name; secrets are masked."""

    settings: dict[str, KnobOut]


def knobs_schema() -> dict[str, Any]:
    """What PATCH takes: live settings, each within its range."""
    whole = Settings.model_json_schema()["properties"]
    live = {name: knob for name, knob in whole.items() if knob.pop("live")}
    return {"type": "object", "properties": live, "additionalProperties": False}
