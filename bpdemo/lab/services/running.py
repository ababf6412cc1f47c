"""What every service of a lesson has, the box office and any other application."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bpdemo.core.members import forgiving_class
from bpdemo.core.slips import forgiving
from bpdemo.lab.services.host import Host, ServiceFailed

if TYPE_CHECKING:
    import httpx


@forgiving_class
class RunningService:
    """A service that runs on a host. As a context manager it stops at the end of the block."""

    def __init__(self, name: str, host: Host) -> None:
        self.name = name
        self._host = host
        self._asking = threading.Lock()
        self._client: httpx.Client | None = None
        self._is_stopped = False

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
        if self._is_stopped:
            raise ServiceFailed(
                f"{self.name!r} does not run any more: it was stopped, or serve() started another "
                "of that name. Run the cell that starts it, then this one."
            )

    @property
    def _http(self) -> httpx.Client:
        with self._asking:
            self.require_running()
            if self._client is None:
                import httpx  # takes its time to load, and many a service is never asked by hand

                # A laptop's proxy variables must not send requests to itself through a proxy.
                self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
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
        with self._asking:
            self._is_stopped = True
            if self._client is not None:
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
