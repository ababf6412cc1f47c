"""The grammar that takes a second to compile is not compiled, and is nobody's loss."""

import subprocess
import sys

import pytest

from bpdemo.core.spared import GRAMMAR

pytestmark = pytest.mark.process


def told_by(code: str) -> list[str]:
    """What a fresh interpreter prints, line by line."""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.parametrize(
    "first",
    [
        "import bpdemo.lab.live.live_picture",
        "from bpdemo.core.spared import spared_grammar\n"
        "with spared_grammar():\n    from jupyterlab import commands",
    ],
    ids=["the live picture", "JupyterLab"],
)
def test_no_grammar_is_compiled_and_a_learner_who_wants_it_has_it(first: str) -> None:
    """jsonschema is there without it; an import of it afterwards finds it as ever."""
    code = (
        f"import sys\n{first}\n"
        f"print('jsonschema' in sys.modules, 'lark' in sys.modules, {GRAMMAR!r} in sys.modules)\n"
        f"import {GRAMMAR}\nprint({GRAMMAR}.is_valid_syntax('iri', 'http://a/b'))"
    )
    assert told_by(code) == ["True False False", "True"]


def test_one_that_is_there_already_stays() -> None:
    """What was imported before stays, and so does an import that fails inside."""
    code = (
        "import sys, types\nfrom bpdemo.core.spared import GRAMMAR, spared_grammar\n"
        "try:\n    with spared_grammar():\n        raise ValueError\nexcept ValueError:\n"
        "    print(GRAMMAR in sys.modules)\n"
        "mine = sys.modules[GRAMMAR] = types.ModuleType(GRAMMAR)\n"
        "with spared_grammar():\n    print(sys.modules[GRAMMAR] is mine)\n"
        "print(sys.modules[GRAMMAR] is mine)"
    )
    assert told_by(code) == ["False", "True", "True"]


def test_no_schema_of_jupyter_has_its_formats() -> None:
    """Or what is spared would be missed: none of the schemas that come with Jupyter names them."""
    import importlib.util
    from pathlib import Path

    packages = ("nbformat", "jupyter_events", "jupyter_server", "jupyterlab", "jupyterlab_server")
    seen = 0
    for package in packages:
        found = importlib.util.find_spec(package)
        assert found is not None
        assert found.origin is not None
        for path in Path(found.origin).parent.rglob("*.[jy]*"):
            if path.suffix in {".json", ".yaml", ".yml"} and "schema" in str(path):
                seen += 1
                assert "iri" not in path.read_text("utf-8", "replace").split('"'), path
    assert seen > 20
