"""What the documents tell people to type is there: commands, options, targets, settings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer

from bpdemo.cli.main import app
from bpdemo.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.md"),
     *ROOT.glob("tests/vopr/README.md")]
)  # fmt: skip
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*.ipynb")])
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
INLINE = re.compile(r"`([^`\n]+)`")
TYPED = re.compile(r"^(?:\w+=\S+ )*(?:\.venv[/\\](?:bin|Scripts)[/\\])?(make|bpdemo) (.*)$")
ADDRESS = re.compile(r"https?://[^\s)\"'<>`\\]+")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def typed(page: Path) -> Iterator[tuple[str, str]]:
    """The lines and snippets of code on a page that call make or bpdemo: which, and the rest.

    The changelog tells of what was, too, so only what it shows as a block is looked at.
    """
    source = page.read_text("utf-8").splitlines()
    lines = [line.strip() for line in source if line.startswith("    ") and "─" not in line]
    snippets = INLINE.findall(page.read_text("utf-8")) if page.name != "CHANGELOG.md" else []
    for text in (*lines, *snippets):
        if found := TYPED.match(text):
            yield found[1], found[2].split("  #")[0]


@each_page
def test_each_make_target_that_a_page_tells_is_there(page: Path):
    """A target that was renamed is renamed where people read of it."""
    told = {rest.split()[0] for program, rest in typed(page) if program == "make"}
    assert {target for target in told if re.fullmatch(r"[a-z-]+", target)} <= TARGETS


@each_page
def test_each_command_that_a_page_tells_takes_what_it_is_given(page: Path):
    """The command is there, each option is one of its own, and each setting is one."""
    for program, rest in typed(page):
        if program != "bpdemo" or rest.startswith("--"):
            continue
        name, *words = shlex.split(rest.replace("…", ""))
        if name == "COMMAND":
            continue
        assert name in COMMANDS, rest
        options = {told for one in COMMANDS[name].params for told in one.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options, rest
        knobs = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--set"]
        assert {knob.split("=")[0] for knob in knobs} <= set(Settings.model_fields), rest


def test_the_pages_tell_of_every_command_and_target():
    """What is on no page is found by nobody."""
    page = ROOT / "docs" / "commands.md"
    told = {f"{program} {rest.split()[0]}" for one in PAGES for program, rest in typed(one)}
    assert {f"bpdemo {name}" for name in COMMANDS} <= told
    on_page = {rest.split()[0] for program, rest in typed(page) if program == "make"}
    assert on_page >= TARGETS


def test_the_map_names_every_page():
    """docs/README.md says of each page what it is for."""
    told = (ROOT / "docs" / "README.md").read_text("utf-8")
    links = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([^)#]+)", told)}
    pages = {*ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("benchmarks/*.md")}
    assert pages - {ROOT / "docs" / "README.md"} <= links


def test_the_readme_measures_what_the_results_say():
    """Its table is the medians of the results' own, row by row."""
    results = (ROOT / "benchmarks/RESULTS.md").read_text("utf-8")
    table = results.split("**Served in time, share of capacity**")[1].split("**")[0]
    rows = {
        name: [_rounded(cell.split(" ")[0]) for cell in cells]
        for name, *cells in map(_cells, table.splitlines())
    }
    readme = (ROOT / "README.md").read_text("utf-8")
    measured_as = {
        "this service": "bpdemo",
        "FastAPI behind": "semaphore",
        "the same behind": "uvicorn limit",
        "a route of 40 ms behind": "AdmissionControl",
    }
    for told, measured in measured_as.items():
        [line] = [line for line in readme.splitlines() if line.startswith(f"| {told}")]
        assert _cells(line)[1:] == rows[measured][1:], told


def test_the_readme_counts_the_missed_targets_as_the_results_do():
    """It says how many, and of how many."""
    [told] = re.findall(r"misses: (\d+ of \d+)\.", (ROOT / "README.md").read_text("utf-8"))
    assert f"{told} are missed" in (ROOT / "benchmarks/RESULTS.md").read_text("utf-8")


def _rounded(cell: str) -> str:
    """To a hundredth, where it is a number."""
    return f"{float(cell):.2f}" if re.fullmatch(r"[\d.]+", cell) else cell


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_each_address_on_the_web_has_the_form_of_one(page: Path):
    """https, a host with a dot, no placeholder, and no full stop or bracket taken along."""
    for told in ADDRESS.findall(page.read_text("utf-8")):
        address = urlsplit(told.rstrip(".,;:"))
        host = address.hostname or ""
        if re.fullmatch(r"[\d.]+|localhost|HOST|[\w-]+", host):
            continue  # this machine, another by its number, or a name inside the stack
        assert address.scheme == "https", told
        assert re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", host), told
        assert "example" not in host, told
        assert "utm_" not in address.query, told
