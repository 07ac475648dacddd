"""Demo app in Chromium, with scripts and without: from its button to the orders and back out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.demo import running

pytestmark = pytest.mark.browser
PASSWORD = "nine patient herons wait"


@pytest.fixture(scope="module")
def chrome(chromium: Path) -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=arguments)
        yield browser
        browser.close()


def found_by_axe(page: Page) -> list[str]:
    results = Axe().run(page)
    assert results.response["passes"], "axe looked at something"
    return [f"{page.url}: {violation['id']}" for violation in results.response["violations"]]


@pytest.mark.parametrize(
    ("width", "scripts"),
    [
        (360, True),
        (1280, False),
        pytest.param(1280, True, marks=pytest.mark.soak),
        pytest.param(360, False, marks=pytest.mark.soak),
    ],
)
def test_sign_up_verify_orders_and_sign_out(
    dev: running.Dev, chrome: Browser, scripts: bool, width: int
) -> None:
    places = dev.state.places
    email = f"grace{width}{'s' if scripts else 'n'}@example.com"
    context = chrome.new_context(java_script_enabled=scripts, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(places.shop)
    page.click("#sign-in")
    page.click("#to-sign-up")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.fill("#name", "Grace Host")
    page.click("#submit")
    page.wait_for_selector("#code")
    mail = context.new_page()
    mail.goto(f"{places.issuer}/_dev/outbox")
    code = mail.locator("article", has_text=email).locator(".big-code").first.inner_text()
    mail.close()
    page.fill("#code", code)
    page.click("#submit")
    page.click("#allow")
    page.wait_for_selector("#orders")
    assert page.inner_text("#name") == "Grace Host"
    assert page.locator("#orders tbody tr").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#sign-out")
    page.wait_for_selector("#done")
    page.goto(places.shop)
    assert page.locator("#orders").count() == 0
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_app_and_api(
    dev: running.Dev, chrome: Browser, scheme: str
) -> None:
    places = dev.state.places
    context = chrome.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    found: list[str] = []
    for url in (places.shop, f"{places.shop}/nothing", f"{places.api}/docs"):
        page.goto(url)
        found += found_by_axe(page)
    page.goto(f"{places.shop}/sign-in")
    page.fill("#identifier", "alice@example.com")
    page.fill("#password", "seven green lanterns")
    page.click("#submit")
    page.wait_for_selector("#allow, #orders")
    if page.locator("#allow").count():
        page.click("#allow")
    page.wait_for_selector("#orders")
    for details in page.locator("summary").all():
        details.click()
    found += found_by_axe(page)
    page.fill("#item", "Bell")
    page.click("#place")
    page.wait_for_selector("#placed-problem")
    found += found_by_axe(page)
    page.click("#sign-out")
    page.wait_for_selector("#done")
    found += found_by_axe(page)
    context.close()
    assert found == []
    ours = (places.issuer, places.shop, places.api, "data:")
    assert [url for url in fetched if not url.startswith(ours)] == [], "nothing is fetched from anywhere else"
