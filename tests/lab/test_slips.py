"""A learner's own slip is one line in the notebook; a fault of ours keeps its traceback."""

import inspect
import re
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from bpdemo import lab
from bpdemo.core.slips import forgiving

SLIPS = [
    ("load(None, second=3)", "load() got an unexpected keyword argument 'second'. Did you mean"),
    ("simulate({'queue_capcity': 3})", "queue_capcity: there is no such setting; did you mean"),
    ("serve(queue_capcity=8)", "queue_capcity: there is no such setting; did you mean"),
    ("serve('protectd')", "protectd"),
    ("simulate({}, times=-1)", "times"),
    ("claim('goodput stays up', 0.3, at_least=0.85)", "✗ 0.3 is not ≥ 0.85: goodput stays up"),
    ("claim('goodput stays up', 0.3)", "takes one of at_least, at_most, between, equals"),
    ("check('01z')", "there is no exercise '01z'"),
    ("check('01a')", "check takes your answer as well: check('01a', try_put)"),
    ("check(print)", "the name of the exercise comes first"),
    ("check()", "check() is missing a required argument: 'name'"),
    ("reveal('01z', 'x')", "there is no question '01z'. Did you mean"),
    ("predict('01z')", "there is no question '01z'. Did you mean"),
    ("show(3)", "show() takes a function, method, class or module"),
]


@pytest.fixture
def shell() -> InteractiveShell:
    shell = InteractiveShell()
    names = "serve load simulate claim check reveal predict show"
    shell.user_ns.update({name: getattr(lab, name) for name in names.split()})
    return shell


def told_of(shell: InteractiveShell, capsys, source: str) -> str:
    """What the notebook shows below the cell, its box's walls and line breaks taken away."""
    result = shell.run_cell(f"first = 1\n{source}")
    assert result.error_in_exec is not None, source
    lines = [line.strip("╭╮╰╯│─ ") for line in capsys.readouterr().out.splitlines()]
    return " ".join(filter(None, lines))


@pytest.mark.parametrize(("source", "told"), SLIPS, ids=[source for source, _ in SLIPS])
def test_a_slip_is_told_in_a_line(shell, capsys, source, told):
    """What is wrong and the learner's own line; no traceback, and no line of the package's."""
    shown = told_of(shell, capsys, source)
    assert told in shown
    assert f"line 2: {source}" in shown
    assert "Traceback" not in shown
    assert "bpdemo/" not in shown


def test_the_error_is_what_it_always_was():
    """Code that catches a slip catches it as before."""
    with pytest.raises(TypeError, match="Did you mean seconds"):
        lab.load("http://127.0.0.1:1", second=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="no exercise"):
        lab.check("01z")


def test_a_fault_of_ours_keeps_its_traceback(shell, capsys):
    """A ValueError that nobody raised on purpose is a bug, and must show where it is."""
    names: dict[str, Any] = {"__name__": "bpdemo.broken"}
    exec("def broken():\n    return int('x')\n", names)
    shell.user_ns["broken"] = forgiving(names["broken"])
    shell.run_cell("broken()")
    assert "Traceback" in capsys.readouterr().out


def test_an_error_of_the_learners_own_code_keeps_its_traceback(shell, capsys):
    """What a learner's callback raises is theirs to find, line by line."""
    shell.run_cell(
        "def mine(progress):\n    raise ValueError('mine')\n"
        "from bpdemo.core.slips import forgiving\n"
        "forgiving(lambda call: call(1))(mine)"
    )
    told = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert "Traceback" in told
    assert "raise ValueError('mine')" in told


@pytest.mark.parametrize("name", ["load", "simulate", "serve", "check", "claim"])
def test_help_and_signature_are_the_functions_own(name):
    """`help(load)` and a completion by Tab know every parameter."""
    function = getattr(lab, name)
    original = inspect.unwrap(function)
    assert function is not original
    assert inspect.signature(function) == inspect.signature(original)
    assert function.__doc__ == original.__doc__
