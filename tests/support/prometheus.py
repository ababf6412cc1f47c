"""A Prometheus of a test's own."""

import subprocess
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import free_port

SCRAPE_S = 1


def scraping(target: str) -> str:
    """A configuration that asks one service each second."""
    return (
        f"global: {{scrape_interval: {SCRAPE_S}s}}\n"
        "scrape_configs:\n"
        "  - job_name: bpdemo\n"
        f"    static_configs: [{{targets: ['{target.removeprefix('http://')}']}}]\n"
    )


class Prometheus:
    """A server with a data folder of its own below the folder of its configuration."""

    def __init__(self, config: Path) -> None:
        self._url = f"http://127.0.0.1:{free_port()}"
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={config}",
             f"--storage.tsdb.path={config.parent / 'data'}",
             f"--web.listen-address={self._url.removeprefix('http://')}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query; empty while it knows nothing yet."""
        try:
            answer = httpx.get(
                f"{self._url}/api/v1/query", params={"query": expression}, trust_env=False
            )
        except httpx.TransportError:
            return []
        found: list[dict[str, Any]] = answer.json()["data"]["result"] if answer.is_success else []
        return found

    def value(self, expression: str) -> float | None:
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
