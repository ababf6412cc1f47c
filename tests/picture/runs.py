"""Runs whose labels are short and long, many and few, and stand in each other's way."""

import numpy as np

from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples


def run_of(
    offered_per_s: int = 400,
    *,
    capacity_per_s: float | None = 190.0,
    workers: int = 8,
    places: int = 32,
    client_timeout_s: float = 0.5,
    fates: tuple[int, ...] = (OK, LATE, SHED, FAILED),
    tries: int = 1,
    latency_s: float = 0.2,
    turned_to: float | None = None,
    name: str = "protected",
) -> LoadRun:
    """Ten seconds, the fates in turn, a queue that fills up to its capacity."""
    t_s = np.arange(offered_per_s * 10) / offered_per_s
    fate = np.resize(fates, len(t_s))
    look = np.arange(0, 10, 0.5)
    same = np.ones_like(look)
    depth = look * (places if places > 0 else 1000) / 10
    samples = [look, depth, same * places, same * workers, same * workers, same * 0, same * 0]
    meta = Meta(
        name=name,
        capacity_per_s=capacity_per_s,
        rate_per_s=offered_per_s,
        client_timeout_s=client_timeout_s,
        turns=() if turned_to is None else ((5.0, turned_to),),
    )
    attempt_t_s = np.repeat(t_s, tries)
    each = np.full(len(t_s), tries)
    latencies = np.full(len(t_s), latency_s)
    records = Records.of(t_s, latencies, fate, attempts=each, attempt_t_s=attempt_t_s)
    return LoadRun(records, Samples.of(np.column_stack(samples)), meta)


RUNS = {
    "usual": run_of(),
    "calm": run_of(90, fates=(OK,), latency_s=0.04),
    "far beyond": run_of(9000, fates=(SHED, LATE)),
    "a storm": run_of(4000, tries=4, fates=(LATE,)),
    "retries alone": run_of(150, tries=4, fates=(OK, LATE)),
    "large": run_of(2000, workers=1024, places=100_000, capacity_per_s=23_810.0),
    "larger than planned": run_of(900, turned_to=99_999.0),
    "no limit, slow": run_of(places=-1, client_timeout_s=123.45, latency_s=99.9),
    "all in one place": run_of(places=8, client_timeout_s=0.2, latency_s=0.2),
    "at the top": run_of(246, fates=(OK,) * 49 + (SHED,)),
    "of no known capacity": run_of(capacity_per_s=None, name="somebody else's"),
}
