"""Nothing is left running."""

from bpdemo.lab.durable_workers import stop_workers
from bpdemo.lab.loads import stop_loads
from bpdemo.lab.service import stop_services
from bpdemo.lab.ticker import stop_tickers


def stop_all() -> None:
    """End every cockpit, load, durable worker and service of this kernel.

    Safe to call twice, and at any time. It also holds when the kernel ends, however it ends:
    services in threads end with it, and every process of ours watches a pipe from it.
    """
    stop_tickers()
    stop_loads()
    stop_workers()
    stop_services()
