"""Password change: it invalidates the old password and ends the sessions and grants opened with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.password.change import Changed, ChangedMeanwhile
from doorward.features.authn.factors.password.rules.password import Weak
from doorward.features.authn.flow.rules.vouching import adds_up, from_session
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House

pytestmark = pytest.mark.anyio


async def change(
    house: House, account: Account, session: Session, current: str = PASSWORD, new: str = OTHER_PASSWORD
) -> Any:
    return await house.change.change(
        account,
        session,
        current=Secret(current),
        new=Secret(new),
        caller=CALLER,
        now=house.now,
    )


async def test_the_new_password_works_and_the_old_one_does_not(house: House) -> None:
    account = await house.person()
    outcome = await change(house, account, await house.session(account))
    assert isinstance(outcome, Changed)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_changed_at == house.now
    assert await house.hasher.verify(stored.password_hash, Secret(OTHER_PASSWORD))
    assert not await house.hasher.verify(stored.password_hash, Secret(PASSWORD))


@pytest.mark.requirement(68)
async def test_this_browser_stays_with_a_new_secret_and_everything_else_ends(house: House) -> None:
    account = await house.person()
    mine, other = await house.session(account, auth_time=house.now - 300), await house.session(account)
    grant = await house.grant(account, mine)
    outcome = await change(house, account, mine)
    assert isinstance(outcome, Changed)
    assert await house.store.sessions.by_secret(mine.secret_hash) is None
    kept = await house.store.sessions.by_secret(digest(outcome.session_secret))
    assert kept is not None
    assert (kept.id, kept.auth_time, kept.ended_at) == (mine.id, house.now, None)
    assert [s.id for s in await house.store.sessions.live_of(account.id, house.now)] == [mine.id]
    assert await house.store.grants.live_of_account(account.id, house.now) == []
    _, revoked = await house.store.revocations.live(house.now)
    assert {(entry.kind, entry.ref) for entry in revoked} == {("sid", other.id), ("grant", grant.id)}


async def test_the_session_records_when_the_password_was_proven(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    house.later(60)
    shown = (Proof("password", house.now - 60, ("pwd",)), Proof("totp", house.now - 30, ("otp",)))
    mine = await house.session(
        account, auth_time=house.now - 30, amr=("pwd", "otp", "mfa"), acr="urn:doorward:aal2", proofs=shown
    )
    outcome = await change(house, account, mine)
    assert isinstance(outcome, Changed)
    assert outcome.session.proofs == (shown[1], Proof("password", house.now, ("pwd",)))
    assert adds_up(outcome.session)


@pytest.mark.parametrize("stored", [True, False])
async def test_an_authenticator_app_that_is_gone_counts_no_more_after_the_change(
    house: House, stored: bool
) -> None:
    """docs/incidents/0057-a-password-change-that-revived-an-old-proof.md: the session's time moves on past the time when another app
    was set up."""
    account = await house.person()
    await house.authenticator(account)
    then = house.later(60)
    shown = (Proof("password", then, ("pwd",)), Proof("totp", then, ("otp",)))
    mine = await house.session(account, amr=("pwd", "otp", "mfa"), acr=AAL2, proofs=shown if stored else ())
    house.later(60)
    await house.authenticator(account)
    house.later(60)
    outcome = await change(house, account, mine)
    assert isinstance(outcome, Changed)
    kept = outcome.session
    assert await house.store.sessions.get(mine.id) == kept
    assert (kept.acr, kept.amr, kept.auth_time) == (AAL1, ("pwd",), house.now)
    assert kept.proofs == (Proof("password", house.now, ("pwd",)),)
    assert [one.kind for one in from_session(kept, ("password", "totp", "recovery_code"))] == ["password"]


async def test_an_authenticator_app_that_is_there_still_counts_with_its_own_time(house: House) -> None:
    account = await house.person()
    await house.authenticator(account)
    then = house.later(60)
    mine = await house.session(account, amr=("pwd", "otp", "mfa"), acr=AAL2)
    house.later(60)
    outcome = await change(house, account, mine)
    assert isinstance(outcome, Changed)
    assert (outcome.session.acr, outcome.session.amr) == (mine.acr, mine.amr)
    assert outcome.session.proofs == (Proof("totp", then, ("otp",)), Proof("password", house.now, ("pwd",)))


async def test_an_outdated_password_sets_no_new_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0021-an-old-password-that-had-the-last-word.md: a reset by mail that keeps the sessions overtakes
    the change by someone who proved the old password."""
    account = await house.person()
    session = await house.session(account)
    hash_ = house.hasher.hash
    reset = await hash_(Secret("what the owner chose by mail"))

    async def slow(password: Secret) -> str:
        await house.change_account(account, password_hash=reset, password_changed_at=house.now)
        return await hash_(password)

    monkeypatch.setattr(house.hasher, "hash", slow, raising=False)
    assert isinstance(await change(house, account, session), ChangedMeanwhile)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.password_hash == reset


async def test_the_owner_is_informed_and_the_change_is_audited(house: House) -> None:
    account = await house.person(locale="de")
    await change(house, account, await house.session(account))
    (to, kind, message), *_ = await house.mails()
    assert (to, kind) == ("ada@example.com", "password_changed")
    assert message.code is None
    assert OTHER_PASSWORD not in message.text
    assert "password.changed" in await house.kinds()


@pytest.mark.requirement(73)
async def test_without_the_current_password_nothing_changes(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    outcome = await change(house, account, session, current="not it at all")
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "access_denied"
    assert await house.store.accounts.get(account.id) == account


@pytest.mark.requirement(73, 81)
async def test_the_current_password_cannot_be_guessed_from_an_open_session(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    for number in range(ThrottlePolicy().per_account):
        await change(house, account, session, current=f"guess {number}")
    outcome = await change(house, account, session)
    assert isinstance(outcome, OAuthError)
    assert outcome.code == "too_many_attempts"


@pytest.mark.requirement(77, 78)
async def test_the_new_password_must_meet_the_password_policy(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    assert await change(house, account, session, new=PASSWORD) == Weak("unchanged")
    assert await change(house, account, session, new="kV3#zPq9") == Weak("too_short", 15)
    assert await change(house, account, session, new="aaaaaaaaaaaaaaaaaaaa") == Weak("guessable")
    await house.authenticator(account)
    assert isinstance(await change(house, account, session, new="kV3#zPq9"), Changed)


async def test_only_one_of_two_concurrent_changes_takes_effect(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    outcomes = await asyncio.gather(
        *(change(house, account, session, new=f"{OTHER_PASSWORD} {n}") for n in range(3))
    )
    assert sum(isinstance(outcome, Changed) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Changed | ChangedMeanwhile | OAuthError) for outcome in outcomes)


async def test_a_person_disabled_during_the_change_stays_disabled(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    await house.change_account(account, disabled_at=house.now)
    assert isinstance(await change(house, account, session), OAuthError)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert stored.disabled_at == house.now
