"""`trace_id`: which request the code that runs belongs to, in a context variable."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Final

NO_TRACE: Final = "-"


class TraceId:
    """A `ContextVar` by its three methods. Code that mentions it can be sent to another process,
    where it means the variable there; a bare `ContextVar` cannot."""

    def __init__(self) -> None:
        self._variable: ContextVar[str] = ContextVar("trace_id", default=NO_TRACE)

    def get(self) -> str:
        """The id of the current context; "-" if it has none."""
        return self._variable.get()

    def set(self, value: str) -> Token[str]:
        """For the rest of this context: a task has one of its own."""
        return self._variable.set(value)

    def reset(self, token: Token[str]) -> None:
        self._variable.reset(token)

    def __repr__(self) -> str:
        return f"<trace_id {self.get()!r}>"

    def __reduce__(self) -> str:
        return "trace_id"


trace_id: Final = TraceId()
