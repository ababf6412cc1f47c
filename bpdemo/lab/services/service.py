"""`serve`: the real service, a line away."""

from __future__ import annotations

import atexit
import json
from html import escape
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from bpdemo.core.choices import PROFILES, Profile, Where
from bpdemo.core.counted import counted
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.members import forgiving_class
from bpdemo.core.ranges import plain, require_choice, require_text
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.lab.services.guest import GuestService, require_guest, start_guest
from bpdemo.lab.services.host import Host, ProcessHost, ServiceFailed, ThreadHost
from bpdemo.lab.services.machine import workers
from bpdemo.lab.services.running import RunningService
from bpdemo.lab.services.starting import starting
from bpdemo.load.spare import renew_in_notebook

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Service", "ServiceFailed", "serve", "stop_services"]


#: The services of this kernel by name: running a cell again replaces what it started.
_services: dict[str, Service | GuestService] = {}

_OFFICE: Final = "box-office"
_GUEST: Final = "app"
#: A length is a time only together with a pace: 32 orders are no wait for eight workers, and for
#: one of them longer than anybody stays. So where a machine is calibrated to few, they queue less.
QUEUED_PER_WORKER: Final = 8
"""The name of an application that was given none: it takes no box office's place."""


@forgiving_class
class Service(RunningService):
    """A running service. As a context manager it stops at the end of the block."""

    def __init__(self, name: str, profile: str, host: Host, settings: Settings) -> None:
        super().__init__(name, host)
        self.profile = profile
        self.settings = settings

    @property
    def capacity_per_s(self) -> float | None:
        """Orders a second it can serve: workers ÷ service time. None if that takes no time."""
        return self.settings.nominal_capacity

    @property
    def database_url(self) -> str | None:
        """Where its embedded PostgreSQL listens; others join by `store="postgres"` and this."""
        return self._host.database_url

    @forgiving
    def tune(self, **knobs: Any) -> Self:
        """Turn live knobs, all or none. Raises `SettingsInvalid` that names field and range."""
        settings = self.settings.changed(knobs)
        knobs = {name: plain(value) for name, value in knobs.items()}  # JSON has no others
        token = self.settings.admin_token
        bearer = f"Bearer {token.get_secret_value()}".encode() if token else b""
        headers = {b"Authorization": bearer} if bearer else None
        answer = self._http.patch("/settings", json=knobs, headers=headers)
        if answer.status_code != 200:
            raise SettingsInvalid(answer.json().get("field", "settings"), answer.json()["detail"])
        self.settings = settings
        return self

    def stats(self) -> dict[str, Any]:
        """What `GET /stats` tells: books, queue, workers, breakers, payments."""
        stats: dict[str, Any] = self._http.get("/stats").raise_for_status().json()
        return stats

    def metrics(self) -> pd.DataFrame:
        """Every Prometheus sample: a row with name, labels and value."""
        from prometheus_client.parser import text_string_to_metric_families

        from bpdemo.results.table import Table

        text = self._http.get("/metrics").raise_for_status().text
        rows = [
            {"name": sample.name, "value": sample.value, **sample.labels}
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
        return Table(rows)

    def log_frame(self) -> pd.DataFrame:
        """Its log lines of JSON: a row each, a column for each field."""
        from bpdemo.results.table import Table

        lines = [json.loads(line) for line in self.logs if line.startswith("{")]
        return Table(lines)

    @forgiving
    def traces(self) -> pd.DataFrame:
        """Its finished spans, a row each, oldest first: name, trace_id, span_id, parent_id,
        start_s, duration_ms, status, and the attributes.

        ValueError unless it was started with where="thread" and traces="memory".
        """
        from bpdemo.results.table import Table

        if self.settings.traces != "memory" or not (spans := self._host.spans):
            raise ValueError('it keeps no spans: serve(where="thread", traces="memory") does')
        rows = []
        for span in spans:
            row = span._asdict()
            more = row.pop("attributes")
            # The answer's status is an attribute, and not what the span itself calls so.
            named = {f"http_{key}" if key in row else key: value for key, value in more.items()}
            rows.append(row | {"duration_ms": row.pop("duration_s") * 1000, **named})
        return Table(rows)

    def stop(self) -> None:
        """Stop it; safe to call twice."""
        super().stop()
        if _services.get(self.name) is self:
            del _services[self.name]

    def _repr_html_(self) -> str:
        text = escape(repr(self).strip("<>")).replace(
            self.url, f"<a href='{self.url}' target='_blank'>{self.url}</a>"
        )
        return f"<span style='font-size:16px'>{text}</span>"

    def __repr__(self) -> str:
        state = "running" if self.is_running else "stopped"
        workers = counted(self.settings.workers, "worker")
        capacity = self.capacity_per_s
        pace = f", about {capacity:.0f} orders a second" if capacity else ""
        return f"<{self.name}, {self.profile}: {state} at {self.url}, {workers}{pace}>"


def serve(
    profile: Profile = "protected",
    where: Where = "thread",
    name: str = _OFFICE,
    *,
    app: Any = None,
    capacity_per_s: float | None = None,
    **knobs: Any,
) -> Any:
    """Start the service on a free port of this machine, and wait until it takes orders.

    `unprotected` is the naive one: no bound, no deadline, no breaker. `knobs` are settings, such
    as `queue_capacity=8`; workers are the calibrated ones unless given, and where they are few
    the protected queue is shorter, too. A service of that `name` that runs already is stopped
    first. Raises `SettingsInvalid`, `ServiceFailed`.

    With `app` it is that ASGI application which runs, on plain uvicorn: the object, or with
    where="process" its place, as in "module:app", looked up from the current folder. What it can
    do in a second is not known until you give `capacity_per_s`, or measure it by `capacity_of`.
    """
    require_text("name", name)
    require_choice("profile", profile, PROFILES)
    require_choice("where", where, get_args(Where))
    if app is not None:
        return _serve_guest(app, where, _GUEST if name == _OFFICE else name, capacity_per_s, knobs)
    if capacity_per_s is not None:
        raise ValueError("capacity_per_s: the box office's follows from its settings")
    settings = _settings(profile, knobs)
    if name in _services:
        _services[name].stop()
    with starting(where, settings.store):
        host: Host = ThreadHost(settings) if where == "thread" else ProcessHost(settings)
    service = _services[name] = Service(name, profile, host, settings)
    renew_in_notebook()  # most often a load comes next
    return service


def _serve_guest(
    app: Any, where: Where, name: str, capacity_per_s: float | None, knobs: dict[str, Any]
) -> GuestService:
    if knobs:
        raise ValueError(f"{next(iter(knobs))}: is a setting of the box office, and app is another")
    require_guest(app, where, capacity_per_s)
    if name in _services:
        _services[name].stop()
    service = _services[name] = start_guest(name, app, where, capacity_per_s)
    renew_in_notebook()
    return service


def stop_services() -> None:
    """Stop every service of this kernel."""
    for service in list(_services.values()):
        service.stop()


def _settings(profile: Profile, knobs: dict[str, Any]) -> Settings:
    chosen = {"workers": workers()} | knobs
    if profile == "unprotected":
        return Settings.unprotected(**chosen)
    settings = Settings(**chosen)
    fits = QUEUED_PER_WORKER * settings.workers
    if "workers" in knobs or "queue_capacity" in settings.model_fields_set:
        return settings
    return settings if settings.queue_capacity <= fits else Settings(**chosen, queue_capacity=fits)


atexit.register(stop_services)
