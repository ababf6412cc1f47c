"""Nothing is left running."""

from bpdemo.lab.live.ticker import stop_tickers
from bpdemo.lab.services.durable_workers import stop_workers
from bpdemo.lab.services.service import stop_services
from bpdemo.load.loads import stop_loads


def stop_all() -> None:
    """End every cockpit, load, durable worker and service of this kernel.

    Safe to call twice, and at any time. It also holds when the kernel ends, however it ends:
    services in threads end with it, and every process of ours watches a pipe from it.
    """
    stop_tickers()
    stop_loads()
    stop_workers()
    stop_services()
