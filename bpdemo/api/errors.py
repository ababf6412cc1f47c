"""What can go wrong at the HTTP edge only. They belong to the tree in `bpdemo.core.errors`."""

from bpdemo.core.errors import BoxOfficeError


class ReadTimeout(BoxOfficeError):
    reason = "read_timeout"
    detail = "The request did not arrive in time."


class TooLarge(BoxOfficeError):
    reason = "too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"A body may have {limit_bytes} bytes at most.")


class MethodNotAllowed(BoxOfficeError):
    reason = "method_not_allowed"

    def __init__(self, allow: str) -> None:
        super().__init__(f"Only {allow} can be used here.")
        self.allow = allow


class Forbidden(BoxOfficeError):
    reason = "forbidden"
    detail = "Settings may be changed from this machine, or with the admin token."


class CallerGone(Exception):
    """The caller hung up before the request was complete. Nobody is there to be answered."""
