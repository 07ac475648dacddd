"""People of a provider that confirms no address: they prove one, and only then does the app go on (`address = "required"`)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.config_snapshot import Role
from tests.browsing import PASSWORD
from tests.features import made
from tests.features.authn.addresses.steps import ASKS, CHECKS, code_to, given, mails, proven, typed
from tests.features.authn.providers.journey import Journey, journey
from tests.tabs import Tab, said

pytestmark = pytest.mark.anyio
PHONE: dict[str, Any] = {"sub": "phone-only", "name": "Ann O."}
STATED: dict[str, Any] = {"sub": "stated", "email": "ann@example.org", "email_verified": False}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as opened:
        yield opened


async def account_of(there: Journey, subject: str) -> Account | None:
    found = await there.front.store.external_identities.by_subject(there.provider.issuer, subject)
    return None if found is None else await there.front.store.accounts.get(found.account_id)


@pytest.mark.requirement(90)
async def test_the_app_goes_on_after_the_proof_and_is_told_the_address(there: Journey) -> None:
    """next-auth#7601: no address is no error. The account begins with a proven one, and the sign-in ends in the app that began it."""
    front = there.front
    app = await front.register(made.public(access={}))
    tab = front.browser()
    page = await there.sign_in(tab, front.asking(app, scope="openid email profile"), **PHONE)
    assert page.path.startswith(ASKS)
    assert page.status == 200
    assert await account_of(there, "phone-only") is None, "nothing is made before the proof"
    page = await given(tab, page, "Ann@Example.org")
    assert page.path.startswith(CHECKS)
    assert "ann@example.org" in page.words
    assert await account_of(there, "phone-only") is None
    page = await typed(tab, page, await code_to(front, "ann@example.org"))
    if page.path.startswith("/consent"):
        page = await tab.on(await tab.submit(page, "consent", decision="allow"))
    tokens = await front.redeem(app, said(page)["code"], redirect_uri=app.redirect_uris[0])
    answer = await tab.ask("GET", "/userinfo", authorization=f"Bearer {tokens['access_token']}")
    told = msgspec.json.decode(answer.text)
    assert (told["email"], told["email_verified"], told["name"]) == ("ann@example.org", True, "Ann O.")
    # known by the provider from now on, without another question
    assert (await there.sign_in(front.browser(), **PHONE)).path == "/account"
    assert [line.detail for line in await front.audited("account.created")] == [
        {"by": "provider", "provider": there.provider.name}
    ]


@pytest.mark.requirement(90)
async def test_an_address_that_was_only_stated_is_filled_in_and_proven_like_any_other(there: Journey) -> None:
    """better-auth#4621: it becomes a confirmed one by the code alone."""
    tab = there.front.browser()
    page = await there.sign_in(tab, **STATED)
    assert page.forms["give-address"].fields["email"] == "ann@example.org"
    page = await proven(there.front, tab, page, "ann@example.org")
    assert page.path == "/account"
    ann = await account_of(there, "stated")
    assert ann is not None
    assert ann.email == "ann@example.org"


async def test_roles_and_profile_of_the_mapping_are_there_from_the_first_sign_in(tmp_path: Path) -> None:
    changes = {
        "roles_claim": "groups",
        "roles": ("shop -> writer", "all -> basic"),
        "profile": ("given_name",),
    }
    async with journey(tmp_path, **changes) as there:
        store = there.front.store
        roles = (
            Role("rol_writer", "writer", {}, there.front.now),
            Role("rol_basic", "basic", {}, there.front.now, default=True),
        )
        assert await store.commit(*(store.registry.put_role(role) for role in roles))
        await there.front.services.config.refresh()
        tab = there.front.browser()
        page = await there.sign_in(tab, **PHONE, given_name="Ann", groups=["shop", "all"])
        await proven(there.front, tab, page, "ann@example.org")
        ann = await account_of(there, "phone-only")
        assert ann is not None
        assert (set(ann.role_names), ann.given_name) == ({"writer", "basic"}, "Ann")
        found = await store.external_identities.by_subject(there.provider.issuer, "phone-only")
        assert found is not None
        # what everybody has is not the mapping's to take away
        assert found.mapped_roles == ("writer",)
        assert [line.detail["given"] for line in await there.front.audited("account.mapped")] == [["writer"]]


async def test_an_account_without_an_address_proves_one_once_the_settings_demand_it(tmp_path: Path) -> None:
    async with journey(tmp_path, address="optional") as there:
        front = there.front
        await there.sign_in(front.browser(), **PHONE)
        section = front.settings.providers.by_name[there.provider.name]
        structs.force_setattr(section, "address", "required")
        tab = front.browser()
        page = await there.sign_in(tab, **PHONE)
        assert page.path.startswith(ASKS)
        assert "have an account here already" not in page.words
        page = await proven(front, tab, page, "ann@example.org")
        assert page.path == "/account"
        assert [one.email for one in await front.store.accounts.page()] == ["ann@example.org"]
        assert len(await front.audited("account.email_changed")) == 1
        assert (await there.sign_in(front.browser(), **PHONE)).path == "/account"


async def test_two_tabs_end_each_at_its_own_app(there: Journey) -> None:
    """next-auth#7894, with the question for an address in both."""
    front = there.front
    apps = [await front.register(made.public(id=f"app_{name}", access={})) for name in ("one", "two")]
    tab = front.browser()
    asked = [front.asking(app, state=app.id, scope="openid") for app in apps]
    pages = [await there.sign_in(tab, start, **PHONE) for start in asked]
    for page, app, email in zip(pages, apps, ("ann@example.org", "else@example.org"), strict=True):
        shown = await proven(front, tab, page, email)
        if shown.path.startswith("/consent"):
            shown = await tab.on(await tab.submit(shown, "consent", decision="allow"))
        assert said(shown)["state"] == app.id
    assert [one.email for one in await front.store.accounts.page()] == ["ann@example.org"]


async def test_a_second_tab_with_its_own_code_signs_in_to_the_same_account(there: Journey) -> None:
    front = there.front
    tab = front.browser()
    checks: list[Any] = []
    codes: list[str] = []
    for email in ("ann@example.org", "other@example.org"):
        page = await there.sign_in(tab, **PHONE)
        checks.append(await given(tab, page, email))
        codes.append(await code_to(front, email))
    for check, code in zip(checks, codes, strict=True):
        assert (await typed(tab, check, code)).path == "/account"
    assert [one.email for one in await front.store.accounts.page()] == ["ann@example.org"]


async def test_back_reload_and_an_old_page_lead_on_and_never_to_an_error(there: Journey) -> None:
    front = there.front
    tab = front.browser()
    asks = await there.sign_in(tab, **PHONE)
    check = await given(tab, asks, "ann@example.org")
    # back to the first page, and another address
    again = await tab.on(await tab.get(asks.path))
    assert again.path.startswith(ASKS)
    second = await given(tab, again, "ann@example.net")
    assert (await typed(tab, second, await code_to(front, "ann@example.net"))).path == "/account"
    for old, form, value in (
        (check, "check", {"code": "123456"}),
        (asks, "give-address", {"email": "a@b.org"}),
    ):
        page = await tab.on(await tab.submit(old, form, **value))
        assert page.status == 200, page.words
        assert page.path == "/account"
        assert (await tab.on(await tab.get(old.path))).path == "/account"
    assert (await tab.on(await tab.get("/sign-in/address?ticket=tkt_0&flow=x"))).status == 200
    assert (await tab.on(await tab.get("/sign-in/address/check"))).status == 200
    assert len(await front.store.accounts.page()) == 1


@pytest.mark.requirement(82, 83)
async def test_a_newer_code_ends_the_older_one_and_each_ends_with_its_time(there: Journey) -> None:
    front = there.front
    tab = front.browser()
    check = await given(tab, await there.sign_in(tab, **PHONE), "ann@example.org")
    old = await code_to(front, "ann@example.org")
    front.clock.time += 1
    newer = await tab.on(await tab.submit(check, "resend"))
    assert "another message is on its way" in newer.words
    assert (await tab.on(await tab.submit(check, "check", code=old))).path != "/account"
    front.clock.time += 601
    page = await typed(tab, newer, await code_to(front, "ann@example.org"))
    assert "didn't work" in (page.problem or "")
    newest = await tab.on(await tab.submit(newer, "resend"))
    assert (await typed(tab, newest, await code_to(front, "ann@example.org"))).path == "/account"


async def test_an_empty_or_impossible_address_is_said_and_nothing_is_sent(there: Journey) -> None:
    tab = there.front.browser()
    page = await there.sign_in(tab, **PHONE)
    for email, words in (
        ("", "Enter your email"),
        ("nobody", "like name@example.com"),
        ("\uff41@e.org", "like"),
    ):
        page = await given(tab, page, email)
        assert words in page.words
        assert page.status == 400
    assert await there.front.store.messages.recent_mail(10) == []


async def test_a_step_that_waited_too_long_begins_the_sign_in_again(there: Journey) -> None:
    tab = there.front.browser()
    page = await there.sign_in(tab, **PHONE)
    there.front.clock.time += 1801
    page = await given(tab, page, "ann@example.org")
    assert page.path.startswith("/sign-in")
    assert not page.path.startswith(ASKS)
    assert await there.front.store.messages.recent_mail(10) == []


async def test_whoever_has_an_account_connects_it_instead(there: Journey) -> None:
    front = there.front
    await front.person()
    tab = front.browser()
    page = await there.sign_in(tab, **PHONE)
    link = re.search(r'id="connect" href="([^"]+)"', page.text)
    assert link is not None
    page = await tab.on(await tab.get(link[1].replace("&amp;", "&")))
    page = await tab.on(await tab.submit(page, "account-needed"))
    page = await tab.on(await tab.submit(page, "sign-in", identifier="ada@example.com", password=PASSWORD))
    assert page.path.startswith("/account/connect")
    await tab.submit(page, "connect", decision="connect")
    ada = await account_of(there, "phone-only")
    assert ada is not None
    assert ada.email == "ada@example.com"


@pytest.mark.requirement(80, 89)
async def test_the_owner_of_a_taken_address_is_told_how_to_connect_and_the_page_says_nothing(
    there: Journey,
) -> None:
    """BookStack#477: the mail says how to link, and strangers learn nothing from the page."""
    front = there.front
    await front.person()
    shown: list[str] = []
    for subject, email in (("one", "ada@example.com"), ("two", "eve@example.com")):
        tab: Tab = front.browser()
        page = await given(tab, await there.sign_in(tab, sub=subject), email)
        shown.append(page.words.replace(email, "X"))
    assert shown[0] == shown[1]
    assert await mails(front, "ada@example.com") == ["address_in_use"]
    assert await mails(front, "eve@example.com") == ["confirm_address"]
    assert await account_of(there, "one") is None
