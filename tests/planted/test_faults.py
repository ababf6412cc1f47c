"""The planted faults fit the code as it is: each can be planted, and names tests that are there."""

from pathlib import Path

import pytest

from tests.planted.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]


def test_there_are_thirty_one_a_module() -> None:
    """No module has two, so that as many modules as there are faults are watched."""
    modules = [fault.module for fault in FAULTS]
    assert len(modules) >= 30
    assert len(set(modules)) == len(modules)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.module)
def test_a_fault_can_be_planted(fault: Fault) -> None:
    """What is right stands there once; were the code to move on, nothing would be planted."""
    source = (ROOT / "bpdemo" / fault.module).read_text("utf-8")
    assert source.count(fault.right) == 1
    assert fault.wrong != fault.right
    compile(source.replace(fault.right, fault.wrong), fault.module, "exec")
    assert (ROOT / fault.caught_by).exists()
