"""A file is replaced by a whole one, or stays as it was."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bpdemo.core.whole_file import write_whole

#: Writes a megabyte where the system takes a thousand bytes: as on a disk that is full.
FILL_UP = """
import resource, sys
from pathlib import Path
from bpdemo.core.whole_file import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_whole(Path(sys.argv[1]), b"x" * 1_000_000)
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("before", [None, b"the old result"])
def test_a_disk_that_fills_up_leaves_what_was_there(before, tmp_path):
    """The error is told, the old file is whole, and nothing is left beside it."""
    path = tmp_path / "result.json"
    if before is not None:
        path.write_bytes(before)
    ended = subprocess.run(
        [sys.executable, "-c", FILL_UP, str(path)], capture_output=True, text=True, check=False
    )
    assert "OSError: [Errno 27] File too large" in ended.stderr
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before][: before is not None]


def test_the_new_file_takes_the_rights_of_the_old_one(tmp_path):
    """And one that is new gets what any new file gets."""
    old, new, plain = (tmp_path / name for name in ("old", "new", "plain"))
    old.write_bytes(b"1")
    old.chmod(0o640)
    plain.write_bytes(b"1")
    for path in (old, new):
        write_whole(path, b"2")
        assert path.read_bytes() == b"2"
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert os.name == "nt" or stat.S_IMODE(old.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old", "plain"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_goes_on_leading_to_its_file(tmp_path):
    """Somebody keeps results elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "result"
    link.symlink_to(tmp_path / "elsewhere" / "result")
    write_whole(link, b"1")
    write_whole(link, b"2")
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "result").read_bytes() == b"2"


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_a_device_is_written_to_as_it_is():
    """And goes on being one."""
    write_whole(Path("/dev/null"), b"1")
    with pytest.raises(OSError, match="No space left"):
        write_whole(Path("/dev/full"), b"1")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_file_that_cannot_be_replaced_is_written_in_place(tmp_path, monkeypatch):
    """Such as a single file that a container was given."""
    path = tmp_path / "mounted"
    path.write_bytes(b"the longer old text")

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "replace", busy)
    write_whole(path, b"new")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"]


def test_a_name_as_long_as_names_may_be_has_room_beside_it(tmp_path):
    """255 bytes: the name beside it must not be longer."""
    path = tmp_path / ("x" * 251 + ".json")[-255:]
    write_whole(path, b"1")
    assert path.read_bytes() == b"1"


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """Not the one that stands beside it for a moment."""
    path = tmp_path / "nowhere" / "run.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"{}")
    assert caught.value.filename == str(path)
