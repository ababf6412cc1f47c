"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

#: No other file may stand beside it, or take its place: it can be a single file of a container.
IN_PLACE: Final = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EXDEV, errno.EROFS)


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file, then rename: what was there stays until the new one is complete.

    A pipe or a device is written to as it is, and so is a file whose folder takes no other. Raises
    OSError; then nothing was changed but in those two cases.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    beside = target.with_name(f".{target.name[:80]}.{token_hex(4)}.part")
    try:
        try:
            _write(beside, data)
            with suppress(OSError):  # a new file has the usual rights
                beside.chmod(target.stat().st_mode & 0o7777)
            os.replace(beside, target)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in IN_PLACE or not target.exists():
            # Of the file that was asked for: nobody knows the one beside it.
            raise OSError(error.errno, error.strerror, str(path)) from None
        target.write_bytes(data)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # some file systems tell only now that they are full
