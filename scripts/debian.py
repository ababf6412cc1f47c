"""A small Debian in a folder, by debootstrap: what `bare_machine.py` and `image.py` run in.

It is made once and kept as an archive, build/debian/trixie.tar; each use unpacks a fresh one. What
runs in it has namespaces of its own for mounts and processes, so that nothing stays mounted and
nothing goes on once it is over, however it ended.

What this machine is told about the package index reaches it as variables, and is written nowhere.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import lab  # noqa: E402

RELEASE: Final = "trixie"
PACKAGES: Final = ("python3", "python3-venv", "make")
KEPT: Final = ROOT / "build" / "debian"
#: Where Debian has them, if the script's name is another than the package's.
PACKAGE_OF: Final = {"unshare": "util-linux"}
#: What of pip's settings is about this machine and its user, and of no use to another.
NOT_HANDED_ON: Final = ("cache-dir", "keyring-provider")
PROXIES: Final = ("http_proxy", "https_proxy", "no_proxy")


class Cannot(Exception):
    """In a sentence, what is missing here."""


class Failed(Exception):
    """What was tried here did not do what it should; how it ended."""


def exit_code(name: str, attempt: Callable[[], object]) -> int:
    """That of the script `name`. 0: it did what it should. 1: it did not. 2: it cannot be tried."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and tidy up on the way
    try:
        attempt()
    except (Cannot, Failed) as why:
        print(f"{name}: {why}", file=sys.stderr)
        return 2 if isinstance(why, Cannot) else 1
    return 0


def needs(what_for: str, *programs: str) -> None:
    """Raise `Cannot` unless this is Linux, this is root, and the programs are here."""
    if sys.platform != "linux":
        raise Cannot(f"{what_for} needs Linux, and this is {sys.platform}")
    if os.geteuid():
        raise Cannot(f"{what_for} needs root: devices are made, and folders mounted; use sudo")
    for name in programs:
        if shutil.which(name) is None:
            package = PACKAGE_OF.get(name, name)
            raise Cannot(
                f"there is no {name} on this machine, which {what_for} needs; "
                f"Debian and Ubuntu have it: apt-get install {package}"
            )


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """An empty folder build/`name`, removed afterwards; and whatever a killed run has left there.

    `Cannot` while another run is at work in it."""
    import fcntl  # Windows has none, and is to be told so in a sentence

    folder = ROOT / "build" / name
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise Cannot(f"another run is at work in {folder}") from why
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def archive(mirror: str = "") -> Path:
    """The archive with a Debian that has nothing but Python, its venv and make; made if need be.

    From that mirror, or the one that debootstrap takes by itself."""
    kept = KEPT / f"{RELEASE}.tar"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with workplace("debootstrap") as folder:
            packed = folder / "packed.tar"
            done = subprocess.run(
                in_private(
                    f"""debootstrap --variant=minbase --include={",".join(PACKAGES)} {RELEASE} \
                    {shlex.quote(str(folder / "root"))} {mirror and shlex.quote(mirror)} &&
                    tar -C {shlex.quote(str(folder / "root"))} --one-file-system \
                    --exclude './var/cache/apt/archives/*.deb' --exclude './var/lib/apt/lists/*' \
                    -cf {shlex.quote(str(packed))} ."""
                ),
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-3:])
                raise Cannot(f"debootstrap could not make a Debian {RELEASE}:\n{last}")
            packed.rename(kept)
    return kept


def unpack(packed: Path, into: Path) -> Path:
    into.mkdir()
    subprocess.run(["tar", "-C", str(into), "-xf", str(packed)], check=True)
    return into


def in_private(script: str) -> list[str]:
    """The command that runs a shell script in namespaces of its own: its mounts are seen nowhere
    else, and when its first process ends, all of them do."""
    # The shell stays the first process: as such, make would not end on Ctrl-C.
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return [*alone, "sh", "-c", f"{script}\nexit $?"]


def as_user(root: Path, user: str, command: str, places: Iterable[Path] = ()) -> list[str]:
    """The command that runs another one as `user` in a root, with those places of this machine."""
    at = shlex.quote(str(root))
    lines = ["set -e", f"mount -t proc proc {at}/proc", f"mount -t tmpfs shm {at}/dev/shm"]
    for place in places:
        source, target = shlex.quote(str(place)), shlex.quote(f"{root}{place}")
        make = f"mkdir -p {target}"
        if place.is_file():
            make = f"mkdir -p $(dirname {target}) && touch {target}"
        lines += [make, f"mount --bind {source} {target}", f"mount -o remount,bind,ro {target}"]
    chroot = shutil.which("chroot") or "/usr/sbin/chroot"  # not in the user's own path
    lines.append(f"{chroot} --userspec={user}:{user} {at} sh -c {shlex.quote(command)}")
    return in_private("\n".join(lines))


def index_settings() -> dict[str, str]:
    """How pip reaches the package index on this machine, by its settings' names."""
    told = lab.reaching_settings()
    return {name: value for name, value in told.items() if name not in NOT_HANDED_ON}


def as_variables(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """These settings as variables for pip, and the proxies of this environment."""
    told = {"PIP_" + name.upper().replace("-", "_"): value for name, value in settings.items()}
    return told | {name: v for name, v in environment.items() if name.lower() in PROXIES}


def places_of(settings: Mapping[str, str]) -> list[Path]:
    """The files and folders of this machine that these settings name."""
    found: dict[Path, None] = {}
    for name, value in settings.items():
        for word in value.split():
            address = urlsplit(word)
            path = Path(address.path if address.scheme == "file" else word)
            if address.scheme in {"", "file"} and path.is_absolute() and path.exists():
                # An index that is a folder names files that lie beside it.
                found[path.parent if name.endswith("index-url") else path] = None
    return list(found)
