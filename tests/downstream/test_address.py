"""A connection goes by its URL, whatever `PG*` variables and files say of other databases."""

import os
import stat
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.address import connection_arguments
from bpdemo.downstream.embedded_store import EmbeddedStore
from bpdemo.downstream.postgres import PoolPolicy, PostgresStore
from tests.downstream.orders import an_order
from tests.downstream.stage import PATIENT, STOCK, started
from tests.support.policies import usual

HOSTILE = {
    "PGHOST": "192.0.2.1",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "not-a-port",
    "PGUSER": "somebody",
    "PGPASSWORD": "wrong",
    "PGDATABASE": "another",
    "PGPASSFILE": "/no/such/file",
    "PGSERVICE": "another",
    "PGSERVICEFILE": "/no/such/file",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/no/such/file",
    "PGSSLCERT": "/no/such/file",
    "PGSSLNEGOTIATION": "direct",
    "PGTARGETSESSIONATTRS": "standby",
    "PGKRBSRVNAME": "another",
    "PGGSSLIB": "another",
    "PGOPTIONS": "-c search_path=another",
    "PGCONNECT_TIMEOUT": "0",
    "PGDATA": "/no/such/folder",
    "PGTZ": "Mars",
    "PGCLIENTENCODING": "LATIN1",
}
URLS = (
    "postgresql://",
    "postgres://u:p@127.0.0.1/d?sslmode=disable",
    "postgresql://u:p%40w@h:5433/d?application_name=x&statement_timeout=5",
    "postgresql:///d?host=/tmp/x&user=me",
    "postgresql://u@h1:1,h2,h3:7/d?target_session_attrs=read-write",
    "postgresql://u@[::1]:99/d",
    "postgresql://u@/d?host=h1:1,h2&port=5,6",
    "postgresql://u@h:6/d?port=5",
    "postgresql://u@h?dbname=x&password=y",
    "postgresql://u@%2Ftmp%2Fsock/d",
)
#: The stubs leave out what is private.
CONNECT: Any = asyncpg.connect_utils

ABSENT = dict.fromkeys(
    (
        *("host", "port", "user", "password", "passfile", "database", "ssl", "service"),
        *("servicefile", "direct_tls", "server_settings", "target_session_attrs", "krbsrvname"),
        "gsslib",
    )
)


@pytest.fixture
def nothing_set(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "me")
    return tmp_path


@pytest.fixture
def hostile(nothing_set, monkeypatch):
    """Every variable of libpq, and the files that it reads in a home."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    passwords = nothing_set / ".pgpass"
    passwords.write_text("*:*:*:*:wrong\n", "utf-8")
    passwords.chmod(stat.S_IRUSR | stat.S_IROTH)  # of which asyncpg warns


def meant(url: str) -> tuple[object, ...]:
    """What asyncpg itself makes of it."""
    where, how = CONNECT._parse_connect_dsn_and_args(**{**ABSENT, "dsn": url})
    return (where, how.user, how.password or "", how.database, how.sslmode, how.ssl_negotiation,
            how.server_settings, how.target_session_attrs, how.gsslib)  # fmt: skip


def given(url: str) -> tuple[object, ...]:
    """The same for what we give it."""
    where, how = CONNECT._parse_connect_dsn_and_args(**ABSENT | connection_arguments(url))
    return (where, how.user, how.password or "", how.database, how.sslmode, how.ssl_negotiation,
            how.server_settings, how.target_session_attrs, how.gsslib)  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_url_means_what_it_means_where_nothing_is_set(url, nothing_set):
    """Our reading of a URL is the driver's own."""
    assert given(url) == meant(url)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("url", [URLS[1], URLS[3]])
def test_no_variable_changes_what_it_means(name, url, nothing_set, monkeypatch):
    """One after another, so that none hides behind another. Over a network and by a socket."""
    meaning = meant(url)
    monkeypatch.setenv(name, HOSTILE[name])
    assert given(url) == meaning


async def test_the_embedded_server_is_found_where_it_is(hostile):
    """By the service that started it, and by others that join by its address."""
    store = EmbeddedStore(usual(PoolPolicy), STOCK, SilentObserver())
    await store.start()
    try:
        async with started(store.dsn) as other:
            order = an_order()
            await other.place(order)
            assert await store.find_order(order.id) == order
    finally:
        await store.stop()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@/d?host=h1,h2,h3&port=1,2",
        "postgresql://u@[::1/d",
        "postgresql://u@h:port/d",
        "postgresql://u@h/d?broken",
        "mysql://u@h/d",
        "",
    ],
)
async def test_what_is_no_url_is_said_before_anything_is_asked(url, nothing_set):
    """One line, with the setting's name."""
    with pytest.raises(SettingsInvalid, match="is not a PostgreSQL URL"):
        await PostgresStore(url, PATIENT, STOCK, SilentObserver()).start()


async def test_a_process_without_a_name_needs_a_user_in_the_url(nothing_set, monkeypatch):
    """As in a container whose user has no entry: one line, no traceback."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert connection_arguments("postgresql://u@h/d")["user"] == "u"
    with pytest.raises(SettingsInvalid, match="database_url"):
        await PostgresStore("postgresql://h/d", PATIENT, STOCK, SilentObserver()).start()


def test_a_service_file_is_read_where_the_url_asks_for_it(nothing_set, monkeypatch):
    """Then it is meant for us."""
    file = Path(nothing_set, "services")
    file.write_text("[tickets]\nhost=h\nport=7\nuser=u\ndbname=d\n", "utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    assert given("postgresql://?service=tickets")[:4] == ([("h", 7)], "u", "", "d")


def test_asyncpg_is_called_by_nobody_without_these_arguments():
    """A connection that is made by the bare URL would listen to the variables again."""
    assert asyncpg.connect.__name__ == "connect"
    for path in Path(__file__).resolve().parents[2].joinpath("bpdemo").rglob("*.py"):
        text = path.read_text("utf-8")
        calls = text.count("asyncpg.connect(") + text.count("asyncpg.create_pool(")
        made = text.count("connection_arguments(") - text.count("def connection_arguments(")
        assert calls == made, path
