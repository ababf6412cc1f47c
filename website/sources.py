"""What Sphinx reads: the project's pages in their places, and a page for each file they link to.

A link between pages stays as it is, since all keep their places; one to a file that is no page
leads to a page made of that file. A link that leads nowhere is an error.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from website.lessons import RAN, ROOT, Ran
from website.outputs import shown
from website.plays import Play

HERE: Final = Path(__file__).resolve().parent
#: All that a visitor may read, but for lessons and exercises.
PAGES: Final = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "IMPLEMENTATION_PLAN.md",
    "benchmarks/CLAIMS.md",
    "benchmarks/RESULTS.md",
    "docs/README.md",
    "docs/commands.md",
    "docs/containers.md",
    "docs/incident.md",
    "docs/judge.md",
    "docs/load.md",
    "docs/logs.md",
    "docs/metrics.md",
    "docs/protect.md",
    "docs/service.md",
    "notebooks/CHEATSHEET.md",
    "notebooks/GLOSSARY.md",
    "notebooks/MISCONCEPTIONS.md",
    "notebooks/README.md",
    "tests/vopr/README.md",
)
LINK: Final = re.compile(r"(\]\()([^)\s#]*)(#[^)\s]*)?(\))")
ANCHOR: Final = re.compile(r'<a id="([^"]+)"></a>\s*\n')
FENCE: Final = re.compile(r"^\s*(```|~~~)")
LANGUAGES: Final = {
    ".py": "python", ".js": "javascript", ".mjs": "javascript", ".yml": "yaml", ".toml": "toml",
    ".json": "json", ".css": "css", ".sh": "bash", ".html": "html",
}  # fmt: skip
#: Where pages of files stand, and for how many of a folder's a page is made.
SOURCES: Final = "source"
IMAGES: Final = (".png", ".svg", ".gif")
CLAIM: Final = "claim-"
#: No page of the site is found by what stands in a file of the project.
ALONE: Final = "---\norphan: true\nnosearch: true\n---\n\n"


class DeadLink(Exception):
    """The page, and where it wanted to lead."""


@dataclass
class Site:
    """A folder that fills with what Sphinx reads. `pages` are those that there will be, by their
    place in the project; `plays` the claims that a visitor may play, by their names."""

    folder: Path
    pages: frozenset[str]
    plays: Mapping[str, Play] = field(default_factory=dict)
    #: Files of the project that pages lead to.
    linked: set[str] = field(default_factory=set)

    def write(self, place: str, text: str) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def page(self, place: str) -> None:
        """A page of the project's, in Markdown."""
        self.write(place, self.markdown(place, (ROOT / place).read_text("utf-8")))

    def notebook(self, place: str, path: Path) -> None:
        """A lesson or an exercise, as it stands at `path`."""
        told = json.loads(path.read_text("utf-8"))
        ran = told["metadata"].pop(RAN, None)
        told["metadata"].pop("widgets", None)
        for cell in told["cells"]:
            cell["source"] = _text(cell["source"])
            if cell["cell_type"] == "markdown":
                cell["source"] = self.markdown(place, cell["source"])
            elif cell["cell_type"] == "code":
                self._show(place, cell)
        note = Ran(**ran).told if ran else NOT_RUN if place.startswith("notebooks/") else ""
        told["cells"] = self._with_plays(told["cells"])
        if note:
            told["cells"].insert(1, _markdown(f'<p class="ran">{note}</p>', "ran"))
        self.write(place, json.dumps(told))

    def _show(self, place: str, cell: dict[str, Any]) -> None:
        def linked(file: str) -> str | None:
            if not (ROOT / file).is_file():
                return None
            self.linked.add(file)
            return f"{'../' * place.count('/')}{SOURCES}/{file}.html"

        outputs = [_whole(output) for output in cell["outputs"]]
        drawn = [shown(output, linked) for output in outputs]
        cell["outputs"] = [output for output in drawn if output is not None]

    def _with_plays(self, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A link to the playground behind the last cell of each claim that runs there."""
        last: dict[str, int] = {}
        for number, cell in enumerate(cells):
            for tag in cell["metadata"].get("tags", ()):
                if tag.startswith(CLAIM) and "claim(" in cell["source"]:
                    last[tag.removeprefix(CLAIM)] = number
        whole: list[dict[str, Any]] = []
        for number, cell in enumerate(cells):
            whole.append(cell)
            names = [name for name, at in last.items() if at == number]
            whole += [_markdown(self.plays[n].link, f"play-{n}") for n in names if n in self.plays]
        return whole

    def markdown(self, place: str, text: str) -> str:
        """The same text with links that lead to pages of the site."""
        lines, fenced = [], False
        for line in ANCHOR.sub(r"(\1)=\n", text).splitlines():
            fenced ^= bool(FENCE.match(line))
            code = fenced or line.startswith("    ")
            lines.append(line if code else LINK.sub(lambda m: self._link(place, m), line))
        return "\n".join(lines) + "\n"

    def _link(self, place: str, found: re.Match[str]) -> str:
        before, target, anchor, after = found.groups()
        if "://" in target or target.startswith(("mailto:", "{")):
            return found[0]
        anchor = (anchor or "").lower()
        if not target:
            return f"{before}{anchor}{after}"
        folder = posixpath.dirname(place)
        wanted = target.replace("../my-work/", "../exercises/")
        file = posixpath.normpath(posixpath.join(folder, wanted))
        if file in self.pages:
            return f"{before}{_relative(file, folder)}{anchor}{after}"
        if not (ROOT / file).exists():
            raise DeadLink(f"{place}: {target} leads nowhere")
        if Path(file).suffix in IMAGES:
            self._copy(file)
            return f"{before}{_relative(file, folder)}{after}"
        self.linked.add(file)
        return f"{before}{_relative(f'{SOURCES}/{file}.md', folder)}{after}"

    def _copy(self, file: str) -> None:
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, target)

    def files(self) -> None:
        """A page for each file that a page leads to, and for each folder with its files."""
        todo = sorted(self.linked)
        while todo:
            file = todo.pop()
            self.linked.add(file)
            if (ROOT / file).is_dir():
                inside = _inside(ROOT / file)
                todo += [f for f in inside if f not in self.linked]
                self.write(f"{SOURCES}/{file}.md", _list_of(file, inside))
            else:
                self.write(f"{SOURCES}/{file}.md", _page_of(file))


def _inside(folder: Path) -> list[str]:
    found = (p for p in sorted(folder.rglob("*.py")) if "__pycache__" not in p.parts)
    return [str(path.relative_to(ROOT)) for path in found]


def _list_of(folder: str, files: Iterable[str]) -> str:
    links = (
        f"- [{posixpath.relpath(file, folder)}]"
        f"({_relative(f'{SOURCES}/{file}.md', posixpath.dirname(f'{SOURCES}/{folder}'))})"
        for file in files
    )
    return f"{ALONE}# {folder}\n\n" + "\n".join(links) + "\n"


def _page_of(file: str) -> str:
    text = (ROOT / file).read_text("utf-8")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=2))
    language = LANGUAGES.get(Path(file).suffix, "text")
    options = ":linenos:\n" if language == "python" else ""
    return f"{ALONE}# {file}\n\n{fence}{{code-block}} {language}\n{options}\n{text}\n{fence}\n"


def _relative(file: str, folder: str) -> str:
    return posixpath.relpath(file, folder or ".")


def _markdown(text: str, name: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _whole(output: dict[str, Any]) -> dict[str, Any]:
    """The texts of an output in one piece each: a file may have them line by line."""
    whole: dict[str, Any] = dict(output)
    if "text" in whole:
        whole["text"] = _text(whole["text"])
    if "data" in whole:
        whole["data"] = {
            kind: _text(value) if isinstance(value, list) else value
            for kind, value in whole["data"].items()
        }
    return whole


NOT_RUN: Final = "Not run for this build of the site: shown as it is stored, without its results."
