"""`show`: what is running, as it stands in its file."""

import contextlib
import functools
import inspect
import linecache
from pathlib import Path

import pytest

from bpdemo.flow import queue
from bpdemo.flow.breaker import Breaker
from bpdemo.flow.queue import BoundedQueue
from bpdemo.lab import show

ROOT = Path(str(queue.__file__)).parents[2]


@pytest.mark.parametrize("thing", [BoundedQueue, BoundedQueue.try_put, BoundedQueue.depth, queue])
def test_the_lines_told_are_the_lines_shown(thing):
    """File and lines lead to the code, letter by letter, but for its indentation."""
    shown = show(thing)
    lines = (ROOT / shown.file).read_text(encoding="utf-8").splitlines()
    there = lines[shown.first_line - 1 : shown.last_line]
    indent = len(there[0]) - len(there[0].lstrip())
    assert [line[indent:] for line in there] == shown.code.splitlines()


def test_a_bound_method_and_a_wrapped_function_show_what_was_written():
    """Decorators and instances do not stand between the reader and the code."""

    @functools.lru_cache
    @contextlib.contextmanager
    def plain():
        yield 1

    assert "yield 1" in show(plain).code
    breaker = Path("a/b").joinpath
    assert show(breaker).name.endswith(".joinpath")


def test_in_a_notebook_it_is_a_block_of_python():
    """Jupyter highlights a fenced block in the reader's own theme; a terminal gets plain text."""
    shown = show(Breaker)
    markdown = shown._repr_markdown_()
    assert markdown.endswith(f"```python\n{shown.code}\n```")
    assert "bpdemo/flow/breaker.py, lines" in markdown.splitlines()[0]
    assert repr(shown).startswith("# Breaker · bpdemo/flow/breaker.py, lines")


def test_a_function_from_a_cell_says_so():
    """What a learner wrote in a cell has no file, and is shown all the same."""
    source = "def patched(self):\n    return 7\n"
    linecache.cache["<cell 3>"] = (len(source), None, source.splitlines(True), "<cell 3>")
    names: dict[str, object] = {}
    exec(compile(source, "<cell 3>", "exec"), names)
    shown = show(names["patched"])
    assert shown.file == "a cell of this notebook"
    assert shown.code == source.rstrip("\n")


def test_code_with_a_fence_in_it_does_not_break_out():
    """A docstring with three backticks stays within the block."""

    def fenced():
        """```"""

    assert inspect.cleandoc(show(fenced)._repr_markdown_()).endswith("\n````")


@pytest.mark.parametrize("thing", [3, "BoundedQueue", len, None, object(), [BoundedQueue]])
def test_what_has_no_source_is_refused_in_one_line(thing):
    """A TypeError says what show() takes, and what it was given."""
    with pytest.raises(TypeError, match="takes a function, method, class or module") as told:
        show(thing)
    assert repr(thing)[:40] in str(told.value)
