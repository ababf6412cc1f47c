"""What axe-core finds wrong with a page for people who cannot see, or cannot use a mouse."""

from typing import Any

import pytest

from tests.support.browser import Page
from tests.support.scripts import script

SERIOUS = ("serious", "critical")


def serious_faults(page: Page) -> list[str]:
    """The rule and the place of each; skipped, with the reason, where axe-core is not to be had.

    It is fetched with what the playground is made of, which may be here before the playground."""
    playground = script("playground")
    try:
        modules = playground.fetch_packages()
    except playground.CannotFetch as why:
        pytest.skip(str(why))
    page.add_script_tag(path=modules / "axe-core" / "axe.min.js")
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']} ({fault['help']}): {node['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"][:3]
    ]
