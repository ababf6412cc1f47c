"""What a worker process is told by its owner, and by nobody else."""

import pytest

from bpdemo.load import load_worker
from bpdemo.load.addresses import Address
from bpdemo.load.destination import OWN_SERVICE


@pytest.mark.parametrize("exported", [None, "0", "1", "yes"])
@pytest.mark.parametrize("said", [False, True])
def test_only_what_was_said_here_allows_a_foreign_service(monkeypatch, exported, said):
    """A variable that a shell has exported is nobody's word for this load."""
    told: dict[str, str] = {}

    class Child:
        def __init__(self, command: object, *, env: dict[str, str], **_: object) -> None:
            told.update(env)

    monkeypatch.setattr(load_worker, "Child", Child)
    if exported is not None:
        monkeypatch.setenv(OWN_SERVICE, exported)
    load_worker.Crew(Address("127.0.0.1", 5557), said)
    assert told[OWN_SERVICE] == ("1" if said else "")
