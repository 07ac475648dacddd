"""Tests of the pages in a real browser: no finding of axe, nothing blocked by the policy, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from doorward.web.pages import language
from tests.pages.app import App, app
from tests.pages.gallery import LEAVING, browser, served
from tests.pages.samples import samples

pytestmark = pytest.mark.browser
NAMES = sorted(set(samples()) - LEAVING)
# One of each layout; its longest words can overflow a narrow page.
LAYOUTS = sorted({name for name in NAMES if "error-" not in name})
# Dark mode changes only the colours, another language all but the colours; error pages differ in their sentences.
COLOURS = {"runOnly": {"type": "tag", "values": ["cat.color"]}}
ALL_BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}
LOOKS = {"light": (None, sorted(samples())), "dark": (COLOURS, sorted({*LAYOUTS, *LEAVING}))}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def chrome(chromium: Path) -> Iterator[Browser]:
    with browser(chromium) as opened:
        yield opened


@pytest.fixture
def foreign() -> Iterator[App]:
    with app() as running:
        yield running


def _watched(page: Page) -> list[str]:
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_the_policy_blocks_nothing(chrome: Browser, origin: str, scheme: str) -> None:
    context = chrome.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 800})  # type: ignore[arg-type]
    page = context.new_page()
    said = _watched(page)
    found: dict[str, object] = {}
    options, names = LOOKS[scheme]
    for name in names:
        page.goto(f"{origin}/en/{name}{'?stay' if name in LEAVING else ''}")
        results = Axe().run(page, options=options)
        checked = results.response["passes"]
        assert checked, "axe looked at something"
        if results.violations_count:
            found[name] = [(v["id"], [n["html"] for n in v["nodes"]]) for v in results.response["violations"]]
    context.close()
    assert found == {}
    assert said == []


@pytest.mark.parametrize(
    "names", [LAYOUTS[::4], pytest.param(LAYOUTS, marks=pytest.mark.soak)], ids=["a quarter", "all"]
)
def test_axe_finds_nothing_in_arabic_on_a_phone(chrome: Browser, origin: str, names: list[str]) -> None:
    context = chrome.new_context(viewport={"width": 360, "height": 760})
    page = context.new_page()
    found: dict[str, object] = {}
    for name in names:
        page.goto(f"{origin}/ar/{name}")
        results = Axe().run(page, options=ALL_BUT_COLOURS)
        if results.violations_count:
            found[name] = [(v["id"], [n["html"] for n in v["nodes"]]) for v in results.response["violations"]]
    context.close()
    assert found == {}


@pytest.mark.parametrize(
    "locale",
    # the longest words, and those that are written from the right
    [
        pytest.param(one, marks=() if one in {"de", "ar"} else pytest.mark.soak)
        for one in sorted(language.LOCALES)
    ],
)
def test_nothing_scrolls_sideways_on_320_pixels(chrome: Browser, origin: str, locale: str) -> None:
    context = chrome.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    wide: list[str] = []
    for name in LAYOUTS:
        page.goto(f"{origin}/{locale}/{name}")
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(name)
    context.close()
    assert wide == []


def test_the_sign_in_page_makes_at_most_4_requests_to_this_server_alone(chrome: Browser, origin: str) -> None:
    page = chrome.new_page()
    made: list[str] = []

    def note(request: Request) -> None:
        made.append(request.url)

    page.on("request", note)
    page.goto(f"{origin}/en/sign-in", wait_until="networkidle")
    page.close()
    assert 3 <= len(made) <= 4
    assert all(url.startswith(origin) for url in made)


def test_show_reveals_the_password_and_sending_hides_it_again(chrome: Browser, origin: str) -> None:
    page = chrome.new_page()
    page.goto(f"{origin}/en/sign-in")
    page.fill("#password", "correct horse")
    field, button = page.locator("#password"), page.locator("#password-show")
    assert field.get_attribute("type") == "password"
    button.click()
    assert (field.get_attribute("type"), button.inner_text()) == ("text", "Hide")
    assert button.get_attribute("aria-label") == "Hide password"
    button.click()
    assert (field.get_attribute("type"), button.inner_text()) == ("password", "Show")
    button.click()
    page.evaluate("document.getElementById('sign-in').addEventListener('submit', (e) => e.preventDefault())")
    page.fill("#identifier", "ada@example.com")
    page.click("#submit")
    assert field.get_attribute("type") == "password"
    page.close()


def test_times_are_shown_in_the_browser_s_own_zone(chrome: Browser, origin: str) -> None:
    context = chrome.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.goto(f"{origin}/de/sign-in-throttled")
    assert page.locator("#problem time").inner_text() == "23:33"
    context.close()


@pytest.mark.parametrize(
    ("theirs", "page_is", "told"),
    [
        ("en-GB", "en", "22 November 2026"),
        ("en-US", "en", "November 22, 2026"),
        # a page in another language than the browser's uses the page's language
        ("en-US", "de", "22. November 2026"),
    ],
)
def test_dates_follow_the_browser_s_variant_of_the_language(
    chrome: Browser, origin: str, theirs: str, page_is: str, told: str
) -> None:
    context = chrome.new_context(timezone_id="UTC", locale=theirs)
    page = context.new_page()
    page.goto(f"{origin}/{page_is}/activity")
    first = page.locator("#activity time").first.inner_text()
    context.close()
    assert first.startswith(told)


def test_recovery_codes_can_be_copied_and_downloaded(chrome: Browser, origin: str, tmp_path: Path) -> None:
    context = chrome.new_context(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    page = context.new_page()
    page.goto(f"{origin}/en/recovery-codes")
    page.click("#copy")
    page.wait_for_function("document.getElementById('copy').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as waiting:
        page.click("#download")
    waiting.value.save_as(tmp_path / "codes.txt")
    saved = (tmp_path / "codes.txt").read_text()
    shown = page.locator("#codes code").all_inner_texts()
    context.close()
    assert len(shown) == 10
    assert copied.split("\n") == shown
    assert saved.split("\n")[2:] == shown
    assert saved.startswith("Recovery codes for ada@example.com at auth.example.com.")


def test_without_scripts_no_button_is_without_effect(chrome: Browser, origin: str) -> None:
    context = chrome.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in NAMES:
        page.goto(f"{origin}/en/{name}")
        for button in page.locator("button[type=button]").all():
            assert not button.is_visible(), name
    context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_final_post_reaches_the_app_although_form_action_is_self(
    chrome: Browser, foreign: App, scripts: bool
) -> None:
    context = chrome.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(foreign.start + "/start?then=continue")
    page.click("#submit")
    page.wait_for_url(foreign.callback + "**")
    context.close()
    assert foreign.received == [("GET", "/callback?code=a%22b&iss=x", "")]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_posted_response_reaches_the_app_under_its_own_policy(
    chrome: Browser, foreign: App, scripts: bool
) -> None:
    context = chrome.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(foreign.start + "/start?then=form-post")
    page.click("#submit")
    if not scripts:
        page.click("#continue")
    page.wait_for_url(foreign.callback + "**")
    context.close()
    assert foreign.received == [("POST", "/callback", "code=a%22b&submit=x")]


def test_without_its_policy_the_posted_response_would_not_arrive(chrome: Browser, foreign: App) -> None:
    page = chrome.new_page()
    page.goto(foreign.start + "/start?then=form-post-strict")
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.click("#submit")
    page.close()
    assert foreign.received == []
