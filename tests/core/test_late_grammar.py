"""The grammar that jsonschema brings is built when it is asked, and answers as ever."""

import subprocess
import sys
from pathlib import Path

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


#: A package of that name that is not what it was: what stands in its `__init__`.
BROKEN = {
    "it lacks what it is made of": "import no_such_package",
    "it is another one": "def parse(text): return text",
    "it raises": "raise RuntimeError('no grammar')",
    "it cannot be read": "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'no grammar')",
}
OUTCOME = """
try:
    from jsonschema import FormatChecker
    told = [FormatChecker().conforms(text, kind) for kind in ("iri", "iri-reference")
            for text in ("http://a.example/é", "a b", "<>", 7) for _ in range(2)]
except Exception as error:
    told = "no grammar" in str(error)
print("lark" in sys.modules, told)
"""


@pytest.mark.parametrize("init", BROKEN.values(), ids=BROKEN)
def test_where_it_is_broken_jsonschema_fares_as_without_us(init: str, tmp_path: Path) -> None:
    """What it cannot import it does without, and every text is good; any other error is told, and
    never taken for a fault of the text."""
    package = tmp_path / "rfc3987_syntax"
    package.mkdir()
    (package / "__init__.py").write_text(init, "utf-8")
    first = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    plain, late = told(first + OUTCOME), told(first + LATE + OUTCOME)
    assert late == plain


def test_where_its_parser_is_missing_jsonschema_fares_as_without_us() -> None:
    """The package as it is, on a machine where what it needs was not installed."""
    first = "import sys; sys.modules['lark'] = None\n"
    assert told(first + LATE + OUTCOME) == told(first + OUTCOME)


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
