"""What the doctor looks at on the disk: may one write, and is there room?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from bpdemo.cli.doctor.finding import Finding
from bpdemo.lab.home import NoHome, home

DISK_WARN_BYTES: Final = 1_000_000_000
DISK_FAIL_BYTES: Final = 200_000_000


def write_access() -> Finding:
    mend = "work in a folder of your own, and set BPDEMO_HOME to one you may write to"
    try:
        refused = [f"{folder} ({why})" for folder in _folders() if (why := _cannot_write(folder))]
    except NoHome as error:
        return Finding("write access", "FAIL", str(error), mend)
    if refused:
        return Finding("write access", "FAIL", f"none to {'; '.join(refused)}", mend)
    return Finding("write access", "ok", " and ".join(map(str, _folders())))


def _folders() -> tuple[Path, Path]:
    return Path.cwd(), home()


def _cannot_write(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        return error.strerror or str(error)
    return ""


def disk_space() -> Finding:
    free = min(shutil.disk_usage(place).free for place in (Path.cwd(), tempfile.gettempdir()))
    seen = f"{free / 1e9:,.1f} GB free"
    mend = "make room: PostgreSQL and the reports need some hundred MB"
    if free < DISK_FAIL_BYTES:
        return Finding("disk space", "FAIL", seen, mend)
    if free < DISK_WARN_BYTES:
        return Finding("disk space", "warn", seen, mend)
    return Finding("disk space", "ok", seen)
