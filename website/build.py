"""The site from its parts: lessons run, sources laid out, Sphinx, playground, and a look at it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Final

from website import api
from website.inspection import complaints
from website.lessons import ROOT, Ran, run_all, this_run
from website.plays import Play, elsewhere, plays
from website.sources import PAGES, Site

HERE: Final = Path(__file__).resolve().parent
#: Not run for the site: it needs a speaker's hand on the keys.
STAGE: Final = "live_demo"
INDEXES: Final = {
    "lessons": ("The lessons", "In order, as they read when they have run."),
    "exercises": (
        "The exercises",
        "What is asked, without solutions. In JupyterLab `check` judges an answer by what it does, "
        "and `hint` helps one step at a time.",
    ),
    "guide": ("For reading and teaching", ""),
    "reference": ("Reference", "The public names, how it is built, and what was measured."),
}
GUIDE: Final = (
    "README", "notebooks/GLOSSARY", "notebooks/CHEATSHEET", "notebooks/README",
    "notebooks/MISCONCEPTIONS",
)  # fmt: skip
DOCS: Final = (
    "commands", "service", "judge", "protect", "incident", "load", "containers", "metrics", "logs",
)  # fmt: skip
REFERENCE: Final = (
    "api/lab", "api/protect", "IMPLEMENTATION_PLAN", "CONTRIBUTING", "tests/vopr/README",
    "benchmarks/RESULTS", "benchmarks/CLAIMS", "CHANGELOG",
)  # fmt: skip

Say = Callable[[str], object]


class SiteFailed(Exception):
    """In a sentence or some lines, what is wrong with the site."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to build. `lessons` are run, those of these names, or all; `others` stand as stored.

    `small` leaves out all pages but those of these lessons, for a look at one of them.
    """

    profile: str = "full"
    lessons: Sequence[str] | None = None
    fresh: bool = False
    small: bool = False
    folder: Path = ROOT / "build" / "website"


def build(wish: Wish, say: Say) -> Path:
    """The folder with the site. Raises `LessonFailed`, `DeadLink` and `SiteFailed`."""
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    chosen = [
        path
        for path in notebooks
        if path.stem != STAGE and (wish.lessons is None or path.stem in wish.lessons)
    ]
    executed = wish.folder / f"executed-{wish.profile}"
    run_all(chosen, wish.profile, executed, say, fresh=wish.fresh)
    playground = None if wish.small else playground_of(say)
    told = plays() if playground else []
    source, site = wish.folder / "source", wish.folder / "site"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    lay_out(source, chosen if wish.small else notebooks, executed, told, small=wish.small)
    sphinx(source, site, this_run(wish.profile))
    if playground:
        add_playground(site, playground, notebooks)
    if wrong := complaints(site):
        raise SiteFailed("\n".join(wrong))
    return site


def playground_of(say: Say) -> Path | None:
    """The folder of the built playground; None, and a line, where it cannot be fetched."""
    script = _script("playground")
    try:
        built: Path = script.build(say)
    except script.CannotFetch as why:
        say(f"The site is built without the playground: {why}.")
        return None
    return built


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lay_out(
    source: Path, notebooks: Sequence[Path], executed: Path, told: Sequence[Play], *, small: bool
) -> None:
    """Everything that Sphinx reads."""
    lessons = [f"notebooks/{path.name}" for path in notebooks]
    exercises = sorted(f"exercises/{path.name}" for path in (ROOT / "exercises").glob("*.ipynb"))
    pages = lessons if small else [*lessons, *exercises, *PAGES]
    claims = {play.claim: play for play in told if play.claim}
    made = ["playground.md"] if told else []
    site = Site(source, frozenset([*pages, *made]), claims)
    for path in notebooks:
        kept = executed / path.name
        site.notebook(f"notebooks/{path.name}", kept if kept.exists() else path)
    if small:
        site.write("index.md", f"# Lessons\n\n{_tree([_stem(place) for place in lessons])}")
        site.files()
        return
    for place in exercises:
        site.notebook(place, ROOT / place)
    for place in PAGES:
        site.page(place)
    site.write("api/lab.rst", api.lab_page())
    site.write("api/protect.rst", api.protect_page())
    inside = {
        "lessons": [_stem(place) for place in lessons],
        "exercises": [_stem(place) for place in exercises],
        "guide": list(GUIDE),
        "reference": list(REFERENCE),
    }
    for name, (title, intro) in INDEXES.items():
        site.write(f"{name}.md", f"# {title}\n\n{intro}\n\n{_tree(inside[name])}")
    trees = _tree([f"/docs/{name}" for name in DOCS], hidden=True)
    read = source / "docs" / "README.md"
    read.write_text(f"{read.read_text('utf-8')}\n{trees}", "utf-8")
    site.write("index.md", _front(site, bool(told)))
    if told:
        site.write("playground.md", _plays_page(told))
    site.files()


def _stem(place: str) -> str:
    return place.rpartition(".")[0]


def _tree(names: Sequence[str], *, hidden: bool = False) -> str:
    option = ":hidden:\n" if hidden else ""
    return "```{toctree}\n:maxdepth: 1\n" + option + "\n" + "\n".join(names) + "\n```\n"


def _front(site: Site, has_playground: bool) -> str:
    # It stands in a folder here, and at the top of the site.
    text = (HERE / "index.md").read_text("utf-8").replace("](../", "](")
    line = (
        "- **[Try it in this tab](playground.md)**: the service's own code, in your browser, under "
        "a load of your choice. Nothing is installed, and nothing leaves the page.\n"
    )
    text = text.replace("{{playground}}\n", line if has_playground else "")
    text = text.replace("{{try}}", "Playground <playground>\n" if has_playground else "")
    return site.markdown("index.md", text)


def _plays_page(told: Sequence[Play]) -> str:
    """The playground's presets, each a link, and what cannot be played there."""
    lines = [
        "# In your browser\n",
        "The box office of the workshop, **its own code**, not a model of it, under a load of your "
        "choice, in virtual time. Nothing is installed, and nothing leaves the page.\n",
        '<p><a class="btn btn-primary" href="playground/index.html">Open the playground</a></p>\n',
        "## Experiments to begin with\n",
    ]
    for play in told:
        link = f'<a href="playground/index.html{escape(play.address)}">{escape(play.name)}</a>'
        where = f" ([{play.lesson[:2]}](notebooks/{play.lesson}.ipynb))" if play.lesson else ""
        lines.append(f"- **{link}**{where}: {play.question}")
    lines.append("\n## What cannot be seen there\n")
    lines.append(
        "These claims are measured in virtual time, too, and need more than two runs and their "
        "picture:\n"
    )
    lines += [f"- `{name}`: {why}" for name, why in elsewhere().items()]
    return "\n".join(lines) + "\n"


def sphinx(source: Path, site: Path, ran: Ran) -> None:
    """Run it; any warning is an error."""
    import plotly

    plotly_js = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    told = {
        "built": f"Built on {ran.date} from commit {ran.commit}, with lessons of the {ran.profile} "
        f"profile, on {ran.machine}.",
        "static": [str(plotly_js)],
    }
    ran_it = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", str(HERE),
         "-d", str(source.parent / "doctrees"), "-E", str(source), str(site)],
        env=os.environ | {"BPDEMO_SITE": json.dumps(told)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran_it.returncode:
        raise SiteFailed(f"Sphinx:\n{ran_it.stderr.strip()}")
    (site / "_static" / "webpack-macros.html").unlink(missing_ok=True)  # the theme's own template
    (site / ".nojekyll").touch()


def add_playground(site: Path, playground: Path, notebooks: Sequence[Path]) -> None:
    """Beside the pages, and told which lessons there are to go back to."""
    shutil.copytree(playground, site / "playground")
    lessons = {
        path.stem: {"title": _title(path), "address": f"../notebooks/{path.stem}.html"}
        for path in notebooks
    }
    (site / "playground" / "lessons.json").write_text(json.dumps(lessons), "utf-8")


def _title(path: Path) -> str:
    first = json.loads(path.read_text("utf-8"))["cells"][0]["source"]
    text = first if isinstance(first, str) else "".join(first)
    return text.splitlines()[0].lstrip("# ")
