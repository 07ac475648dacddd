"""Tests of the browser checks themselves: each kind of fault is detected."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person, person
from tests.browser.watched import Checked, audit
from tests.demo import running

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(chrome: Browser, dev: running.Dev, checked: Checked) -> Person:
    return person(chrome, dev.state.places, checked, scripts=True)


def test_a_load_blocked_by_the_policy_is_detected(visitor: Person) -> None:
    visitor.open(f"{visitor.places.issuer}/sign-in", "Sign in")
    with visitor.page.expect_console_message(lambda message: "policy violated" in message.text):
        visitor.page.evaluate("document.querySelector('h1').setAttribute('style', 'color: red')")
    assert any("policy violated: style-src" in words for words in visitor.leave())


def test_foreign_loads_and_errors_are_detected(visitor: Person) -> None:
    visitor.open(f"{visitor.places.shop}", "See your orders")
    visitor.page.evaluate("setTimeout(() => { throw new Error('out of ink') })")
    visitor.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)")
    visitor.page.goto(f"{visitor.places.issuer}/sign-in")
    wrong = "\n".join(visitor.leave())
    assert "out of ink" in wrong
    assert "connect-src" in wrong or "fetched from elsewhere" in wrong


def test_a_page_that_answers_400_is_no_complaint(visitor: Person) -> None:
    visitor.open(f"{visitor.places.issuer}/sign-in", "Sign in")
    visitor.enter("nobody@example.com", "not the password", "Sign in")
    expect(visitor.page.locator("#problem")).to_be_visible()
    assert visitor.leave() == []


def test_a_page_with_mistakes_does_not_pass(chrome: Browser, scripts: bool, tmp_path: Path) -> None:
    context = chrome.new_context(java_script_enabled=scripts)
    page = context.new_page()
    body = "<h1>One</h1><h1>Two</h1><input id=problem placeholder=x aria-invalid=true><img src='data:,'>"
    address = f"http://broken-{scripts}.invalid/".lower()
    page.route(address, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(address)
    stand_in = None if scripts else chrome.new_page()
    found = "\n".join(audit(page, stand_in, Checked(tmp_path, {})))
    context.close()
    for mistake in (
        "level-one",
        "no language",
        "no visible label",
        "does not say why",
        "title is silent",
        "image-alt",
    ):
        assert mistake in found
