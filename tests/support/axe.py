"""What axe-core finds wrong with a page for people who cannot see, or cannot use a mouse."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Page

#: Fetched with what the playground is made of: `scripts/playground.py`.
AXE = Path(__file__).resolve().parents[2] / "build/playground/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")


def serious_faults(page: Page) -> list[str]:
    """The rule and the place of each; skipped, with the reason, where there is no axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is fetched by `make playground`, which needs node and npm")
    page.add_script_tag(path=AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']} ({fault['help']}): {node['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"][:3]
    ]
