"""Connections between accounts here and at a provider: only by somebody who is signed in to both (R89, R90)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.features.authn.providers.journey import ADA, BOB, Journey, journey
from tests.racing import before_commit
from tests.tabs import Tab, sent_to
from tests.upstream import upstream

pytestmark = pytest.mark.anyio

CONNECTED = "/account/methods/providers"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


async def identities(there: Journey, account: Account) -> list[str]:
    """The subjects that are connected to an account."""
    found = await there.front.store.external_identities.of_account(account.id)
    return [one.subject for one in found]


async def through_password(there: Journey, tab: Tab, page: Page, email: str = "ada@example.com") -> Page:
    """From the page for an identity that nobody here has: sign in, to the page that asks whether to connect it."""
    page = await tab.on(await tab.submit(page, "account-needed"))
    page = await tab.on(await tab.submit(page, "sign-in", identifier=email, password=PASSWORD))
    assert page.path == "/account/connect", (page.path, page.words[:200])
    return page


@pytest.mark.requirement(89)
async def test_an_address_alone_connects_nothing(there: Journey) -> None:
    """The provider confirms the address, and is trusted for it; still the owner of the account here signs in first."""
    ada = await there.front.person()
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    assert page.path.startswith("/sign-in/provider/account")
    assert "ada@example.com" in page.words
    assert await identities(there, ada) == []
    assert await there.front.store.sessions.live_of(ada.id, there.front.now) == []
    page = await through_password(there, tab, page)
    assert "Connect Example" in page.words
    page = await tab.on(await tab.submit(page, "connect", decision="connect"))
    assert page.path.startswith(CONNECTED)
    assert "The account is connected" in page.words
    assert await identities(there, ada) == ["ada-there"]
    assert await there.mails("provider_connected") == ["ada@example.com"]
    assert [line.account_id for line in await there.front.audited("provider.connected")] == [ada.id]
    # from now on it signs in, and nothing waits any more
    assert (await there.sign_in(there.front.browser(), **ADA)).path == "/account"
    assert (await tab.on(await tab.get("/account/connect"))).path == CONNECTED


@pytest.mark.requirement(89)
async def test_an_attacker_who_knows_no_password_stops_at_the_owners_sign_in(there: Journey) -> None:
    ada = await there.front.person()
    await there.front.authenticator(ada)
    tab = there.front.browser()
    page = await there.sign_in(tab, **ADA)
    page = await tab.on(await tab.submit(page, "account-needed"))
    page = await tab.on(await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD))
    # a password alone is not the owner's sign-in (R85)
    assert page.path.startswith("/sign-in/code")
    assert (await tab.on(await tab.get("/account/connect"))).path.startswith("/sign-in")
    assert await identities(there, ada) == []


@pytest.mark.requirement(80, 89)
@pytest.mark.parametrize(
    "changes",
    [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}, {"email": None}],
)
async def test_without_a_confirmed_address_a_stranger_learns_nothing(
    there: Journey, changes: dict[str, Any]
) -> None:
    """The page says how to connect, and nothing of the account (BookStack#477)."""
    await there.front.person()
    shown: list[str] = []
    for claims in (ADA, {**BOB, "sub": "ada-there"}):
        page = await there.sign_in(there.front.browser(), **{**claims, **changes})
        assert page.path.startswith("/sign-in/address?")
        shown.append(page.words)
    assert shown[0] == shown[1]
    assert await there.account("bob@example.net") is None


@pytest.mark.requirement(89)
async def test_a_provider_confirms_only_addresses_for_which_it_is_trusted(tmp_path: Path) -> None:
    async with journey(tmp_path, email_domains=("example.net",)) as there:
        page = await there.sign_in(there.front.browser(), **ADA)
        assert page.path.startswith("/sign-in/address?")
        assert await there.account("ada@example.com") is None
        assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"


async def test_no_account_is_created_where_the_operator_does_not_want_it(tmp_path: Path) -> None:
    async with journey(tmp_path, sign_up=False) as there:
        page = await there.sign_in(there.front.browser(), **BOB)
        assert "Nobody here has connected" in (page.problem or "")
        assert await there.account("bob@example.net") is None


@pytest.mark.requirement(90)
async def test_a_sign_up_that_waits_for_its_code_cannot_take_the_account(there: Journey) -> None:
    """Pre-hijacking (keycloak#53041): the attacker signs up with the victim's address, and cannot prove it. The victim comes by the provider."""
    attacker = there.front.browser()
    page = await attacker.on(await attacker.get("/sign-up"))
    await attacker.submit(page, "sign-up", email="bob@example.net", password=PASSWORD, name="Bob")
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"
    bob = await there.account("bob@example.net")
    assert bob is not None
    assert bob.password_hash is None
    wrong = await there.front.browser().sign_in("bob@example.net", PASSWORD)
    assert wrong.status != 303


async def test_the_sign_in_of_the_app_goes_on_after_the_connection(there: Journey) -> None:
    await there.front.person()
    app = await there.front.register(made.public(access={}))
    tab = there.front.browser()
    page = await there.sign_in(
        tab, there.front.asking(app, scope="openid", prompt="login"), auth_time=there.front.now, **ADA
    )
    page = await through_password(there, tab, page)
    page = await tab.on(await tab.submit(page, "connect", decision="connect"))
    if page.path.startswith("/consent"):
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    assert sent_to(page).startswith(app.redirect_uris[0])


async def test_not_now_connects_nothing_and_asks_no_more(there: Journey) -> None:
    ada = await there.front.person()
    tab = there.front.browser()
    page = await through_password(there, tab, await there.sign_in(tab, **ADA))
    assert (await tab.on(await tab.submit(page, "connect", decision="not"))).path == "/account"
    assert await identities(there, ada) == []
    assert (await tab.on(await tab.get("/account/connect"))).path == CONNECTED


@pytest.mark.requirement(91)
async def test_what_waits_belongs_to_one_browser_and_ends(there: Journey) -> None:
    """It names the subject there and the browser (keycloak#49175)."""
    await there.front.person()
    tab, other = there.front.browser(), await there.front.signed_in()
    await there.sign_in(tab, **ADA)
    assert (await other.on(await other.get("/account/connect"))).path == CONNECTED
    there.front.clock.time += 1801
    page = await tab.on(await tab.get("/sign-in/provider/account"))
    assert "took too long" in (page.problem or "")


async def connected(there: Journey, tab: Tab, **claims: Any) -> Page:
    """Connect an account from the account pages."""
    page = await tab.on(await tab.get(CONNECTED))
    url = sent_to(await tab.submit(page, "connect-example"))
    return await tab.on(await tab.get(there.provider.approved(url, **claims)))


@pytest.mark.requirement(73, 89)
async def test_an_account_is_connected_and_disconnected_on_the_account_pages(there: Journey) -> None:
    ada = await there.front.person()
    tab = await there.front.signed_in()
    assert "Connected accounts" in (await tab.get("/account/methods")).words
    page = await connected(there, tab, sub="work-account", email="a.l@work.example")
    assert "The account is connected" in page.words
    assert "a.l@work.example" in page.words
    found = await there.account("ada@example.com")
    assert found is not None
    # a sign-in may hash the password anew; an address of the provider changes nothing here
    assert structs.replace(found, password_hash=ada.password_hash) == ada
    elsewhere = there.front.browser()
    assert (await there.sign_in(elsewhere, sub="work-account")).path == "/account"
    page = await tab.on(await tab.submit(page, "disconnect-1"))
    assert "The account is disconnected" in page.words
    assert await identities(there, ada) == []
    assert await there.mails("provider_disconnected") == ["ada@example.com"]
    # what it had signed in has ended (R94)
    assert (await elsewhere.on(await elsewhere.get("/account"))).path.startswith("/sign-in")
    page = await there.sign_in(there.front.browser(), sub="work-account")
    assert page.path.startswith("/sign-in/address?")


@pytest.mark.requirement(94)
async def test_a_sign_in_at_the_moment_of_the_disconnection_ends_with_it(
    there: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/incidents/0127-a-sign-in-kept-a-passkey-from-being-removed.md"""
    ada = await there.front.person()
    tab = await there.front.signed_in()
    page = await connected(there, tab, sub="work-account")
    elsewhere = there.front.browser()

    async def signed_in() -> None:
        assert (await there.sign_in(elsewhere, sub="work-account")).path == "/account"

    made = before_commit(monkeypatch, "DELETE FROM factors", signed_in, times=1)
    page = await tab.on(await tab.submit(page, "disconnect-1"))
    assert made == [False, True]
    assert "The account is disconnected" in page.words
    assert await identities(there, ada) == []
    assert (await elsewhere.on(await elsewhere.get("/account"))).path.startswith("/sign-in")


async def test_a_disconnection_that_loses_each_time_is_said(
    there: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await there.front.person()
    tab = await there.front.signed_in()
    page = await connected(there, tab, sub="work-account")

    async def signed_in() -> None:
        await there.sign_in(there.front.browser(), sub="work-account")

    made = before_commit(monkeypatch, "DELETE FROM factors", signed_in, times=3)
    page = await tab.on(await tab.submit(page, "disconnect-1"))
    assert made == [False] * 3
    assert "Your account changed" in (page.problem or "")
    assert await identities(there, ada) == ["work-account"]


@pytest.mark.requirement(73)
async def test_the_card_among_the_sign_in_methods_connects_and_disconnects(there: Journey) -> None:
    ada = await there.front.person()
    tab = await there.front.signed_in()
    page = await tab.get("/account/methods")
    assert "connect-example" in page.forms
    assert "disconnect-1" not in page.forms
    url = sent_to(await tab.submit(page, "connect-example"))
    await tab.on(await tab.get(there.provider.approved(url, sub="work-account", email="a.l@work.example")))
    page = await tab.get("/account/methods")
    assert "a.l@work.example" in page.words
    done = await tab.on(await tab.submit(page, "disconnect-1"))
    assert "The account is disconnected" in done.words
    assert await identities(there, ada) == []


@pytest.mark.requirement(73)
async def test_both_need_a_recent_sign_in(there: Journey) -> None:
    await there.front.person()
    tab = await there.front.signed_in()
    page = await connected(there, tab, sub="work-account")
    there.front.clock.time += 601
    for form in ("connect-example", "disconnect-1"):
        assert (await tab.on(await tab.submit(page, form))).path.startswith("/account/confirm")


@pytest.mark.requirement(73, 92)
async def test_a_session_at_the_provider_does_not_confirm_a_change_here(there: Journey) -> None:
    """Somebody at an unlocked computer: the provider would answer at once, without asking anything."""
    await there.sign_in(tab := there.front.browser(), **BOB)
    there.front.clock.time += 601
    page = await tab.on(await tab.get("/account/connect"))
    assert page.path.startswith("/account/confirm")
    page = await tab.on(await tab.submit(page, "confirm-other"))
    left = sent_to(await tab.submit(page, "provider-example"))
    assert there.provider.asked(left)["prompt"] == "login"
    refused = await tab.on(await tab.get(there.provider.approved(left, **BOB)))
    assert "sign in anew" in (refused.problem or "")
    page = await tab.on(await tab.get("/sign-in/provider"))
    left = sent_to(await tab.submit(page, "provider-example"))
    done = await tab.on(await tab.get(there.provider.approved(left, **BOB, auth_time=there.front.now)))
    assert done.path.startswith("/account")


@pytest.mark.requirement(89)
async def test_an_identity_of_somebody_else_cannot_be_connected(there: Journey) -> None:
    await there.sign_in(there.front.browser(), **BOB)
    ada = await there.front.person()
    page = await connected(there, await there.front.signed_in(), **BOB)
    assert "can't be connected" in (page.problem or "")
    assert await identities(there, ada) == []


@pytest.mark.requirement(91)
async def test_an_answer_is_for_the_session_that_asked(there: Journey) -> None:
    """Signed out, or signed in as somebody else, while the provider's page was open."""
    ada = await there.front.person()
    tab = await there.front.signed_in()
    page = await tab.on(await tab.get(CONNECTED))
    url = sent_to(await tab.submit(page, "connect-example"))
    back = there.provider.approved(url, **BOB)
    tab.cookies = {name: value for name, value in tab.cookies.items() if "session" not in name}
    page = await tab.on(await tab.get(back))
    assert page.path.startswith("/sign-in")
    assert await identities(there, ada) == []
    assert await there.account("bob@example.net") is None


async def test_the_last_way_in_stays(there: Journey) -> None:
    tab = there.front.browser()
    await there.sign_in(tab, **BOB)
    page = await tab.on(await tab.get(CONNECTED))
    page = await tab.on(await tab.submit(page, "disconnect-1"))
    assert "Add another way to sign in first" in (page.problem or "")
    assert (await there.sign_in(there.front.browser(), **BOB)).path == "/account"


async def test_one_subject_at_two_providers_is_two_people(tmp_path: Path, there: Journey) -> None:
    """The key is issuer and subject: a number that another provider gives to somebody else opens nothing (R89)."""
    await there.sign_in(there.front.browser(), **BOB)
    async with upstream(tmp_path, there.front.clock, "other") as other:
        found = await there.front.store.external_identities.by_subject(other.issuer, BOB["sub"])
    assert found is None
    assert (
        await there.front.store.external_identities.by_subject(there.provider.issuer, BOB["sub"]) is not None
    )


async def test_an_operators_reset_removes_connections_too(there: Journey) -> None:
    """Whoever took over the account may have connected their own."""
    from doorward.adapters.os_user import os_actor
    from doorward.features.admin import build as admin

    ada = await there.front.person()
    await connected(there, await there.front.signed_in(), sub="attacker")
    await there.front.services.get(admin.factors).reset(os_actor(), ada.known_as)
    assert await identities(there, ada) == []
    assert await there.front.store.accounts.factors(ada.id) == []
