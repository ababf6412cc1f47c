"""What bodies look like: those we read, and those the OpenAPI document tells of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    """A stored order."""

    id: str
    item_id: int
    quantity: int
    amount_cents: int
    status: Literal["confirmed"]
    created_at: str


class ProblemOut(BaseModel):
    """A no (RFC 9457). `field` names what could not be read, where something could not."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    field: str | None = None
