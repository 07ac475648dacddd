"""Test of pages in a browser with larger text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.gallery import browser, served

pytestmark = pytest.mark.browser


def test_text_grows_with_the_browser_s_own_size_and_nothing_scrolls_sideways(chromium: Path) -> None:
    with served() as origin, browser(chromium, "--blink-settings=defaultFontSize=28") as large:
        page = large.new_page(viewport={"width": 360, "height": 800})
        page.goto(f"{origin}/en/sign-in")
        size = "element => getComputedStyle(element).fontSize"
        assert page.locator("body").evaluate(size) == "28px"
        assert page.locator("#identifier").evaluate(size) == "28px"
        assert page.locator("label[for=identifier]").evaluate(size) == "24.5px"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
