"""`make check` holds prose: pronouns, older phrases, spelling, links, in what a person reads."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.scripts import script

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "prose.py"


@pytest.fixture(scope="module")
def prose() -> ModuleType:
    return script("prose")


def notebook(*cells: tuple[str, str]) -> str:
    return json.dumps({"cells": [{"cell_type": kind, "source": text} for kind, text in cells]})


#: The same sentence wherever a person reads one.
HOMES = {
    "a.md": "A heading\n\n{}\n",
    "docstring.py": '"""{}"""\n',
    "string.py": 'x = "{}"\n',
    "fstring.py": 'x = f"{} {{x}}"\n',
    "comment.py": "x = 1  # {}\n",
    "page.html": "<p>\n{}</p>\n",
    "alt.html": "<img alt='{}'>\n",
    "comment.yml": "x: 1  # {}\n",
    "alert.yml": "  summary: {}\n",
    "dashboard.json": '  "description": "{}",\n',
    "comment.toml": "x = 1 # {}\n",
    "Makefile": "target:  ## {}\n",
    "Dockerfile": "# {}\n",
    "markdown.ipynb": "",
}
PLANTED = {
    "pronoun": "a customer leaves when he has waited",
    "phrase": "the service works off its queue",
    "spelling": "the customers recieve an answer",
}


def planted(home: str, sentence: str) -> str:
    if home.endswith(".ipynb"):
        return notebook(("markdown", "# Title"), ("markdown", sentence))
    return HOMES[home].format(sentence)


def rules(prose: ModuleType, name: str, source: str) -> set[str]:
    found = prose.findings(name, source) + prose.misspelt({name: prose.prose(name, source)})
    return {one.rule for one in found}


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("rule", PLANTED)
def test_what_is_planted_is_found_in_every_home_of_prose(prose, home, rule):
    """One rule fires, and it is the one that was broken; the plain sentence breaks none."""
    assert rules(prose, home, planted(home, PLANTED[rule])) == {rule}
    assert rules(prose, home, planted(home, "a customer leaves when they have waited")) == set()


@pytest.mark.parametrize("phrase", ["whoever", "told no", "six tenths", "mended", "waiting room"])
def test_an_older_phrase_is_found_in_either_case(prose, phrase):
    """At the beginning of a sentence as well."""
    for said in (phrase, phrase.capitalize()):
        [one] = prose.findings("a.md", f"{said} is an example")
        assert one.rule == "phrase"


def test_code_is_no_prose(prose):
    """Names, fences, inline code, addresses: what a program is told has its own spelling."""
    said = "```\nhe recieve whoever\n```\n\n    he recieve\n\n`he` and [it](his/recieve.md)\n"
    assert rules(prose, "a.md", said) == set()
    assert rules(prose, "a.py", "he = whoever(his='recieve')\n") == set()
    assert rules(prose, "a.html", "<style>he</style><script>whoever()</script>") == set()
    assert rules(prose, "a.yml", "he: recieve\nwhoever: '#fffecc'\n") == set()
    assert rules(prose, "a.json", '{"name": "recieve", "he": "a whoever"}') == set()
    assert rules(prose, "a.ipynb", notebook(("code", "%magic he"), ("code", "he = 1"))) == set()


@pytest.mark.parametrize("word", ["door", "room", "seat", "sold", "kept", "the"])
def test_common_words_are_nobodys_dialect(prose, word):
    """Bare words have good uses; only phrases are held."""
    assert prose.findings("a.md", f"A {word} is there.") == []


def test_a_named_author_is_a_person(prose):
    """The line says so, and only that line is exempt."""
    said = "# Little showed what he proved  # person\n# and a caller when he left\n"
    assert [one.number for one in prose.findings("a.py", said)] == [2]


def test_a_link_that_leads_nowhere_is_found(prose, tmp_path):
    """In Markdown and in a notebook; addresses and the learner's own folder are left."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "README.md").write_text("## Its `x`, told")
    (tmp_path / "exercises" / "a.ipynb").write_text("")
    good = "[a](../README.md) [b](../README.md#its-x-told) [c](https://a.b) [e](../my-work/a.ipynb)"
    bad = f"{good} [f](../GONE.md)"
    for name, told in (("notebooks/a.md", str), ("notebooks/a.ipynb", _as_notebook)):
        assert prose.dead_links(name, told(good), tmp_path) == []
        [one] = prose.dead_links(name, told(bad), tmp_path)
        assert one.rule == "link"


@pytest.mark.parametrize("link", ["../README.md#gone", "#gone"])
def test_a_link_to_a_heading_that_is_not_there_is_found(prose, tmp_path, link):
    """Of another page or of its own; an anchor that the page sets itself is one, too."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "README.md").write_text("## Gone fishing")
    page = f"# Here\n\n[a]({link}) [b](#here) [c](../README.md#gone-fishing)"
    [one] = prose.dead_links("notebooks/a.md", page, tmp_path)
    assert (one.rule, one.number) == ("link", 3)
    assert prose.dead_links("notebooks/a.md", '<a id="gone"></a> [a](#gone)', tmp_path) == []


def _as_notebook(text: str) -> str:
    return notebook(("markdown", text))


def test_every_file_of_the_project_is_held(prose):
    """None is left out any more, the changelog and the tests included."""
    names = prose.files()
    assert {"README.md", "CHANGELOG.md", "bpdemo/cli/main.py", "tests/vopr/history.py"} <= {*names}
    assert [name for name in names if prose.not_held(name)] == []


def test_a_file_or_a_folder_can_be_left_out_for_a_while(prose, tmp_path):
    """By its name in pyproject.toml; what only begins like a folder's name is held."""
    (tmp_path / "pyproject.toml").write_text('[tool.prose]\nnot_yet = ["old.md", "older"]\n')
    assert prose.not_held("old.md", tmp_path)
    assert prose.not_held("older/a/b.py", tmp_path)
    assert not prose.not_held("olderly.md", tmp_path)


def test_what_is_planted_fails_the_command(tmp_path):
    """As `make check` runs it: exit 1, and a line that names file, line and word."""
    page = tmp_path / "a.md"
    page.write_text("\n".join([*PLANTED.values(), "[gone](gone.md)"]))
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(page)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    for number, word in enumerate(("he", "works off", "recieve", "gone.md"), 1):
        assert any(f"a.md:{number}:" in line and word in line for line in ran.stdout.splitlines())


def test_make_check_calls_it():
    """The target runs the script over all of the project, and fails with it."""
    recipe = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]
    assert "\n\t$(PY) scripts/prose.py" in recipe
