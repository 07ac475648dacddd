"""Reset of second factors by an operator: the person regains the account, and no one else does."""

from __future__ import annotations

import pytest

from doorward.features.admin.error import AdminError
from doorward.features.admin.factors import FactorAdmin
from tests.features.admin.managing import OPERATOR
from tests.people import PASSWORD, House

pytestmark = pytest.mark.anyio


def desk(house: House) -> FactorAdmin:
    made = house.factors
    return FactorAdmin(
        store=house.store,
        random=made.random,
        clock=house.clock,
        revoker=house.pages.revoker,
        mail_queue=made.mail_queue,
    )


async def test_an_operator_sees_which_factors_a_person_has(house: House) -> None:
    account = await house.person()
    assert await desk(house).find(OPERATOR, "ada@example.com") == (account, [])
    await house.authenticator(account)
    _, held = await desk(house).find(OPERATOR, account.id)
    assert [factor.kind for factor in held].count("totp") == 1
    assert [factor.kind for factor in held].count("recovery_code") == 10
    with pytest.raises(AdminError):
        await desk(house).find(OPERATOR, "eve@example.com")


@pytest.mark.requirement(72)
async def test_a_reset_removes_every_factor_ends_everything_and_informs_the_owner(house: House) -> None:
    account, eve = await house.person(), await house.person("eve@example.com")
    await house.authenticator(account)
    await house.authenticator(eve)
    session, hers = await house.session(account), await house.session(eve)
    grant = await house.grant(account, session)
    offline = await house.grant(account, session, offline=True)
    await desk(house).reset(OPERATOR, "Ada@Example.com")
    assert await house.store.accounts.factors(account.id) == []
    assert len(await house.store.accounts.factors(eve.id)) == 11
    for ended in (
        await house.store.sessions.get(session.id),
        await house.store.grants.get(grant.id),
        await house.store.grants.get(offline.id),
    ):
        assert ended is not None
        assert ended.end_reason == "second_factor_reset"
    untouched = await house.store.sessions.get(hers.id)
    assert untouched is not None
    assert untouched.ended_at is None
    (to, kind, letter), *_ = await house.mails()
    assert (to, kind) == ("ada@example.com", "second_factor_reset")
    assert "signed you out everywhere" in letter.text
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.reset",))
    assert event.detail == {"by": "operator", "actor": "os_user:grace", "password": "kept"}


@pytest.mark.requirement(94)
async def test_a_sign_in_waiting_at_the_second_factor_must_start_again(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    thief = house.browser()
    waiting = await thief.sign_in()
    asked = await thief.follow(waiting)
    assert asked.path.startswith("/sign-in/code")
    await desk(house).reset(OPERATOR, account.id)
    again = await thief.get(asked.path)
    assert not await house.store.sessions.live_of(account.id, house.now)
    assert "/account" not in (again.header("location") or "")


@pytest.mark.requirement(72)
async def test_the_reset_can_remove_the_password_too(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await desk(house).reset(OPERATOR, account.id, forget_password=True)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_hash is None
    (_, _, letter), *_ = await house.mails()
    assert "choose a new password first" in letter.text
    assert (await house.browser().sign_in()).status == 400
    (event,) = await house.store.audit.of_account(account.id, ("second_factor.reset",))
    assert event.detail["password"] == "forgotten"


async def test_after_a_reset_the_password_suffices_and_the_page_mentions_the_reset(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    await desk(house).reset(OPERATOR, account.id)
    browser = house.browser()
    assert (await browser.sign_in(password=PASSWORD)).header("location") == "/account"
    shown = await browser.get("/account/activity")
    assert "The people who run this service removed your authenticator app" in shown.words


async def test_a_person_without_factors_is_not_changed(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    with pytest.raises(AdminError, match="factor_missing"):
        await desk(house).reset(OPERATOR, account.id)
    assert await house.mails() == []
    kept = await house.store.sessions.get(session.id)
    assert kept is not None
    assert kept.ended_at is None
