"""Passkeys over HTTP: on the sign-in page, after a password, and in an app's sign-in."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.authenticator import Authenticator
from tests.browsing import Page
from tests.features import made
from tests.features.authn.factors.passkeys.owners import device
from tests.front_channel import Front, front_channel
from tests.tabs import Tab, said

pytestmark = pytest.mark.anyio


@pytest.fixture
async def front() -> AsyncGenerator[Front]:
    async with front_channel() as opened:
        await opened.person()
        yield opened


async def options(tab: Tab, flow: str | None = None) -> dict[str, Any]:
    """The options that a page which stays open asks for."""
    page = await tab.get("/sign-in/passkey/options" + (f"?flow={flow}" if flow else ""))
    assert page.status == 200
    assert page.header("cache-control") == "no-store"
    return json.loads(page.text)


async def added(front: Front, phone: Authenticator, **fields: str) -> Page:
    """A passkey of Ada, added on her account pages."""
    tab = await front.signed_in()
    page = await tab.get("/account/methods/passkeys")
    form = page.forms["passkey-new"]
    made = phone.create(asked_of(page))
    return await tab.post(form.action, {**form.fields, "credential": made, **fields})


def asked_of(page: Page) -> dict[str, Any]:
    """The options in a page."""
    found = page.text.partition('data-options="')[2].partition('"')[0]
    return json.loads(found.replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&"))


async def use(tab: Tab, page: Page, phone: Authenticator, **changes: Any) -> Page:
    """Answer the form of a page with a passkey."""
    return await tab.submit(page, "passkey", credential=phone.get(asked_of(page), **changes))


@pytest.mark.requirement(86)
async def test_a_passkey_is_added_and_signs_in_alone(front: Front) -> None:
    phone = device()
    page = await added(front, phone)
    assert (page.status, (page.header("location") or "").partition("?")[0]) == (303, "/account/methods")
    tab = front.browser()
    page = await tab.get("/sign-in/passkey")
    page = await use(tab, page, phone)
    assert page.header("location") == "/account"
    assert (await tab.get("/account")).status == 200


async def test_an_apps_sign_in_says_how_the_person_signed_in(front: Front) -> None:
    phone = device()
    await added(front, phone)
    app = await front.register(made.client())
    tab = front.browser()
    page = await tab.on(await tab.get(front.asking(app)))
    flow = page.forms["sign-in"].fields["flow"]
    page = await tab.get(f"/sign-in/passkey?flow={flow}")
    page = await tab.on(await use(tab, page, phone))
    page = await tab.submit(page, "consent", decision="allow")
    assert "code" in said(page)
    sessions = await front.store.sessions.live_of("usr_ada", front.now)
    # the one in which the passkey was added has shown the password as well
    assert sorted(sorted(one.amr) for one in sessions) == [
        ["mfa", "pwd", "swk", "user"],
        ["mfa", "swk", "user"],
    ]
    assert {one.acr for one in sessions} == {"urn:doorward:aal2"}


async def test_new_options_are_for_this_browser_and_sign_in_only(front: Front) -> None:
    tab = front.browser()
    assert (await options(tab))["allowCredentials"] == []
    app = await front.register(made.client())
    page = await tab.on(await tab.get(front.asking(app)))
    flow = page.forms["sign-in"].fields["flow"]
    assert (await options(tab, flow))["userVerification"] == "required"
    stranger = front.browser()
    for browser, asked in ((stranger, flow), (tab, "sin_unknown")):
        page = await browser.get(f"/sign-in/passkey/options?flow={asked}")
        assert page.status == 404


async def test_a_key_that_is_asked_for_after_the_password_is_shown_there(front: Front) -> None:
    key = device(verified=False, synced=False, transports=("usb",))
    await added(front, key)
    tab = front.browser()
    page = await tab.follow(await tab.sign_in())
    assert page.path.startswith("/sign-in/passkey")
    assert "ada@example.com" in page.words
    asked = asked_of(page)
    assert len(asked["allowCredentials"]) == 1
    page = await use(tab, page, key)
    assert page.header("location") == "/account"


async def test_a_passkey_that_a_manager_keeps_is_not_asked_for_after_the_password(front: Front) -> None:
    await added(front, device())
    tab = front.browser()
    assert (await tab.sign_in()).header("location") == "/account"


async def test_what_is_wrong_is_said_and_the_other_way_stays(front: Front) -> None:
    phone = device()
    await added(front, phone)
    tab = front.browser()
    page = await tab.get("/sign-in/passkey")
    page = await use(tab, page, phone, signature=b"wrong")
    assert page.status == 400
    assert "didn't work" in (page.problem or "")
    phone.verified = False
    page = await use(tab, page, phone)
    assert "fingerprint" in (page.problem or "")
    phone.verified = True
    await use(tab, page, phone)
    tab = front.browser()
    (mine,) = await front.store.passkeys.of_account("usr_ada")
    await front.store.commit(front.store.accounts.remove_factor("usr_ada", mine.factor_id))
    page = await tab.get("/sign-in/passkey")
    page = await use(tab, page, phone)
    assert "isn't known here" in (page.problem or "")
    assert "unknownCredential" in page.text
    assert "/sign-in" in page.text
    page = await tab.submit(page, "passkey", credential="")
    assert "didn't work" in (page.problem or "")


async def test_a_page_that_is_out_of_date_is_shown_again(front: Front) -> None:
    phone = device()
    await added(front, phone)
    tab = front.browser()
    page = await tab.get("/sign-in/passkey")
    page = await tab.submit(page, "passkey", credential=phone.get(asked_of(page)), csrf="wrong")
    assert page.status == 403
    page = await use(tab, page, phone)
    assert page.header("location") == "/account"


async def test_the_page_leads_elsewhere_when_no_passkey_can_come_next(front: Front) -> None:
    tab = front.browser()
    page = await tab.get("/sign-in")
    page = await tab.follow(await tab.sign_in())
    assert page.path == "/account"
    async with front_channel(passkeys=PasskeyPolicy(enabled=False)) as plain:
        await plain.person()
        assert (await plain.browser().get("/sign-in/passkey")).status == 404


async def test_well_known_documents(front: Front) -> None:
    tab = front.browser()
    page = await tab.get("/.well-known/passkey-endpoints")
    assert json.loads(page.text)["manage"].endswith("/account/methods")
