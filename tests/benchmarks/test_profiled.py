"""The profile of an order: what is ours is not told as the server's."""

from uvicorn.protocols.http import httptools_impl

from benchmarks.profiled import Sampler
from bpdemo.api import body, door
from bpdemo.api.connection import wire
from bpdemo.telemetry import logs, metrics


def test_each_part_has_a_name_of_its_own():
    """Our connection, too, which the peer's server does without."""
    parts = (httptools_impl, wire, door, body, logs, metrics)
    told = [Sampler()._section_of(part.__file__) for part in parts]
    assert all(told)
    assert len(set(told)) == len(parts)
