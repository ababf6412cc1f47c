"""One browser for each module: playwright keeps a loop running, which other tests must not meet."""

from collections.abc import Iterator

import pytest

from tests.support.browser import SCREEN, Browser, Journal, Page, chromium


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with chromium(chromium_path) as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport=SCREEN) as context:
        yield context.new_page()


@pytest.fixture
def journal(page: Page) -> Journal:
    return Journal().keep(page)
