"""How cost grows: with the length of the queue, with open connections, with simulated customers.

*Admission*: a job put and admitted with so many waiting already, and the bytes of each that waits,
the job itself not counted. *Connections*: goodput at twice capacity (two workers of 40 ms), while
so many keep-alive connections are open and used in turn. *Customers*: the same M/M/4/14 at 1.2
times capacity in three simulators, and in ours at 0.9 and 2 times, a second of processor time.
*Accepted orders*: processor time of each, where eight connections order and so many more are open
and ask for nothing, measured in turn. *Memory*: resident memory of the server, for each of 10,000
connections that are idle, and for each of as many whose orders wait in the queue. What they can
take is bounded by `queue_capacity` and by the files that the process may open.
simpy and ciw simulate a queue, in the words of their documentation; bpdemo carries each customer
through its own code for gate, intake, ledger, books, breaker, budget, payment and store; metrics
and logs are left out.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from dataclasses import replace
from functools import partial

from benchmarks.flood import AGAIN, Load
from benchmarks.held_open import held_open, kib_of_each
from benchmarks.measured import Aim, Found, Report, Say, Size, Table, interleaved, ratio
from benchmarks.peers import SERVICE_S, WORKERS
from benchmarks.servers import Came, closed_loop, flood, ours, spoilt_note
from bpdemo.assembly.slices import tuning
from bpdemo.core.settings import Settings
from bpdemo.flow.queue import BoundedQueue
from bpdemo.lab.services.simulation import simulate

DEPTHS = (10, 1_000, 100_000)
CONNECTIONS = (10, 100, 1_000, 10_000)
IDLE = (10, 10_000)
ORDERING = 8
#: In less time a server that has just taken so many connections may answer nobody.
LEAST_S = 0.5
ARRIVAL_PER_S, SERVICE_PER_S, SERVERS, PLACES = 120.0, 25.0, 4, 14
#: With the workers fewer places than the fewest connections: there must be one to be refused on.
SMALL_ROOM = 4
OURS = "bpdemo"
#: Below capacity nobody is refused, far above it most are: the one costs more, the other less.
OTHER_TIMES = (0.9, 2)


def measure(size: Size, say: Say) -> Found:
    admissions = _admissions(size, say)
    connected = _connections(size, say)
    beside_idle = _beside_idle(size, say)
    taken_kib = _memory(say)
    customers = _customers(size, say)
    deep, shallow = f"{DEPTHS[-1]:,} waiting", f"{DEPTHS[0]:,} waiting"
    memory = {f"{depth:,} waiting": [_bytes_a_job(depth)] for depth in DEPTHS}
    return Found(
        Report(
            title="How cost grows",
            what=__doc__ or "",
            logs="on for the connections, off for the rest",
            tables=[
                Table(
                    title="Admission",
                    columns=["ns a job", "bytes a waiting job"],
                    rows={name: [admissions[name], memory[name]] for name in admissions},
                ),
                Table(
                    title="Open connections, at twice capacity",
                    columns=["served in time, share of capacity", "p99 of those served, ms"],
                    rows={name: _row(rounds) for name, rounds in connected.items()},
                ),
                Table.of_one("Accepted orders", "CPU time, µs an order", beside_idle),
                Table.of_one("Memory of the server", "KiB of each", taken_kib),
                Table.of_one("Simulated customers", "customers a second", customers),
            ],
            aims=[
                Aim(
                    text="admission with 100,000 waiting takes as long as with 10 (within 1.5)",
                    values=ratio(admissions, deep, shallow),
                    at_most=1.5,
                ),
                Aim(
                    text="an accepted order beside 10,000 idle connections costs as much as "
                    "beside 10 (within 1.1)",
                    values=ratio(beside_idle, *(f"{count:,} idle" for count in reversed(IDLE))),
                    at_most=1.1,
                ),
                Aim(
                    text="18,000 simulated customers a second through the service's own code",
                    values=customers[OURS],
                    at_least=18_000,
                ),
            ],
            notes=spoilt_note(connected),
        )
    )


def _admissions(size: Size, say: Say) -> dict[str, list[float]]:
    jobs = max(100, size.calls // 4)
    timed = {f"{depth:,} waiting": partial(_admission_ns, depth, jobs) for depth in DEPTHS}
    return interleaved(timed, 2 * size.rounds + 1, say)


def _admission_ns(depth: int, jobs: int) -> float:
    queue = _queue_of(depth, room=depth + jobs)
    began_ns = time.perf_counter_ns()
    for job in range(depth, depth + jobs):
        queue.try_put(job)
    return (time.perf_counter_ns() - began_ns) / jobs


def _bytes_a_job(depth: int) -> float:
    jobs = list(range(depth))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    queue = _queue_of(0, room=depth)
    for job in jobs:
        queue.try_put(job)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / depth


def _queue_of(depth: int, room: int) -> BoundedQueue[int]:
    queue: BoundedQueue[int] = BoundedQueue(
        replace(tuning(Settings()).queue, capacity=room),
        idle=lambda: 0,
        clock=time.monotonic,
        on_shed=lambda _job, _waited_s: None,
    )
    for job in range(depth):
        queue.try_put(job)
    return queue


def _connections(size: Size, say: Say) -> dict[str, list[Came]]:
    found: dict[str, list[Came]] = {f"{count:,} open": [] for count in CONNECTIONS}
    # A connection that has not asked yet is given longer than usual: opening them takes a while.
    knobs = {"workers": WORKERS, "queue_capacity": SMALL_ROOM, "payment_latency_s": SERVICE_S}
    with ours(**knobs, store_latency_s=0, read_timeout_s=60) as server:
        for number in range(size.long_rounds):
            for count in CONNECTIONS:
                say(f"round {number + 1} of {size.long_rounds}: {count:,} open connections")
                came = flood(server.port, _at_twice(count, size.seconds, number))
                found[f"{count:,} open"].append(came)
    return found


def _row(rounds: list[Came]) -> list[list[float]]:
    """Of the rounds that count: share of capacity, p99."""
    counted = [came for came in rounds if came.is_valid and came.sold_s]
    return [
        [came.sold_per_s * SERVICE_S / WORKERS for came in counted],
        [came.sold_ms(0.99) or 0.0 for came in counted],
    ]


def _at_twice(connections: int, seconds: float, seed: int) -> Load:
    rate_per_s = 2 * WORKERS / SERVICE_S
    return Load(rate_per_s, seconds + 0.5, seed=seed, connections=connections)


def _beside_idle(size: Size, say: Say) -> dict[str, list[float]]:
    knobs = {"workers": ORDERING, "payment_latency_s": 0, "store_latency_s": 0}
    cpu_us: dict[str, list[float]] = {f"{count:,} idle": [] for count in IDLE}
    with ours(**knobs, read_timeout_s=60) as server:
        closed_loop(server, ORDERING, 0.5)
        for number in range(size.rounds):
            for count in IDLE:
                say(f"round {number + 1} of {size.rounds}: {count:,} idle connections")
                with held_open(server, count):
                    cpu_us[f"{count:,} idle"] += [
                        closed_loop(server, ORDERING, max(LEAST_S, size.burst_s)).cpu_us
                        for _ in range(size.bursts // size.rounds)
                    ]
    return cpu_us


def _memory(say: Say) -> dict[str, list[float]]:
    """Of two servers: what the one has had for its connections it would use again for the other."""
    count = IDLE[-1]
    knobs = {"workers": 1, "payment_latency_s": 600, "store_latency_s": 0, "read_timeout_s": 60}
    waits = {"queue_capacity": count, "request_timeout_s": 0, "attempt_timeout_s": 0}
    found = {}
    for name, asks in {"idle connection": b"", "order that waits": AGAIN}.items():
        say(f"memory: each {name}")
        with ours(**knobs, **waits, drain_timeout_s=0) as server:
            found[name] = [kib_of_each(server, count, asks)]
    return found


def _customers(size: Size, say: Say) -> dict[str, list[float]]:
    customers = max(500, size.calls)
    seconds = customers / ARRIVAL_PER_S
    simulators = {OURS: _ours, "simpy": _simpy, "ciw": _ciw}
    timed = {
        name: partial(_per_s, partial(run, seconds), customers) for name, run in simulators.items()
    }
    for times in OTHER_TIMES:
        rate_per_s = times * SERVERS * SERVICE_PER_S
        run = partial(_ours, customers / rate_per_s, rate_per_s)
        timed[f"{OURS}, {times:g} times capacity"] = partial(_per_s, run, customers)
    return interleaved(timed, size.rounds, say)


def _per_s(run: partial[None], customers: int) -> float:
    began_s = time.process_time()
    run()
    return customers / (time.process_time() - began_s)


def _ours(seconds: float, rate_per_s: float = ARRIVAL_PER_S) -> None:
    settings = {
        "workers": SERVERS,
        "queue_capacity": PLACES - SERVERS,
        "payment_latency_s": 1 / SERVICE_PER_S,
        "payment_latency_distribution": "exponential",
        "store_latency_s": 0.0,
        "request_timeout_s": 0,
        "attempt_timeout_s": 0,
    }
    simulate(settings, rate=rate_per_s, seconds=seconds, client_timeout_s=60)


def _simpy(seconds: float) -> None:
    import simpy

    chance, environment = random.Random(1), simpy.Environment()
    servers = simpy.Resource(environment, SERVERS)

    def customer():  # type: ignore[no-untyped-def]
        with servers.request() as turn:
            yield turn
            yield environment.timeout(chance.expovariate(SERVICE_PER_S))

    def arrivals():  # type: ignore[no-untyped-def]
        while True:
            yield environment.timeout(chance.expovariate(ARRIVAL_PER_S))
            if servers.count + len(servers.queue) < PLACES:
                environment.process(customer())

    environment.process(arrivals())
    environment.run(seconds)


def _ciw(seconds: float) -> None:
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(ARRIVAL_PER_S)],
        service_distributions=[ciw.dists.Exponential(SERVICE_PER_S)],
        number_of_servers=[SERVERS],
        queue_capacities=[PLACES - SERVERS],
    )
    ciw.seed(1)
    ciw.Simulation(network).simulate_until_max_time(seconds)
