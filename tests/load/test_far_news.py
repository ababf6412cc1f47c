"""What who waits for far workers is told: number, noun and verb agree, also where it is one."""

import re
from pathlib import Path

import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.addresses import Address
from bpdemo.load.far_driver import FarDriver
from bpdemo.plan.plan import Plan

FILES = [Path("far_driver.py"), Path("generator", "master.py")]


@pytest.mark.parametrize(
    ("workers", "waits", "joined"),
    [
        (1, "waiting for 1 worker on 127.0.0.1; ", "1 of 1 worker is there: here"),
        (2, "waiting for 2 workers on 127.0.0.1; ", "1 of 2 workers are there: here"),
    ],
)
def test_one_worker_is_one(workers: int, waits: str, joined: str) -> None:
    """From the news alone: no process is started."""
    heard: list[str] = []
    far = FarDriver.__new__(FarDriver)
    far._news, far._senders, far._listen = heard.append, workers, Address("127.0.0.1", 5557)
    far._heed(0, {"kind": "listening", "port": 5557})
    far._heed(0, {"kind": "joined", "count": 1, "workers": workers, "hosts": ["here"]})
    assert heard[0].startswith(waits)
    assert heard[1] == joined


def test_one_user_is_one() -> None:
    """And is refused before anything starts."""
    plan = Plan(1, seconds=1, scenario="closed")
    with pytest.raises(ValueError, match=r"^rate: 1 user cannot be shared among 2 workers$"):
        FarDriver("http://127.0.0.1:9", plan, Address("127.0.0.1", 5557), workers=2)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_count_of_workers_stands_before_a_fixed_plural(file: Path) -> None:
    """The master cannot be imported here, so its source is read."""
    source = (PACKAGE_PARENT / "bpdemo" / "load" / file).read_text(encoding="utf-8")
    assert "counted(" in source
    assert not re.findall(r"\} (?:workers|users)\b", source)
