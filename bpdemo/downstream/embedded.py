"""A real PostgreSQL with nothing but pip, gone when its owner is gone, however that ended."""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from bpdemo.core.environment import PACKAGE_PARENT, own_environment
from bpdemo.core.errors import SettingsInvalid
from bpdemo.downstream.folder import make_folder, postmaster, remove

START_S = 30.0
#: How long a guardian may take to remove everything before we do it ourselves.
GUARDIAN_S = 2.5
#: Windows knows no sessions; elsewhere the flag is 0, which is none.
NEW_PROCESS_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class EmbeddedUnavailable(SettingsInvalid):
    """PostgreSQL cannot run here; says why."""

    def __init__(self, why: str) -> None:
        super().__init__("store", f"no embedded PostgreSQL on this machine: {why}")


class EmbeddedPostgres:
    """One server in a fresh folder, watched by a guardian process."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.dsn = ""
        self._guardian: subprocess.Popen[bytes] | None = None

    @property
    def guardian_pid(self) -> int | None:
        return self._guardian.pid if self._guardian else None

    @property
    def postmaster_pid(self) -> int | None:
        """The running server's first process; None while there is none."""
        process = postmaster(self.folder) if self.folder else None
        return None if process is None else int(process.pid)

    async def start(self) -> str:
        """The address of a server that takes connections. Raises `EmbeddedUnavailable`."""
        try:
            self.folder = make_folder()
            self._guardian = _launch_guardian(self.folder)
            async with asyncio.timeout(START_S):
                self.dsn = await asyncio.to_thread(_first_words, self._guardian)
        except (OSError, TimeoutError) as error:
            await self.stop()
            raise EmbeddedUnavailable(str(error) or "it does not start in time") from error
        except BaseException:
            await self.stop()
            raise
        return self.dsn

    async def stop(self) -> None:
        """Stop the server and remove its folder; does so itself if the guardian is gone.

        Once begun it goes on to the end, also when cancelled.
        """
        guardian, self._guardian = self._guardian, None
        if self.folder is not None:
            await asyncio.to_thread(_end, guardian, self.folder)


def _launch_guardian(folder: Path) -> "subprocess.Popen[bytes]":
    # A session of its own: an interrupt meant for the owner must not end the guardian.
    return subprocess.Popen(
        [sys.executable, "-m", "bpdemo.downstream.guardian", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=PACKAGE_PARENT, env=own_environment(),
        start_new_session=sys.platform != "win32", creationflags=NEW_PROCESS_GROUP,
    )  # fmt: skip


def _first_words(guardian: "subprocess.Popen[bytes]") -> str:
    assert guardian.stdout is not None
    line = guardian.stdout.readline()
    if not line:
        raise EmbeddedUnavailable("its guardian ended without a word")
    said: dict[str, str] = json.loads(line)
    if "error" in said:
        raise EmbeddedUnavailable(said["error"])
    return said["dsn"]


def _end(guardian: "subprocess.Popen[bytes] | None", folder: Path) -> None:
    if guardian is not None:
        assert guardian.stdin is not None
        assert guardian.stdout is not None
        with suppress(OSError):
            guardian.stdin.close()
        try:
            guardian.wait(GUARDIAN_S)
        except subprocess.TimeoutExpired:
            guardian.kill()
            guardian.wait()
        guardian.stdout.close()
    remove(folder)
