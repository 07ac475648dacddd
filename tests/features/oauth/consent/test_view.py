"""Consent page: plain words for the person, and no answer by another page."""

from __future__ import annotations

import pytest

from tests.browsing import SESSION
from tests.features import made
from tests.front_channel import Front
from tests.tabs import said, sent_to

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
OWN = made.client(id="app_own", name="own", first_party=True, redirect_uris=("https://own.example.com/cb",))
APPS = (OWN,)


@pytest.mark.requirement(12)
async def test_the_page_shows_app_host_scopes_and_duration(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client(), scope="openid orders:read offline_access")))
    assert "web" in page.words
    assert "app.example.com" in page.words
    assert "ada@example.com" in page.words
    assert "See your orders" in page.words
    assert "30 days, also while you are away" in page.words
    assert await front.store.sessions.consents_of("usr_ada") == []


@pytest.mark.requirement(12)
async def test_consent_is_not_asked_again_until_more_is_requested(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    await tab.submit(page, "consent", decision="allow")
    assert "code" in said(await tab.get(front.asking(made.client())))
    more = await tab.get(front.asking(made.client(), scope="openid orders:read email"))
    assert (more.header("location") or "").startswith("/consent?")


async def test_the_page_names_what_the_account_may_not_do(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client(), scope="openid orders:read orders:write")))
    assert "web also asked for what your account may not do. It is left out: orders:write" in page.words
    await tab.submit(page, "consent", decision="allow")
    (grant,) = await front.store.grants.live_of_account("usr_ada", front.now)
    assert grant.scopes == ("openid", "orders:read")


async def test_a_person_whose_roles_give_nothing_is_told_so_each_time(front: Front) -> None:
    await front.person(id="usr_eve", email="eve@example.com", role_names=())
    tab = front.browser()
    await tab.sign_in("eve@example.com")
    for _ in range(2):
        # without the second page, a client that was refused by the API would come and go unseen
        page = await tab.on(await tab.get(front.asking(made.client(), scope="orders:read offline_access")))
        assert "Your account may do nothing with" in page.words
        assert "Ask whoever runs it for access." in page.words
        assert "code" in said(await tab.submit(page, "consent", decision="allow"))


@pytest.mark.requirement(12)
async def test_cancel_returns_an_error_and_grants_nothing(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    answer = said(await tab.submit(page, "consent", decision="deny"))
    assert answer["error"] == "access_denied"
    assert answer["iss"] == made.ISSUER
    assert await front.store.sessions.consents_of("usr_ada") == []
    assert await front.store.grants.live_of_account("usr_ada", front.now) == []


@pytest.mark.requirement(12)
async def test_a_public_app_at_an_address_that_others_can_claim_always_needs_consent(front: Front) -> None:
    native = await front.register(made.public(id="app_cli", redirect_uris=("http://127.0.0.1/cb",)))
    tab = await front.signed_in()
    for _ in range(2):
        page = await tab.on(await tab.get(front.asking(native, redirect_uri="http://127.0.0.1:4000/cb")))
        assert "127.0.0.1:4000" in page.words
        page = await tab.submit(page, "consent", decision="allow")
        assert sent_to(page).startswith("http://127.0.0.1:4000/cb?code=")


@pytest.mark.requirement(70)
async def test_consent_cannot_be_given_from_another_page(front: Front) -> None:
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    forged = [
        await tab.post("/consent", {**fields, "csrf": ""}),
        await tab.post("/consent", {**fields, "csrf": "A" * 43}),
        await tab.post("/consent", {name: fields[name] for name in ("flow", "decision")}),
        await tab.post("/consent", fields, origin="https://evil.example", site="cross-site"),
        await tab.post("/consent", fields, origin="null", site="cross-site"),
        await tab.post("/consent", fields, origin=None, site="cross-site"),
        await tab.post("/consent", fields, origin=None, site="same-site"),
        await tab.foreign_post("/consent", fields),
    ]
    for answer in forged:
        assert "code=" not in answer.text + (answer.header("location") or "")
    assert await front.store.sessions.consents_of("usr_ada") == []
    assert "code" in said(await tab.post("/consent", fields))


async def test_consent_counts_only_for_the_account_that_opened_the_page(front: Front) -> None:
    """Ada opens the page and Eve signs in in another tab; the page's Allow does not count for Eve."""
    await front.person(id="usr_eve", email="eve@example.com")
    tab = await front.signed_in()
    page = await tab.on(await tab.get(front.asking(made.client())))
    fields = {**page.forms["consent"].fields, "decision": "allow"}
    tab.cookies.pop(SESSION)
    await tab.sign_in("eve@example.com")
    answer = await tab.post("/consent", fields)
    assert (answer.header("location") or "").startswith("/sign-in?flow=")
    for account in ("usr_ada", "usr_eve"):
        assert await front.store.sessions.consents_of(account) == []
        assert await front.store.grants.live_of_account(account, front.now) == []
