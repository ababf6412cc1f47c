"""Each of Locust's processes starts without numpy, pandas and plotly: a load of twenty processes
would pay for them twenty times."""

import os
from pathlib import Path

import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.addresses import Address
from bpdemo.load.driver import Driver, LoadFailed
from bpdemo.load.far_driver import FarDriver
from bpdemo.load.load_worker import Crew
from bpdemo.plan.plan import Plan
from tests.load.stub import StubServer
from tests.support.processes import free_port
from tests.support.waiting import eventually

START_S = 40.0
HEAVY = ("numpy", "pandas", "plotly")
PLAN = Plan(40, seconds=0.5, seed=2, watch=True, browse_per_s=10)


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Processes that begin from now on cannot import those."""

    def forbid(*names: str) -> None:
        (tmp_path / "sitecustomize.py").write_text(
            "import sys\n"
            "class Nothing:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        if name.partition('.')[0] in {names!r}:\n"
            "            raise ModuleNotFoundError(f'no {name} here', name=name)\n"
            "sys.meta_path.insert(0, Nothing())\n",
            encoding="utf-8",
        )
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(PACKAGE_PARENT))))

    return forbid


@pytest.mark.load
@pytest.mark.light
def test_a_child_needs_none_of_them(without) -> None:
    """It sends its load, watches the server and reports."""
    without(*HEAVY)
    with StubServer() as server:
        driver = Driver(server.url, PLAN)
        assert driver.wait(START_S)
        driver.kill()
    assert len(driver.gathered.records) == driver.gathered.facts()["planned"] > 5


@pytest.mark.load
@pytest.mark.light
def test_a_master_and_its_worker_need_none_of_them(without) -> None:
    """A load over machines, on loopback: all join, send and end."""
    without(*HEAVY)
    where = Address("127.0.0.1", free_port())
    with StubServer() as server:
        far = FarDriver(server.url, PLAN, where, workers=1)
        crew = Crew(where)
        try:
            assert far.wait(START_S)
            eventually(lambda: crew.has_exited, "the worker ends with its master")
        finally:
            far.kill()
            crew.child.stop()
    assert len(far.gathered.records) == far.gathered.facts()["planned"] > 5
    assert "end" in crew.heard


@pytest.mark.load
@pytest.mark.light
def test_what_is_forbidden_cannot_be_had_there(without) -> None:
    """Or the tests above would prove nothing."""
    without("gevent")
    driver = Driver("http://127.0.0.1:9", PLAN)
    try:
        with pytest.raises(LoadFailed, match="no gevent here"):
            driver.wait(START_S)
    finally:
        driver.kill()
