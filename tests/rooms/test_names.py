"""One name for one idea: no two classes of the package, nor two aliases of types, share a name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bpdemo"
#: Names that several modules may have, each with why.
EXEMPT: dict[str, str] = {}
#: One file of a learner's in its several steps: they edit it, and nothing imports it.
STEPS = PACKAGE / "lab" / "lessons" / "shop"


def types_of(source: str) -> Iterator[str]:
    """The classes and the named types that stand at the top of a module."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            # A call makes a value (a TypeVar, mostly); constants are in capitals.
            if not name.isupper() and name[:1].isupper() and not isinstance(node.value, ast.Call):
                yield name


def shared(package: Path) -> dict[str, list[str]]:
    homes = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        if path.parent == STEPS:
            continue
        for name in types_of(path.read_text("utf-8")):
            homes[name].append(str(path.relative_to(package)))
    return {name: where for name, where in homes.items() if len(where) > 1 and name not in EXEMPT}


def test_a_type_has_its_name_alone():
    """A reader of `Line` need not ask which."""
    assert not shared(PACKAGE)


def test_a_name_that_is_taken_is_found(tmp_path):
    """A class in one room, and an alias of the same name in another."""
    (tmp_path / "a.py").write_text("class Line: ...\nT = TypeVar('T')\n")
    (tmp_path / "b.py").write_text("Line = Mapping[float, float]\nT = TypeVar('T')\n")
    assert shared(tmp_path) == {"Line": ["a.py", "b.py"]}
