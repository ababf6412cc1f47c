"""A first cell is a cell that somebody waits for: it loads what it names, and nothing it may never
need."""

import pytest

from tests.support.loaded import loaded_by

#: What only some lessons, some cells or other processes need.
LATER = {"IPython", "fastapi", "httpx", "ipywidgets", "locust", "pandas", "plotly", "uvicorn"}
FIRST_CELL = (
    "from bpdemo.lab import claim, load, predict, reveal, seconds, serve, simulate, stop_all\n"
)
#: A run with bins, samples and fates, made without a service.
DRAWN = """
from bpdemo.load.run import LoadRun
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
times = [0.1, 0.2, 1.2]
samples = Samples.of([(at, 1, 8, 4, 2, 0, 0) for at in times])
run = LoadRun(Records.of(times, [0.1] * 3, [0, 1, 2]), samples, Meta(seconds=2, bin_s=1))
"""


def test_the_package_alone_loads_next_to_nothing() -> None:
    """Child processes import it, too."""
    assert not loaded_by("import bpdemo.lab") & (LATER | {"asyncio", "numpy", "pydantic"})


def test_the_first_cell_of_a_lesson_loads_no_library_that_waits_for_its_use() -> None:
    """Neither what draws, nor what asks a service by hand, nor the service itself."""
    assert not loaded_by(FIRST_CELL) & LATER


def test_a_name_loads_what_it_stands_for() -> None:
    """So a module that is loaded for another name would be seen."""
    assert "pydantic" not in loaded_by("from bpdemo.lab import claim, seconds")
    assert loaded_by("from bpdemo.lab import serve") >= {"pydantic"}


@pytest.mark.parametrize("call", ["run.figure()", "side_by_side(run, run)"])
def test_a_picture_needs_no_pandas(call: str) -> None:
    """It draws columns; only those who ask for the frame wait for pandas."""
    drawn = f"{DRAWN}from bpdemo.lab import side_by_side\n{call}\n"
    loaded = loaded_by(drawn)
    assert "plotly" in loaded
    assert "pandas" not in loaded
    assert "pandas" in loaded_by(f"{DRAWN}run.frame\n")
