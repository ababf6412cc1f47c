"""`--host`, as people write it."""

import socket

import pytest

from bpdemo.api.admin import is_loopback
from bpdemo.assembly.listening import address_meant
from bpdemo.core.errors import SettingsInvalid
from tests.support.command import Run

HERE = ["127.0.0.1", "127.1", "localhost", "localhost.", "LOCALHOST", " 127.0.0.1 ", "2130706433"]


@pytest.mark.parametrize("host", HERE)
def test_every_spelling_of_this_machine_is_this_machine(host):
    """Nobody needs a token for it."""
    assert address_meant(host) == "127.0.0.1"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"])
def test_ipv6_has_its_spellings_too(host):
    """With the brackets of a URL, and without."""
    assert is_loopback(address_meant(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "0"])
def test_what_reaches_further_is_not_taken_for_it(host):
    """An empty host is every address, as ever."""
    assert not is_loopback(address_meant(host))


@pytest.mark.parametrize(
    "host",
    [
        "no-such-host.invalid",
        " ",
        "\t\n",
        "bad host",
        "[::1",
        "::1]",
        "1.2.3.4.5",
        "x" * 300,
        "a..b",
        "ü" * 80,
    ],
)
def test_a_host_that_nobody_knows_is_its_own_fault(host, run: Run):
    """Not the port's: one line that names the option, exit code 2."""
    with pytest.raises(SettingsInvalid) as caught:
        address_meant(host)
    assert caught.value.field == "host"
    code, out, err = run("serve", "--port", 0, "--host", host)
    assert (code, out) == (2, "")
    assert err.startswith("bpdemo: --host: ")
    assert err.count("\n") == 1


def test_an_address_of_another_machine_is_the_hosts_fault(run: Run, monkeypatch):
    """It is a host, but not here."""
    monkeypatch.setenv("BPDEMO_ADMIN_TOKEN", "a-token-of-some-length")
    code, _, err = run("serve", "--port", 0, "--host", "192.0.2.1")
    assert code == 2
    assert err.startswith("bpdemo: --host: cannot listen on 192.0.2.1:0: ")
