"""How the registry is written out: Prometheus text, or OpenMetrics for anyone who asks for it."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

TEXT = exposition.CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST
_openmetrics: Callable[[Collector], bytes] = openmetrics.generate_latest


def render(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """The exposition and its content type; anything unreadable in `accept` gets plain text."""
    # The library's own choice parses version numbers and echoes them into the content type:
    # an odd header would raise there.
    view = _WithoutBirthdays(registry)
    if prefers_openmetrics(accept):
        return _openmetrics(view), OPENMETRICS
    return exposition.generate_latest(view), TEXT


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is named at all, and weighs no less than plain text."""
    weights: dict[str, float] = {}
    for choice in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in choice.split(";"))
        weights[kind] = max(weights.get(kind, 0.0), _weight(parameters))
    wanted = weights.get("application/openmetrics-text", 0.0)
    return wanted > 0 and wanted >= weights.get("text/plain", 0.0)


def _weight(parameters: list[str]) -> float:
    value = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


class _WithoutBirthdays(Collector):
    """The registry less the `_created` times, which would double the number of series.

    The library can leave them out too, but only for the whole process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
            yield family
