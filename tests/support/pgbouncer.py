"""Debian's PgBouncer in front of the tests' PostgreSQL."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import pytest

from bpdemo.downstream.embedded import EmbeddedPostgres
from tests.support.postgres import connected
from tests.support.processes import free_port

CONFIG = """
[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 3
max_client_conn = 100
logfile =
pidfile =
{more}
"""
#: How a careless administrator lets clients in that set something: what they set is lost.
FORGETFUL = (
    "ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout,"
    "default_transaction_isolation,extra_float_digits"
)


@contextmanager
def pgbouncer(
    folder: Path, host: str, *, mode: str = "transaction", more: str = ""
) -> Iterator[str]:
    """The URL of the server's databases through a pooler, less their name; `host` is the folder of
    the server's socket."""
    port = free_port()
    config = folder / "pgbouncer.ini"
    text = CONFIG.format(host=host, port=port, mode=mode, more=more)
    config.write_text(text, "utf-8")
    user = []
    if os.geteuid() == 0:  # which it refuses to run as; the socket's folder is its server's own
        owner = pwd.getpwuid(Path(host).stat().st_uid)
        user = ["-u", owner.pw_name] if owner.pw_uid else []
        for path in (config, *folder.parents):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    process = subprocess.Popen(
        ["pgbouncer", "-q", *user, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _await(port, process)
        yield f"postgresql://postgres@127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up_s = time.monotonic() + 10
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            pytest.fail(f"pgbouncer ended: {process.communicate()[1].decode()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    pytest.fail("pgbouncer does not listen")


@pytest.fixture(scope="session")
def pooler(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One with three connections to the server, each for the length of a transaction."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("no pgbouncer binary in PATH")
    with pgbouncer(tmp_path_factory.mktemp("pgbouncer"), str(postgres_server.folder)) as url:
        yield url


@pytest.fixture
async def fresh_database(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The name of an empty one. A schema would not do: PgBouncer lets nobody choose it."""
    name = f"pooled_{token_hex(4)}"
    async with connected(postgres_server.dsn) as admin:
        await admin.execute(f"CREATE DATABASE {name}")
    yield name
    async with connected(postgres_server.dsn) as admin:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pooled_url(pooler: str, fresh_database: str) -> str:
    return f"{pooler}{fresh_database}?sslmode=disable"


@pytest.fixture
async def direct_url(postgres_server: EmbeddedPostgres, fresh_database: str) -> str:
    """The same database with nothing between."""
    return postgres_server.dsn.replace("/postgres?", f"/{fresh_database}?")
