"""What every service of a lesson has, the box office and any other application."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from bpdemo.core.slips import forgiving
from bpdemo.lab.services.host import Host, ServiceFailed


class RunningService:
    """A service that runs on a host. As a context manager it stops at the end of the block."""

    def __init__(self, name: str, host: Host) -> None:
        self.name = name
        self._host = host
        # A laptop's proxy variables must not send requests to itself through a proxy.
        self._client = httpx.Client(base_url=host.url, trust_env=False, timeout=10)

    @property
    def url(self) -> str:
        return self._host.url

    @property
    def is_running(self) -> bool:
        return self._host.is_alive

    @property
    def logs(self) -> list[str]:
        """The last lines it logged."""
        return self._host.logs

    @property
    def pid(self) -> int:
        """The process it runs in: with where="thread", this kernel's own."""
        return self._host.pid

    def require_running(self) -> None:
        """Raises `ServiceFailed` when it was stopped, or another has taken its name."""
        if self._client.is_closed:
            raise ServiceFailed(
                f"{self.name!r} does not run any more: it was stopped, or serve() started another "
                "of that name. Run the cell that starts it, then this one."
            )

    @property
    def _http(self) -> httpx.Client:
        self.require_running()
        return self._client

    @forgiving
    def get(self, path: str, **headers: str) -> httpx.Response:
        """One request by hand."""
        return self._http.get(path, headers=headers)

    @forgiving
    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """One request by hand, with `body` as JSON."""
        return self._http.post(path, json=body, headers=headers)

    def stop(self) -> None:
        """Stop it; safe to call twice."""
        self._host.stop()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
