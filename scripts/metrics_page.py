"""Make docs/metrics.md from the registry, the only source: what `make metrics-page` calls.

python scripts/metrics_page.py            write the page
python scripts/metrics_page.py --check    write nothing; exit 1 if it differs
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.core import Metric

from bpdemo.core.events import RequestAnswered
from bpdemo.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
HEAD = """\
# What the service measures

`GET /metrics` gives these to Prometheus, and as OpenMetrics when asked for it. Every series is
there from the start and shows 0, except those of `bpdemo_http_request_seconds`, which appear with
the first answer of their kind. A label has no values but those below, and never any text of a
caller's. Each service has a registry of its own: several are summed by PromQL. Beside these there
are `bpdemo_build_info` (the version that runs) and what any Python service shows, `process_*` and
`python_*`. Gauges come from the same snapshot of the service as `GET /stats`.

This page is made from the code by `make metrics-page`; a test holds it to that.

| metric | type | labels | what it tells |
|---|---|---|---|
"""
#: Labels whose values are not known beforehand, with the closed set that they come from.
OPEN = {
    ("bpdemo_http_request_seconds", "method"): "a method of HTTP, else `other`",
    ("bpdemo_http_request_seconds", "route"): "a template such as `/items/{id}`, else `other`",
    ("bpdemo_http_request_seconds", "status"): "the status of the answer",
}


def page() -> str:
    """The page as it should be."""
    metrics = Metrics()
    # One request, so that a family without series shows its labels.
    metrics.observe(RequestAnswered("GET", "/", 200, 0.01, None))
    rows = sorted(_row(family) for family in metrics.registry.collect())
    return HEAD + "".join(rows)


def _row(family: Metric) -> str:
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = "<br>".join(_labels(family)) or "none"
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"


def _labels(family: Metric) -> Iterator[str]:
    names = dict.fromkeys(name for sample in family.samples for name in sample.labels)
    for name in names:
        if name == "le":  # of every histogram, and no label of ours
            continue
        values = dict.fromkeys(sample.labels[name] for sample in family.samples)
        yield f"`{name}`: " + OPEN.get((family.name, name), _listed(values))


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def main(arguments: list[str]) -> int:
    wanted = page()
    if "--check" in arguments:
        return int(PAGE.read_text("utf-8") != wanted)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
