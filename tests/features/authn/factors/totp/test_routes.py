"""Factor pages: factors change only after a recent proof."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from doorward.web.pages import qr
from tests.browsing import SESSION
from tests.people import (
    OTHER_PASSWORD,
    PASSWORD,
    House,
    code_for,
    key_bytes,
)
from tests.slow_import import SlowImport

pytestmark = pytest.mark.anyio
SENSITIVE = (
    "/account/methods/password",
    "/account/methods/authenticator",
    "/account/methods/authenticator/remove",
    "/account/methods/recovery",
)


async def test_two_people_set_up_an_app_first_in_a_process(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0125-the-second-request-waited-for-an-import.md"""
    await house.person()
    browser = await house.signed_in()
    slow = SlowImport(qr.segno, monkeypatch)
    pages = await slow.both(lambda: browser.get("/account/methods/authenticator"))
    assert all("data:image/svg" in str(page) for page in pages)


@pytest.mark.requirement(73)
async def test_sensitive_changes_ask_again_after_ten_minutes(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    token = await browser.csrf()
    house.later(601)
    for path in SENSITIVE:
        page = await browser.post(path, {"csrf": token, "current": PASSWORD, "new": OTHER_PASSWORD})
        assert page.status == 303, path
        assert (page.header("location") or "").startswith("/account/confirm?return_to=/account/methods")
    page = await browser.get("/account/methods/authenticator")
    confirm = await browser.follow(page)
    wrong = await browser.submit(confirm, "confirm", password="not it")
    assert (wrong.status, wrong.problem) == (400, "That password isn't right.")
    done = await browser.submit(wrong, "confirm", password=PASSWORD)
    assert done.header("location") == "/account/methods/authenticator"
    assert (await browser.follow(done)).status == 200
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_hash == account.password_hash


@pytest.mark.requirement(73, 85)
async def test_confirming_requires_the_same_factors_as_signing_in(house: House) -> None:
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    await browser.submit(asked, "second-factor", code=code_for(seed, house.now))
    house.later(700)
    page = await browser.get("/account/confirm?return_to=/account/methods")
    asked = await browser.submit(page, "confirm", password=PASSWORD)
    assert (asked.header("location") or "").startswith("/sign-in/code")
    token = await browser.csrf()
    refused = await browser.post("/account/methods/recovery", {"csrf": token})
    assert (refused.header("location") or "").startswith("/account/confirm")
    code_page = await browser.follow(asked)
    done = await browser.submit(code_page, "second-factor", code=code_for(seed, house.now))
    assert done.header("location") == "/account/methods"
    shown = await browser.post("/account/methods/recovery", {"csrf": token})
    assert shown.status == 200


async def test_return_to_never_leaves_the_account_pages(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    for bad in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/accountant",
        "/account/../x",
        "/account?x",
    ):
        page = await browser.get(f"/account/confirm?return_to={bad}")
        assert page.forms["confirm"].fields["return_to"] == "/account", bad
        fields = {**page.forms["confirm"].fields, "return_to": bad, "password": PASSWORD}
        done = await browser.post("/account/confirm", fields)
        assert done.header("location") == "/account", bad


@pytest.mark.requirement(68)
async def test_the_page_sets_a_new_password(house: House) -> None:
    await house.person()
    browser, other = await house.signed_in(), await house.signed_in()
    page = await browser.get("/account/methods")
    for typed, said in (
        ({"current": "", "new": OTHER_PASSWORD}, "Enter a password."),
        ({"current": "wrong", "new": OTHER_PASSWORD}, "That password isn't right."),
        ({"current": PASSWORD, "new": "short"}, "15 characters"),
        ({"current": PASSWORD, "new": PASSWORD}, "That is your current password."),
    ):
        answer = await browser.submit(page, "password-change", **typed)
        assert answer.status == 400
        assert said in answer.words
    before = browser.cookies[SESSION]
    done = await browser.submit(page, "password-change", current=PASSWORD, new=OTHER_PASSWORD)
    shown = await browser.follow(done)
    assert 'id="done"' in shown.text
    assert browser.cookies[SESSION] != before
    assert (await other.get("/account")).status == 303
    assert (await house.browser().sign_in(password=PASSWORD)).status == 400
    assert (await house.browser().sign_in(password=OTHER_PASSWORD)).status == 303


@pytest.mark.requirement(82, 84)
async def test_an_authenticator_is_set_up_used_and_removed(house: House) -> None:
    account = await house.person()
    browser = await house.signed_in()
    setup = await browser.get("/account/methods/authenticator")
    uri = re.search(r'href="(otpauth://[^"]+)"', setup.text)
    assert uri is not None
    secret = parse_qs(urlsplit(unquote(uri.group(1)).replace("&amp;", "&")).query)["secret"][0]
    seed = key_bytes(secret)
    assert "data:image/svg+xml" in setup.text
    wrong = await browser.submit(setup, "authenticator", code="12345")
    assert wrong.status == 400
    assert secret in wrong.text.replace(" ", "").replace("&#x200B;", "") or "otpauth" in wrong.text
    codes = await browser.submit(wrong, "authenticator", code=code_for(seed, house.now))
    assert codes.status == 200
    shown = re.findall(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", codes.text)
    assert len(set(shown)) == 10

    house.later(60)
    fresh = house.browser()
    asked = await fresh.follow(await fresh.sign_in())
    assert (await fresh.submit(asked, "second-factor", code=shown[0])).header("location") == "/account"

    methods = await browser.get("/account/methods")
    assert "9 of 10 left" in methods.words
    ask = await browser.submit(methods, "authenticator-remove")
    assert ask.status == 200
    assert (await browser.submit(ask, "confirm", password="")).status == 400
    assert (await browser.submit(ask, "confirm", password="wrong")).status == 400
    done = await browser.follow(await browser.submit(ask, "confirm", password=PASSWORD))
    assert 'id="done"' in done.text
    assert await house.store.accounts.factors(account.id) == []


@pytest.mark.requirement(77)
async def test_with_a_short_password_the_app_stays_and_the_page_says_what_to_do(house: House) -> None:
    account = await house.person(password="kV3#zPq9")
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in(password="kV3#zPq9"))
    await browser.submit(asked, "second-factor", code=code_for(seed, house.now))
    ask = await browser.submit(await browser.get("/account/methods"), "authenticator-remove")
    page = await browser.submit(ask, "confirm", password="kV3#zPq9")
    assert page.status == 400
    assert "15 characters" in page.words
    assert "password-change" in page.forms
    assert len(await house.store.accounts.factors(account.id)) == 11


async def test_an_expired_set_up_page_starts_again(house: House) -> None:
    await house.person()
    browser = await house.signed_in()
    setup = await browser.get("/account/methods/authenticator")
    fields = {**setup.forms["authenticator"].fields, "setup": "nonsense", "code": "123456"}
    page = await browser.post("/account/methods/authenticator", fields)
    assert (page.status, page.header("location")) == (303, "/account/methods/authenticator")


async def test_password_managers_find_the_change_page(house: House) -> None:
    page = await house.browser().get("/.well-known/change-password")
    assert (page.status, page.header("location")) == (303, "/account/methods")
