"""More callers than descriptors: some are told so, nobody waits, and the log stays short."""

import resource
import socket
import struct
import sys
from pathlib import Path

import pytest

from bpdemo.api.connection.descriptors import MOST_DESCRIPTORS, descriptor_limit, reachable_limit
from bpdemo.api.connection.open_connections import RESERVE, OpenConnections, capacity_within
from bpdemo.api.server import BACKLOG
from tests.support.http import BODY, STUCK
from tests.support.server import Command, ServerThread, Wire, server
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")


@pytest.fixture
def small():
    """Room for ten connections, and a worker that is busy for ever."""
    with server(**STUCK) as thread:
        limit(thread, 10)
        yield thread


def limit(thread: ServerThread, capacity: int) -> None:
    thread.server.crowd.capacity = capacity


def idle(thread: ServerThread) -> Wire:
    """A kept connection that has had its answer."""
    wire = thread.connect()
    assert wire.ask("GET", "/healthz").status == 200
    return wire


def test_the_longest_idle_makes_room(small):
    """Newcomers are served as ever; those that said nothing for longest are closed, in turn."""
    wires = [idle(small) for _ in range(10)]
    assert wires[0].ask("GET", "/healthz").status == 200  # which makes it the youngest
    for number in range(3):
        wires.append(idle(small))
        assert wires[number + 1].is_closed(within_s=1)
    assert wires[0].ask("GET", "/healthz").status == 200
    figures = wires[0].ask("GET", "/stats").json()["connections"]
    assert figures == {"open": 10, "capacity": 10, "turned_away": 0}


def test_silent_newcomers_are_idle_too(small):
    """Anyone who connects and says nothing holds no place against one who asks."""
    silent = [small.connect() for _ in range(30)]
    for _ in range(10):
        assert small.ask("GET", "/healthz").status == 200
    assert silent[0].is_closed(within_s=1)


def test_with_none_idle_the_newcomer_is_told(small):
    """503 `concurrency_limit` with Retry-After, at once; and those inside are not disturbed."""
    working = small.fill()
    reading = [small.connect() for _ in range(2)]
    for wire in reading:
        wire.send(b"POST /orders HTTP/1.1\r\nHost: a\r\n")
    crowd = small.server.crowd
    eventually(lambda: (crowd.open, len(crowd.idle)) == (3, 0))
    limit(small, 3)
    for _ in range(50):
        with small.connect() as wire:
            wire.request("GET", "/healthz")
            reply = wire.reply()
            assert (reply.status, reply.json()["reason"]) == (503, "concurrency_limit")
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.closes
            assert wire.is_closed()
    reading[0].hang_up()
    eventually(lambda: crowd.open == 2)
    assert small.ask("GET", "/stats").json()["connections"]["turned_away"] == 50
    assert not working.hears_something(within_s=0)


@pytest.fixture
def taken(small):
    """Its one place is taken."""
    small.fill()
    eventually(lambda: small.server.crowd.open == 1)
    limit(small, 1)
    yield small
    limit(small, 10)


def test_more_newcomers_than_there_is_spare_do_not_pile_up(taken):
    """Those that are told so are few at any time, however many come and stay."""
    crowd, state = taken.server.crowd, taken.server.server_state
    wires = [taken.connect() for _ in range(100)]
    eventually(lambda: crowd.turned_away == 100)
    eventually(lambda: len(state.connections) <= 1 + crowd._spare)
    for wire in wires[:50]:
        assert wire.is_closed(within_s=3)


def test_one_who_says_nothing_is_told_nevertheless(taken):
    """A newcomer for whom there is no room has a second to ask."""
    with taken.connect() as wire:
        reply = wire.reply()
        assert (reply.status, reply.json()["reason"]) == (503, "concurrency_limit")


def test_a_half_closed_caller_gives_way_to_one_who_is_there():
    """Where nobody heeds a hang-up those who left wait for answers that nobody takes."""
    with server(**STUCK, drop_on_disconnect=False) as thread:
        leaver, crowd = thread.fill(), thread.server.crowd
        leaver._socket.shutdown(socket.SHUT_WR)
        eventually(lambda: len(crowd.half_closed) == 1)
        busy = thread.connect()
        busy.send(b"GET /healthz HTTP/1.1\r\n")
        eventually(lambda: (crowd.open, len(crowd.idle)) == (2, 0))
        limit(thread, 2)
        assert thread.ask("GET", "/healthz").status == 200
        assert leaver.is_closed(within_s=1)
        limit(thread, 10)
        assert thread.books["running"] == 1


class Guest:
    def __init__(self, crowd: OpenConnections) -> None:
        self.crowd, self.is_cut = crowd, False

    def cut(self) -> None:
        self.is_cut = True


def test_room_is_made_by_those_who_lose_least():
    """The answered first, then the idle, then those that have most likely left."""
    crowd = OpenConnections(3)
    parting, sleeper, leaver, newcomer = (Guest(crowd) for _ in range(4))
    for guest in (leaver, sleeper, parting):
        assert crowd.enter(guest)
        del crowd.idle[guest]
    crowd.half_closed[leaver] = crowd.idle[sleeper] = crowd.parting[parting] = None
    for guest in (parting, sleeper, leaver):
        assert crowd.enter(newcomer)
        assert guest.is_cut
        del crowd.idle[newcomer]
        newcomer = Guest(crowd)
    assert not crowd.enter(newcomer)
    assert crowd.open == 3


@pytest.mark.parametrize("descriptors", [1, 16, 64, 256, 1024, 10_240, 20_000, MOST_DESCRIPTORS])
def test_the_capacity_leaves_room_for_other_things(descriptors):
    """At least three in eight where there are few, and 10,000 wherever the limit allows."""
    capacity = capacity_within(descriptors)
    assert capacity >= 1
    assert capacity >= descriptors * 3 // 8
    assert descriptors < 64 or descriptors - capacity >= 40
    assert descriptors < 10_000 + RESERVE or capacity >= 10_000
    assert capacity_within(descriptors, 1000) <= capacity


@pytest.mark.skipif(sys.platform != "linux", reason="tells it only there")
def test_the_kernel_holds_a_spike():
    """However few are let in at once, the backlog is 2,048."""
    with server() as thread:
        assert thread.server.config.backlog < 20
        (listener,) = thread.server.servers[0].sockets
        # Of a listening socket the kernel tells its backlog in the place of tcpi_sacked.
        told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
        backlog = struct.unpack("8B6I", told)[-1]
        assert backlog == min(BACKLOG, int(Path("/proc/sys/net/core/somaxconn").read_text()))


def test_serve_takes_the_descriptors_that_it_may():
    """A soft limit that is too low is raised; the capacity stands in /stats."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert reachable_limit() >= descriptor_limit()
    under = ("prlimit", f"--nofile=256:{hard}")
    with Command("serve", "--port", "0", under=under) as command, Wire(command.port()) as wire:
        figures = wire.ask("GET", "/stats").json()["connections"]
        assert figures["capacity"] == capacity_within(reachable_limit())
        command.signal()
        assert command.wait() == 0


def test_out_of_descriptors_everybody_is_answered_and_the_log_is_short():
    """64 of them, 120 connections that say nothing: others are served meanwhile."""
    under = ("prlimit", "--nofile=64:64")
    with Command("serve", "--port", "0", under=under) as command:
        port = command.port()
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(120)]
        try:
            for _ in range(20):
                with Wire(port) as wire:
                    assert wire.ask("GET", "/healthz").status == 200
                with Wire(port) as wire:
                    assert wire.ask("POST", "/orders", BODY).status == 201
        finally:
            for each in silent:
                each.close()
        command.signal()
        assert command.wait() == 0
        assert len(command.stderr.splitlines()) < 60
