"""Removal of second factors, and confirmation without a password, over HTTP (R73, R77, R85)."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.config_snapshot import Role
from doorward.core.model.policy import SecondFactorPolicy
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from tests.browsing import PASSWORD, Page
from tests.features import made
from tests.front_channel import Front, front_channel
from tests.tabs import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.requirement(73, 85)]
REQUIRED = SecondFactorPolicy(require="required")


async def with_app(front: Front) -> Tab:
    """Ada with an authenticator app, signed in just now."""
    ada = await front.person()
    await front.authenticator(ada)
    tab = front.browser()
    page = await tab.on(await tab.sign_in())
    page = await tab.submit(page, "second-factor", code=front.code())
    assert (await tab.on(page)).path == "/account"
    return tab


async def kinds(front: Front) -> list[str]:
    ada = await front.store.accounts.by_email("ada@example.com")
    assert ada is not None
    return sorted(row.kind for row in await front.store.accounts.factors(ada.id))


async def removed(tab: Tab, password: str = PASSWORD) -> Page:
    """What follows after the button to remove the app, and the password where it is asked for."""
    page = await tab.submit(await tab.get("/account/methods"), "authenticator-remove")
    if "confirm" in page.forms:
        page = await tab.submit(page, "confirm", password=password)
    return page


async def test_the_last_second_step_of_a_person_who_needs_one_stays() -> None:
    async with front_channel(second_factor=REQUIRED) as front:
        tab = await with_app(front)
        page = await removed(tab)
        assert "Set up another one first" in (page.problem or "")
        assert await kinds(front) == ["totp"]


async def test_it_stays_for_members_of_a_role_and_by_an_operators_demand() -> None:
    async with front_channel() as front:
        tab = await with_app(front)
        ada = await front.store.accounts.by_email("ada@example.com")
        assert ada is not None
        assert await front.store.commit(front.store.factor_demands.require(ada.id, front.now))
        assert "Set up another one first" in ((await removed(tab)).problem or "")
        assert await front.store.commit(front.store.factor_demands.require(ada.id, None))
        role = Role("rol_auditor", "auditor", {}, made.NOW, second_factor=True)
        assert await front.store.commit(front.store.registry.put_role(role))
        await front.services.config.refresh()
        ada = await front.change(ada, role_names=(*ada.role_names, role.held_as))
        assert "Set up another one first" in ((await removed(tab)).problem or "")
        assert await kinds(front) == ["totp"]
        await front.change(ada, role_names=())
        assert (await removed(tab)).status == 303
        assert await kinds(front) == []


@pytest.mark.requirement(77)
async def test_the_app_is_removed_only_with_the_password_beside_a_mailbox_or_a_key() -> None:
    async with front_channel() as front:
        tab = await with_app(front)
        ada = await front.store.accounts.by_email("ada@example.com")
        assert ada is not None
        page = await tab.submit(await tab.get("/account/methods"), "authenticator-remove")
        assert "confirm" in page.forms
        mailed = EnrolledFactor("fac_mail", ada.id, "email_code", front.now)
        codes = EnrolledFactor("fac_code", ada.id, "recovery_code", front.now, code_hash=b"1")
        assert await front.store.commit(
            front.store.accounts.add_factor(mailed), front.store.accounts.add_factor(codes)
        )
        # a mailbox is no authenticator: beside it the password has to be as long as alone
        page = await tab.submit(await tab.get("/account/methods"), "authenticator-remove")
        assert "confirm" in page.forms
        # nor does a key permit a shorter one: it is removed without the password
        key = EnrolledFactor("fac_key", ada.id, "security_key", front.now)
        assert await front.store.commit(front.store.accounts.add_factor(key))
        page = await tab.submit(await tab.get("/account/methods"), "authenticator-remove")
        assert "confirm" in page.forms


async def test_a_person_without_a_password_confirms_by_signing_in_again() -> None:
    async with front_channel() as front:
        tab = await with_app(front)
        front.clock.time += 700
        page = await tab.on(await tab.get("/account/methods/authenticator"))
        assert page.path.startswith("/account/confirm")
        assert list(page.forms) == ["confirm", "confirm-other"]
        ada = await front.store.accounts.by_email("ada@example.com")
        assert ada is not None
        await front.change(structs.replace(ada, password_hash=None))
        page = await tab.get(page.path)
        assert list(page.forms) == ["confirm-other"]
        page = await tab.on(await tab.submit(page, "confirm-other"))
        assert page.path.startswith("/sign-in?flow=")
        assert "passkey" in page.forms


async def test_where_the_password_is_the_only_first_factor_the_page_has_one_form() -> None:
    async with front_channel(passkeys=PasskeyPolicy(enabled=False)) as front:
        tab = await front_with_password_only(front)
        front.clock.time += 700
        page = await tab.on(await tab.get("/account/methods/authenticator"))
        assert list(page.forms) == ["confirm"]
        again = await tab.post("/account/confirm", {**page.forms["confirm"].fields, "other": "yes"})
        assert again.path.startswith("/account/confirm")
        page = await tab.submit(page, "confirm", password=PASSWORD)
        assert (await tab.on(page)).path == "/account/methods/authenticator"


async def front_with_password_only(front: Front) -> Tab:
    await front.person()
    return await front.signed_in()
