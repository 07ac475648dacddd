"""Tests of the pages in a real browser: no finding of axe, nothing blocked by the policy, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from doorward.web.pages import language
from tests.pages.app import App, app
from tests.pages.gallery import LEAVING, VIEWS, browser, page_of, served
from tests.pages.markup import Element, read

pytestmark = pytest.mark.browser
NAMES = sorted(set(VIEWS) - LEAVING)
# One of each layout; its longest words can overflow a narrow page.
LAYOUTS = sorted({name for name in NAMES if "error-" not in name})
# Dark mode changes only the colours, another language all but the colours.
COLOURS: dict[str, Any] = {"runOnly": {"type": "tag", "values": ["cat.color"]}}
ALL_BUT_COLOURS: dict[str, Any] = {"rules": {"color-contrast": {"enabled": False}}}
Kind = tuple[object, ...]


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


def _kinds(name: str) -> frozenset[Kind]:
    """The kinds of elements of a page that can differ in their colours."""

    def look(element: Element | None) -> tuple[str, str | None] | None:
        return None if element is None else (element.tag, element.attributes.get("class"))

    return frozenset(
        (look(one), look(one.parent), one.attributes.get("type"), "disabled" in one.attributes)
        for one in read(page_of(name, "en"))
    )


def _of_each_kind() -> set[str]:
    """Pages that together have an element of every kind, each with one that no page before it has: first those with most."""
    left = {name: _kinds(name) for name in sorted(VIEWS)}
    chosen: set[str] = set()
    seen: set[Kind] = set()
    while True:
        most = max(left, key=lambda name: len(left[name] - seen))
        if not left[most] - seen:
            return chosen
        chosen.add(most)
        seen |= left[most]


def _findings(page: Page, options: dict[str, Any]) -> list[object]:
    results = page.evaluate("(options) => axe.run(options)", {**options, "resultTypes": ["violations"]})
    assert results["passes"], "axe looked at something"
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in results["violations"]]


@pytest.mark.parametrize(
    "colours", ["of each kind", pytest.param("of all", marks=pytest.mark.soak)], ids=lambda one: one
)
def test_axe_finds_nothing_and_the_policy_blocks_nothing(chrome: Browser, origin: str, colours: str) -> None:
    """Every page; its colours, in light and in dark, where it has a kind of element that the others do not show."""
    coloured = _of_each_kind() if colours == "of each kind" else set(VIEWS)
    context = chrome.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(AXE_SCRIPT)
    page = context.new_page()
    said = _watched(page)
    found: dict[str, object] = {}
    for name in sorted(VIEWS):
        page.emulate_media(color_scheme="light")
        page.goto(f"{origin}/en/{name}{'?stay' if name in LEAVING else ''}")
        wrong = _findings(page, {} if name in coloured else ALL_BUT_COLOURS)
        if name in coloured:
            page.emulate_media(color_scheme="dark")
            wrong += _findings(page, COLOURS)
        if wrong:
            found[name] = wrong
    context.close()
    assert found == {}
    assert said == []


@pytest.mark.parametrize(
    "names", [LAYOUTS[::4], pytest.param(LAYOUTS, marks=pytest.mark.soak)], ids=["a quarter", "all"]
)
def test_axe_finds_nothing_in_arabic_on_a_phone(chrome: Browser, origin: str, names: list[str]) -> None:
    context = chrome.new_context(viewport={"width": 360, "height": 760})
    context.add_init_script(AXE_SCRIPT)
    page = context.new_page()
    found: dict[str, object] = {}
    for name in names:
        page.goto(f"{origin}/ar/{name}")
        if wrong := _findings(page, ALL_BUT_COLOURS):
            found[name] = wrong
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
    looked_at = 0
    for name in NAMES:
        # every other page has none to look at
        if 'type="button"' in page_of(name, "en"):
            page.goto(f"{origin}/en/{name}")
            for button in page.locator("button[type=button]").all():
                looked_at += 1
                assert not button.is_visible(), name
    context.close()
    assert looked_at > 20


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
