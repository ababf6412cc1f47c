"""A learner's answer as the judge meets it: what its function raises is not lost on the way."""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, TracebackType
from typing import Any, Final

_DOES_NOTHING: Final = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "POP_TOP"}


class NotTried(BaseException):
    """The answer is still a blank. Nothing between the answer and the check may swallow it."""


class Slept(BaseException):
    """The answer called `time.sleep`."""


class Answered:
    """The learner's function. Remembers the first thing it raised: a service under load turns
    exceptions into answers with status 500, and the check would never hear of them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.error: BaseException | None = None
        self._place: TracebackType | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.error is not None:
            # From where it was raised first: otherwise it grows with every order of a load.
            raise self.error.with_traceback(self._place)
        try:
            given = self.function(*arguments, **named)
        except BaseException as error:
            self.error, self._place = error, error.__traceback__
            raise
        if inspect.iscoroutine(given):
            return self._awaited(given)
        return self._given(given)

    async def _awaited(self, coroutine: Any) -> Any:
        try:
            given = await coroutine
        except BaseException as error:
            # Only what the function itself got wrong; a refusal by the store is the judge's doing.
            if self.error is None and _is_a_mistake(error):
                self.error, self._place = error, error.__traceback__
            raise
        return self._given(given)

    def _given(self, given: Any) -> Any:
        if is_blank(given):
            self.error = NotTried()
            raise self.error
        return given


def is_blank(answer: Any) -> bool:
    """Whether there is nothing to judge: an ellipsis, or a function that is still the stub.

    None is a blank as an answer, but may be what a function rightly returns.
    """
    if isinstance(answer, FunctionType):
        return _is_stub(answer.__code__, answer.__doc__)
    if isinstance(answer, Mapping):
        return any(is_blank(value) for value in answer.values())
    if isinstance(answer, tuple | list):
        return any(part is ... for part in answer)
    return answer is ...


def _is_stub(code: CodeType, doc: str | None) -> bool:
    if code.co_names == ("NotImplementedError",):
        return True
    constants = [part for part in code.co_consts if part not in (None, doc, ...)]
    return not constants and {step.opname for step in dis.get_instructions(code)} <= _DOES_NOTHING


def _is_a_mistake(error: BaseException) -> bool:
    from bpdemo.core.errors import BoxOfficeError

    foreseen = BoxOfficeError | TimeoutError | OSError | asyncio.CancelledError | GeneratorExit
    return not isinstance(error, foreseen)
