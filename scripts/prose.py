"""Hold what a person reads to the course's language: `make check` calls it.

python scripts/prose.py [FILE …]     these files, or all of the project

Prose is taken out of its files first (Markdown without its code, the strings and comments of
Python, the text of HTML, the comments of what configures, and what an alert says) and held to four
rules: spelling (`typos`, in British English, whose word list is in pyproject.toml), pronouns,
phrases of an older style, and links within the project. `[tool.prose]` of pyproject.toml names the
files that are not held to them yet.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import sysconfig
import tempfile
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
#: Files of which a person reads the comments, and what stands under these keys.
CONFIGURES: Final = (".yml", ".yaml", ".toml", ".cfg", ".sh")
NAMED: Final = ("Makefile", "Dockerfile")
TOLD: Final = re.compile(r"^[\s{\"-]*(summary|action|description|title|name)\"?:\s*\"?([^\"]*)")
HASH: Final = re.compile(r"(?:^|\s)#+(?![0-9a-fA-F]{3,8}\b)(.*)")
KINDS: Final = (".md", ".py", ".ipynb", ".html", ".json", *CONFIGURES)
PRONOUN: Final = re.compile(r"\b(he|him|his|himself)\b", re.IGNORECASE)
#: On a line that names an author, who is one person.
PERSON: Final = "# person"
#: Files that are about these words.
ABOUT: Final = ("scripts/prose.py", "tests/scripts/test_prose.py", "tests/rooms/test_language.py")
#: A phrase of the older style, what to say instead, and the files where one use of it is meant.
#: Single common words (door, room, seat, sold, kept) are no phrases: they have good uses.
PHRASES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (r"whoever", "those who, anyone who", ()),
    (r"works? (it |them |that )?off", "processes, drains", ()),
    (r"worked off", "processed, drained", ()),
    (r"told no", "rejected", ()),
    (r"say(s|ing)? no to", "reject", ()),
    (r"works? for nobody", "late: its work is wasted", ()),
    (r"(two|three|four|five|six|seven|eight|nine) tenths", "a percentage", ()),
    (r"half as many again", "1.5×", ()),
    (r"half as slow again", "1.5×", ()),
    (r"parts in (a|one) (hundred|thousand)", "a percentage", ()),
    (r"mend(s|ed|ing)?", "fix, repair", ()),
    (r"reckon(s|ed|ing)?", "calculate", ()),
    (r"put(s|ting)? right", "fix, repair", ()),
    (r"too dear|dearer|dearest|is dear", "expensive", ()),
    (r"waiting rooms?", "queue, queue capacity", ()),
    (r"(one|producer) (that|who) does not listen", "ignores backpressure", ()),
    (r"the obedient", "the producer that responds to backpressure", ()),
    (r"(customers'|client's|their) patience", "client timeout", ()),
    (r"patience_s", "client_timeout_s", ()),
    (r"not so\.", "Not quite.", ()),
    (r"lent (to|out)", "leased", ()),
    (r"chance of arrivals", "randomness of arrivals", ()),
    (r"sent home|sends? (them|people) home", "rejected", ()),
)
LINK: Final = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING: Final = re.compile(r"^#+ +(.*)", re.MULTILINE)
ANCHOR: Final = re.compile(r"<a id=\"([^\"]+)\"")
INLINE: Final = re.compile(r"(`+)(?!`).+?\1")
ADDRESS: Final = re.compile(r"\w+://\S+|\]\([^)\s]*\)|\S*/\S*[/.]\S*")
FENCE: Final = re.compile(r"^\s*(```|~~~)")
#: What a program is told, and no person: noqa, type comments, the name of a pragma.
PRAGMA: Final = re.compile(r"#\s*(noqa|type:|fmt:|pragma)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of prose and its number; of a notebook, the number counts from its first cell."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    number: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.what}"


def prose(name: str, source: str) -> list[Line]:
    """The prose of a file of this name. Raises SyntaxError for Python that is none."""
    kind = Path(name).suffix
    if kind == ".md":
        return list(_markdown(source))
    if kind == ".py":
        return sorted(_python(source), key=lambda line: line.number)
    if kind == ".html":
        return _html(source)
    if kind in (".json", *CONFIGURES) or Path(name).name in NAMED:
        return list(_configures(source, comments=kind != ".json"))
    return [] if kind != ".ipynb" else list(_notebook(source))


def _markdown(source: str, first: int = 1) -> Iterator[Line]:
    fenced = False
    before = ""
    for number, text in enumerate(source.splitlines(), first):
        if FENCE.match(text):
            fenced = not fenced
        elif not fenced and not _is_indented_code(text, before):
            yield Line(number, ADDRESS.sub(" ", INLINE.sub(" ", text)))
        before = text if not _is_indented_code(text, before) else ""


def _configures(source: str, *, comments: bool) -> Iterator[Line]:
    for number, text in enumerate(source.splitlines(), 1):
        found = [told[2]] if (told := TOLD.match(text)) and " " in told[2].strip() else []
        found += [note[1] for note in HASH.finditer(text)] if comments else []
        for one in found:
            yield Line(number, ADDRESS.sub(" ", INLINE.sub(" ", one)))


def _is_indented_code(text: str, before: str) -> bool:
    """Four spaces after an empty line; within a list they continue its item."""
    return text.startswith("    ") and not before.strip() and not re.match(r"\s*([-*]|\d\.)", text)


def _python(source: str, first: int = 1) -> Iterator[Line]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if " " not in node.value.strip():
            continue  # a name, a key, a code: no prose
        for offset, text in enumerate(node.value.splitlines()):
            bare = ADDRESS.sub(" ", INLINE.sub(" ", text))
            # Lines of a literal in pieces are counted from its beginning.
            number = min(node.lineno + offset, node.end_lineno or node.lineno)
            yield Line(number + first - 1, bare)
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and not PRAGMA.match(token.string):
            text = ADDRESS.sub(" ", INLINE.sub(" ", token.string))
            yield Line(token.start[0] + first - 1, text)


def _notebook(source: str) -> Iterator[Line]:
    first = 1
    for cell in json.loads(source)["cells"]:
        text = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from _markdown(text, first)
        elif cell["cell_type"] == "code" and not text.lstrip().startswith(("%", "!")):
            yield from _python(text, first)
        first += text.count("\n") + 1


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style", "code", "pre")
        told = (value for name, value in attrs if name in ("alt", "title", "aria-label"))
        self.lines += [Line(self.getpos()[0], value) for value in told if value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "code", "pre")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            first = self.getpos()[0]
            self.lines += [Line(first + at, text) for at, text in enumerate(data.splitlines())]


def _html(source: str) -> list[Line]:
    reader = _Text()
    reader.feed(source)
    reader.close()
    return reader.lines


def findings(name: str, source: str) -> list[Finding]:
    """Pronouns and old phrases in a file; `name` is its path from the root."""
    if name in ABOUT:
        return []
    exempt = {at for at, text in enumerate(source.splitlines(), 1) if PERSON in text}
    found = []
    for line in prose(name, source):
        if line.number not in exempt and (pronoun := PRONOUN.search(line.text)):
            why = f"{pronoun[0]!r}: a customer, a caller, a learner is they"
            found.append(Finding(name, line.number, "pronoun", why))
        for phrase, instead, allowed in PHRASES:
            old = re.search(rf"\b(?:{phrase})(?!\w)", line.text, re.IGNORECASE)
            if old and name not in allowed:
                why = f"{old[0]!r} is of the older style; say: {instead}"
                found.append(Finding(name, line.number, "phrase", why))
    return found


def dead_links(name: str, source: str, root: Path = ROOT) -> list[Finding]:
    """Links to files or headings that are not there, in Markdown and in notebooks.

    `my-work/` is made of `exercises/` by `make lab`.
    """
    kind = Path(name).suffix
    if kind not in (".md", ".ipynb"):
        return []
    folder = (root / name).parent
    found = []
    for number, text in enumerate(source.splitlines(), 1):
        for link, anchor in LINK.findall(text.replace('\\"', '"')):
            target = folder / link.replace("../my-work/", "../exercises/") if link else root / name
            if "://" in link or "{" in link:
                continue
            if link and not target.exists():
                found.append(Finding(name, number, "link", f"{link} leads nowhere"))
            elif anchor and target.suffix == ".md":
                page = target.read_text("utf-8") if link else source
                if anchor not in _anchors(page):
                    found.append(Finding(name, number, "link", f"{link}#{anchor} is no heading"))
    return found


def _anchors(page: str) -> set[str]:
    """What may stand behind the # of a link to this page, as GitHub makes it of its headings."""
    slugs = {re.sub(r"[^\w -]", "", one).strip().lower() for one in HEADING.findall(page)}
    return {one.replace(" ", "-") for one in slugs} | {*ANCHOR.findall(page)}


def misspelt(texts: dict[str, list[Line]], root: Path = ROOT) -> list[Finding]:
    """What `typos` finds in this prose, by the name of its file."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        names = [name for name in texts if name not in ABOUT]
        for at, lines in enumerate(texts[name] for name in names):
            by_number: dict[int, str] = {}
            for line in lines:
                by_number[line.number] = f"{by_number.get(line.number, '')} {line.text}"
            last = max(by_number, default=0)
            told = [by_number.get(number, "") for number in range(1, last + 1)]
            (Path(folder) / f"{at}.txt").write_text("\n".join(told), "utf-8")
        ran = subprocess.run(
            [_typos(), "--config", root / "pyproject.toml", "--format", "json", "--no-ignore", "."],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode not in (0, 2):
            raise RuntimeError(f"typos failed: {ran.stderr}")
        for report in map(json.loads, ran.stdout.splitlines()):
            if report.get("type") != "typo":
                continue
            name = names[int(Path(report["path"]).stem)]
            better = " or ".join(report["corrections"])
            what = f"{report['typo']!r} should be {better}"
            found.append(Finding(name, report.get("line_num", 0), "spelling", what))
    return found


def _typos() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "typos")


def not_held(name: str, root: Path = ROOT) -> bool:
    """Whether pyproject.toml names this file, or a folder of it, as not yet held."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    named = settings.get("tool", {}).get("prose", {}).get("not_yet", [])
    return any(name == one or name.startswith(one.rstrip("/") + "/") for one in named)


def files(root: Path = ROOT) -> list[str]:
    """All files of the project with prose in them, as git knows them."""
    ran = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = (
        name
        for name in ran.stdout.split("\0")
        if Path(name).suffix in KINDS or Path(name).name in NAMED
    )
    return sorted(name for name in names if (root / name).is_file())


def inspect(names: Iterable[str], root: Path = ROOT) -> list[Finding]:
    """Everything that these files say against the four rules."""
    found, texts = [], {}
    for name in names:
        source = (root / name).read_text("utf-8")
        texts[name] = prose(name, source)
        found += findings(name, source) + dead_links(name, source, root)
    found += misspelt(texts, root)
    return sorted(found, key=lambda one: (one.path, one.number, one.what))


def main(arguments: list[str]) -> int:
    names = arguments or [name for name in files() if not not_held(name)]
    found = inspect(names)
    for one in found:
        print(one)
    print(f"prose: {len(names)} files, {len(found)} findings")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
