"""Reset and sign-up for people who sign in with an account elsewhere: their mail says so, and the pages say the same to everybody (R80)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from doorward.adapters.mail.queue import open_message
from doorward.adapters.os_user import os_actor
from doorward.core.model.account import Account
from doorward.features.admin import build as admin
from tests.browsing import PASSWORD, Page
from tests.features.authn.providers.journey import BOB, Journey, journey
from tests.tabs import Tab, sent_to

pytestmark = pytest.mark.anyio
NEW = "lantern meadow copper twelve"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[Journey]:
    async with journey(tmp_path) as made:
        yield made


async def bob(there: Journey) -> Account:
    """Somebody who has an account here by their account there, and no password."""
    await there.sign_in(there.front.browser(), **BOB)
    found = await there.account(BOB["email"])
    assert found is not None
    assert found.password_hash is None
    return found


async def opened(there: Journey, kind: str) -> list[str]:
    """The texts of the queued mails of this kind, newest first."""
    found = await there.front.store.messages.recent_mail(100)
    return [open_message(there.front.services.sealer, one).text for one in found if one.kind == kind]


def general(page: Page) -> str:
    return re.sub(r"\w+@example\.net", "ADDRESS", page.words)


@pytest.mark.requirement(80)
async def test_the_mail_of_a_reset_says_what_they_sign_in_with_and_the_page_says_nothing(
    there: Journey,
) -> None:
    await bob(there)
    pages: list[str] = []
    for name in ("bob", "nobody"):
        tab = there.front.browser()
        page = await tab.on(await tab.submit(await tab.get("/reset"), "reset", email=f"{name}@example.net"))
        pages.append(general(page))
    assert pages[0] == pages[1]
    (mail,) = await opened(there, "reset_password")
    assert "Your account has no password. You sign in with: Example." in mail


@pytest.mark.requirement(80)
async def test_the_mail_after_a_sign_up_says_so_too(there: Journey) -> None:
    await bob(there)
    tab = there.front.browser()
    form = {"email": BOB["email"], "password": PASSWORD}
    await tab.submit(await tab.get("/sign-up"), "sign-up", **form)
    (mail,) = await opened(there, "address_taken")
    assert "You sign in there with: Example." in mail
    assert "/reset" not in mail


async def test_nothing_is_said_to_a_person_with_a_password(there: Journey) -> None:
    ada = await there.front.person()
    tab = await there.front.signed_in()
    page = await tab.on(await tab.get("/account/methods/providers"))
    url = sent_to(await tab.submit(page, "connect-example"))
    await tab.on(await tab.get(there.provider.approved(url, sub="ada-there")))
    assert len(await there.front.store.external_identities.of_account(ada.id)) == 1
    other = there.front.browser()
    await other.submit(await other.get("/reset"), "reset", email="ada@example.com")
    (mail,) = await opened(there, "reset_password")
    assert "You sign in with" not in mail


async def at_the_new_password(there: Journey, tab: Tab) -> Page:
    page = await tab.on(await tab.submit(await tab.get("/reset"), "reset", email=BOB["email"]))
    (sent,) = await there.front.store.messages.recent_mail(1)
    code = open_message(there.front.services.sealer, sent).code
    assert code is not None
    page = await tab.on(await tab.submit(page, "check", code=code))
    assert "new-password" in page.forms, page.words[:300]
    return page


@pytest.mark.requirement(84)
@pytest.mark.parametrize("drop", [True, False])
async def test_a_reset_lists_connected_accounts_and_drops_them_on_request(
    there: Journey, *, drop: bool
) -> None:
    """supertokens-core#447: whoever took over an account had connected their own, and kept it through the reset."""
    owner = await bob(there)
    tab, elsewhere = there.front.browser(), there.front.browser()
    assert (await there.sign_in(elsewhere, **BOB)).path == "/account"
    page = await at_the_new_password(there, tab)
    assert "Example \u00b7 bob@example.net" in page.words
    assert "disconnect" not in page.forms["new-password"].fields
    chosen = {"disconnect": "yes"} if drop else {}
    await tab.submit(page, "new-password", password=NEW, end_sessions="", **chosen)
    left = await there.front.store.external_identities.of_account(owner.id)
    rows = await there.front.store.accounts.factors(owner.id)
    assert (len(left), len(rows)) == ((0, 0) if drop else (1, 1))
    # with it the sessions end whatever the other box says: they rest on what is gone
    assert (await elsewhere.on(await elsewhere.get("/account"))).path.startswith("/sign-in") == drop
    assert await there.mails("provider_disconnected") == ([BOB["email"]] if drop else [])
    assert len(await there.front.audited("provider.disconnected")) == drop
    done = await tab.on(await tab.sign_in(BOB["email"], NEW))
    assert done.path == "/account"


@pytest.mark.requirement(84)
async def test_a_dropped_connection_takes_the_roles_of_its_mapping_with_it(tmp_path: Path) -> None:
    """Attack: somebody whose group gives a role drops the connection by a reset, so that no sign-in takes the role away again."""
    mapped = {"roles_claim": "groups", "roles": ("staff -> clerk",), "mapping": "each_sign_in"}
    async with journey(tmp_path, **mapped) as there:
        for name in ("clerk", "auditor"):
            await there.front.services.get(admin.roles).create(os_actor(), name, permissions=())
        await there.front.services.config.refresh()
        await there.sign_in(there.front.browser(), **BOB, groups=["staff"])
        await there.front.services.get(admin.people).grant_role(os_actor(), BOB["email"], "auditor")
        tab = there.front.browser()
        page = await at_the_new_password(there, tab)
        await tab.submit(page, "new-password", password=NEW, disconnect="yes")
        owner = await there.account(BOB["email"])
        assert owner is not None
        assert not await there.front.store.external_identities.of_account(owner.id)
        held = there.front.services.config.current().held(owner)
        assert [role.name for role in held] == ["auditor"]
