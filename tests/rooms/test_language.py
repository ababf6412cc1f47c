"""Comments and docstrings speak of callers, customers and learners as *they*."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
HE = re.compile(r"\b(he|him|his|himself)\b", re.IGNORECASE)


def told(source: str) -> Iterator[tuple[int, str]]:
    """Each comment and docstring with its line; what a program prints is a text of its own."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and (words := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), words


@pytest.mark.parametrize("folder", ["bpdemo", "tests", "benchmarks", "scripts"])
def test_nobody_is_a_he(folder: str) -> None:
    """Neither in the package nor in what tests and measures it."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__)
        for line, words in told(path.read_text("utf-8"))
        if HE.search(words)
    ]
    assert not found
