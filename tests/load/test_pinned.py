"""Nothing in the load generator's process connects to where the load was not allowed."""

import subprocess
import sys

import pytest

#: Whatever way is taken, the destination is 127.0.0.1 and nothing else was allowed.
WAYS = {
    "connect": "s = socket.socket(); s.settimeout(1); s.connect((host, 9))",
    "connect_ex": "s = socket.socket(); s.settimeout(1); s.connect_ex((host, 9))",
    "create_connection": "socket.create_connection((host, 9), timeout=1)",
    "sendto": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (host, 9))",
    "gethostbyname_ex": "print(socket.gethostbyname_ex(host))",
    "urllib": "import urllib.request as u; u.urlopen(f'http://{host}:9/', timeout=1)",
}
PINNED = """
from gevent import monkey
monkey.patch_all()
import socket, sys
from bpdemo.load.destination import destination_of
from bpdemo.load.generator.pinned import pin
pin(destination_of("http://127.0.0.1:9", False))
host = sys.argv[1]
try:
    {way}
except ConnectionRefusedError:
    print("went out")
except OSError as error:
    print("stopped:", error)
else:
    print("went out")
"""


def outcome(way: str, host: str) -> str:
    source = PINNED.format(way=WAYS[way])
    done = subprocess.run(
        [sys.executable, "-c", source, host], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_a_foreign_address_is_not_connected_to(way):
    """A bare address needs no look-up, and is stopped all the same. (192.0.2.1 is nobody's.)"""
    assert "stopped:" in outcome(way, "192.0.2.1")


@pytest.mark.parametrize("way", ["connect", "create_connection", "sendto"])
def test_this_machine_is_reached(way):
    """Nobody listens there, which is as far as a connection can come."""
    assert outcome(way, "127.0.0.1").strip() == "went out"
