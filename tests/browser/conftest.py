"""One browser for all tests here: starting one takes a second, a fresh page nothing."""

from collections.abc import Iterator

import pytest

from tests.support.browser import SCREEN, Browser, Journal, Page, chromium


@pytest.fixture(scope="package")
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
