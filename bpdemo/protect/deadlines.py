"""By when a caller wants an answer, for whatever is further in."""

from typing import TYPE_CHECKING

from bpdemo.flow.deadline import NEVER, Deadline

if TYPE_CHECKING:
    from starlette.types import Scope

DEADLINE_KEY = "bpdemo.deadline"


def deadline_of(scope: "Scope") -> Deadline:
    """By when the caller of this request wants an answer, on the event loop's clock: what the
    application does for them should obey it. `NEVER` if they did not say."""
    deadline: Deadline = scope.get(DEADLINE_KEY, NEVER)
    return deadline
