"""People whose provider gives no address, or one that nobody has proven: what the policy makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from doorward.core.model.account import Account
from tests.features import made
from tests.features.authn.providers.journey import ADA, Journey, journey
from tests.tabs import sent_to

pytestmark = pytest.mark.anyio
PHONE: dict[str, Any] = {"sub": "phone-only", "name": "Ann O."}


async def account_of(there: Journey, subject: str) -> Account | None:
    found = await there.front.store.external_identities.by_subject(there.provider.issuer, subject)
    return None if found is None else await there.front.store.accounts.get(found.account_id)


async def test_somebody_without_an_address_gets_an_account_without_one(tmp_path: Path) -> None:
    """Facebook without an address ends in an account, not in an error: next-auth#7601."""
    async with journey(tmp_path, address="optional") as there:
        tab = there.front.browser()
        page = await there.sign_in(tab, **PHONE)
        assert page.path == "/account"
        assert "We can't send you mail" in page.words
        ann = await account_of(there, "phone-only")
        assert ann is not None
        assert (ann.email, ann.name, ann.shown_as) == (None, "Ann O.", "Ann O.")
        # a later sign-in finds it, on another device, and no mail is written to nobody
        there.front.clock.time += 7200
        assert (await there.sign_in(there.front.browser(), **PHONE)).path == "/account"
        assert await there.front.store.messages.recent_mail(10) == []
        assert len(await there.front.store.sessions.live_of(ann.id, there.front.now)) == 2
        # the first one has older programs refused, which would not know what to do
        assert await there.front.store.meta("schema.needs") is not None


async def test_an_app_is_told_no_address(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        app = await there.front.register(made.public(access={}))
        tab = there.front.browser()
        page = await there.sign_in(tab, there.front.asking(app, scope="openid email profile"), **PHONE)
        if page.path.startswith("/consent"):
            assert "Ann O." in page.words
            page = await tab.on(await tab.submit(page, "consent", decision="allow"))
        code = dict(part.split("=") for part in sent_to(page).partition("?")[2].split("&"))["code"]
        tokens = await there.front.redeem(app, code, redirect_uri=app.redirect_uris[0])
        assert tokens["status"] == 200, tokens
        answer = await tab.ask("GET", "/userinfo", authorization=f"Bearer {tokens['access_token']}")
        told = msgspec.json.decode(answer.text)
        assert told["name"] == "Ann O."
        assert {"email", "email_verified", "preferred_username"}.isdisjoint(told)


@pytest.mark.requirement(89, 90)
async def test_an_unproven_address_is_nobodys_and_never_becomes_proven_by_a_sign_in(tmp_path: Path) -> None:
    """`verified` is never taken from a provider that is not trusted for the address: better-auth#4621."""
    async with journey(tmp_path, address="optional", email_domains=("example.net",)) as there:
        ada = await there.front.person()
        assert ada.email is not None
        for email, verified in ((ada.email, True), (ada.email, False), ("new@example.net", False)):
            claims = {"sub": f"{email} {verified}", "email": email, "email_verified": verified}
            page = await there.sign_in(there.front.browser(), **claims)
            assert page.path == "/account", "the same for every address (R80)"
            found = await account_of(there, claims["sub"])
            assert found is not None
            assert found.id != ada.id
            assert found.email is None
        # the address is still free for whoever proves it
        assert await there.account("new@example.net") is None
        assert await there.mails("provider_connected") == []


async def test_required_asks_for_a_proven_address_first(tmp_path: Path) -> None:
    async with journey(tmp_path) as there:
        page = await there.sign_in(there.front.browser(), **PHONE)
        assert page.path.startswith("/sign-in/address?")
        assert await account_of(there, "phone-only") is None


async def test_no_account_is_made_where_sign_up_is_off(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional", sign_up=False) as there:
        page = await there.sign_in(there.front.browser(), **PHONE)
        assert "Nobody here has connected" in (page.problem or "")
        assert await account_of(there, "phone-only") is None


async def test_a_new_subject_with_the_address_of_a_connected_person_is_refused(tmp_path: Path) -> None:
    """keycloak#26201: an account there that was made anew, or an address that passed on, is another person."""
    async with journey(tmp_path) as there:
        assert (
            await there.sign_in(there.front.browser(), **{**ADA, "email": "ann@example.com"})
        ).path == "/account"
        page = await there.sign_in(
            there.front.browser(), **{**ADA, "sub": "made anew", "email": "Ann@Example.com"}
        )
        assert page.path.startswith("/sign-in/provider?")
        assert "connected to another account of that service" in (page.problem or "")
        assert await account_of(there, "made anew") is None
        ann = await there.account("ann@example.com")
        assert ann is not None
        assert len(await there.front.store.sessions.live_of(ann.id, there.front.now)) == 1


@pytest.mark.requirement(72)
async def test_a_disabled_person_stays_out_with_a_live_session_at_the_provider(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        tab = there.front.browser()
        await there.sign_in(tab, **PHONE)
        ann = await account_of(there, "phone-only")
        assert ann is not None
        await there.front.change(ann, disabled_at=there.front.now)
        for other in (tab, there.front.browser()):
            await other.get("/sign-out")
            page = await there.sign_in(other, **PHONE)
            assert "disabled" in (page.problem or ""), page.words
        assert await there.front.store.meta("schema.needs") is not None
        assert [one.email for one in await there.front.store.accounts.page()] == [None], "no second account"
