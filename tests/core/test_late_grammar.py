"""The grammar that jsonschema brings is built when it is asked, and answers as ever."""

import subprocess
import sys

import pytest

from bpdemo.core.environment import PACKAGE_PARENT

pytestmark = [pytest.mark.process, pytest.mark.slow]

#: Before anything of ours: what jsonschema says where the grammar is built at once.
PLAIN = ""
LATE = """
from bpdemo.core.late_grammar import build_grammar_late
build_grammar_late()
"""
ASKED = """
import sys
from jsonschema import FormatChecker
before = "lark" in sys.modules
checker = FormatChecker()
told = []
for kind, text in [("iri", "http://a.example/é"), ("iri", "a b"), ("iri-reference", "/x"),
                   ("iri-reference", "<>"), ("iri", 7)]:
    told.append(checker.conforms(text, kind))
from rfc3987_syntax import is_valid_syntax_iri, parse
import rfc3987_syntax.syntax_helpers as whole
print(before, told, is_valid_syntax_iri("http://a.example/"), parse is whole.parse)
"""


def told(code: str) -> list[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.check_output(command, text=True, cwd=PACKAGE_PARENT).split(maxsplit=1)


def test_it_answers_the_same_and_is_built_only_when_asked() -> None:
    """Whatever jsonschema or a learner asks of it."""
    (built_at_once, plain), (built_late, late) = told(PLAIN + ASKED), told(LATE + ASKED)
    assert (built_at_once, built_late) == ("True", "False")
    assert late == plain
    assert "[True, False, True, False, True]" in plain


def test_where_it_is_not_installed_it_is_still_missing() -> None:
    """jsonschema does without; a stand-in for nothing would break it."""
    gone = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name == "rfc3987_syntax" else find(name, *more)
"""
    asked = "from jsonschema import FormatChecker\nprint(FormatChecker().conforms('a b', 'iri'))"
    assert told(gone + LATE + asked) == ["True"]


FIRST = {
    "a kernel": "from bpdemo.lab import cockpit, load, serve",
    "JupyterLab": "import bpdemo.lab.jupyter_alone\nfrom jupyterlab import commands",
    "a figure": "from bpdemo.lab import simulate; simulate().figure()._repr_mimebundle_()",
}


@pytest.mark.parametrize("line", FIRST.values(), ids=FIRST)
def test_neither_kernel_nor_server_nor_figure_builds_it(line: str) -> None:
    """That was three quarters of what a learner waited for their first picture."""
    more = "import sys, jsonschema; print('lark' in sys.modules)"
    assert told(f"{line}\n{more}")[-1].strip() == "False"
