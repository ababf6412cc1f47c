"""The command line tells its version before it loads anything; all else goes to `main.py`."""

import tomllib
from pathlib import Path

import pytest

from tests.support.loaded import loaded_by

ROOT = Path(__file__).parents[2]
#: What the commands load, and the version does not need.
HEAVY = {"asyncio", "click", "httpx", "numpy", "pydantic", "rich", "typer"}
#: The two ways in: the script of an installation, and `python -m bpdemo`.
WAYS = {
    "bpdemo": "from bpdemo.cli.start import main; main()",
    "python -m bpdemo": "import runpy; runpy.run_module('bpdemo', run_name='__main__')",
}
CALL = """
import sys
sys.argv = ["bpdemo", {word!r}]
try:
    {way}
except SystemExit:
    pass
"""


@pytest.mark.parametrize("way", WAYS)
def test_the_version_loads_nothing_that_takes_long(way: str) -> None:
    """Whichever way it is asked for. The help does load such, so the look finds it."""
    assert not loaded_by(CALL.format(word="--version", way=WAYS[way])) & HEAVY
    assert loaded_by(CALL.format(word="--help", way=WAYS[way])) >= {"rich", "typer"}


def test_the_script_of_an_installation_begins_there() -> None:
    """As packaged: what happens to be installed may be older."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["scripts"] == {"bpdemo": "bpdemo.cli.start:main"}
