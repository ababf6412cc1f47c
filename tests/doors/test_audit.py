"""`make audit` tells good news only of what was looked up."""

from types import ModuleType

import pytest

from tests.support.scripts import script


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    return script("audit")


CLEAN = {"name": "quiet", "version": "1.0", "vulns": []}
SKIPPED = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}
BAD = {
    "name": "leaky",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": "…"}],
}
REPORTS = [
    ([CLEAN, CLEAN], 0, "No known vulnerability in 2 packages."),
    ([CLEAN, BAD], 1, "leaky 2.0: PYSEC-1, fixed in 2.1"),
    ([CLEAN, SKIPPED], 2, "1 of 2 packages not looked up."),
    ([SKIPPED, BAD], 1, "leaky 2.0"),
    ([], 2, "0 of 0 packages not looked up."),
]


@pytest.mark.parametrize(("packages", "code", "line"), REPORTS)
def test_only_what_was_looked_up_is_called_good(audit, capsys, packages, code, line):
    """A package that could not be looked up is no package without vulnerabilities."""
    assert audit.judge(audit.read({"dependencies": packages, "fixes": []})) == code
    said = capsys.readouterr()
    assert line in said.out + said.err
