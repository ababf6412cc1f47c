"""What the documents say of the project is so: links lead somewhere, knobs are as named."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from bpdemo.core.settings import Settings, describe
from tests.support.notebooks import cells_in

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)#\s]+)[^)\s]*\)")
KNOB_ROW = re.compile(r"^\| .+? \| `(\w+)` \| (\S+) \|", re.MULTILINE)
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "*/*.md", "notebooks/*.ipynb", "solutions/*.ipynb")
    for path in ROOT.glob(pattern)
    if not path.is_relative_to(ROOT / "my-work") and ".venv" not in path.parts
)


MODULE = re.compile(r"`(bpdemo(?:\.\w+)+)`")


def prose_of(path: Path) -> str:
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in cells_in(path) if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    """A learner who follows one is not met by an error. `make lab` makes my-work/ of exercises/."""
    found = [link for link in LINK.findall(prose_of(path)) if "://" not in link]
    links = [link.replace("../my-work/", "../exercises/") for link in found]
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == []


def test_the_cheat_sheet_names_real_knobs_with_their_defaults():
    """One page that a room prints: what stands there must be so."""
    knobs = describe(Settings())
    told = dict(KNOB_ROW.findall(prose_of(ROOT / "notebooks" / "CHEATSHEET.md")))
    assert len(told) > 20
    for name, default in told.items():
        value = knobs[name]["value"]
        assert (default if isinstance(value, str) else json.loads(default)) == value, name


def test_the_glossary_names_modules_that_exist():
    """A reader who looks for the code of a word finds it."""
    named = MODULE.findall(prose_of(ROOT / "notebooks" / "GLOSSARY.md"))
    assert len(named) > 15
    missing = [name for name in named if importlib.util.find_spec(name) is None]
    assert missing == []


def test_the_plan_names_files_that_are_there():
    """Each file that it names in code style lies where it says, from the root or the package."""
    plan = (ROOT / "IMPLEMENTATION_PLAN.md").read_text("utf-8")
    named = {name for name in re.findall(r"`([\w/]+\.py)`", plan) if "/" in name}
    assert named
    assert not {
        name for name in named if not any((ROOT / base / name).exists() for base in ("", "bpdemo"))
    }
