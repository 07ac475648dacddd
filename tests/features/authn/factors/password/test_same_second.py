"""Two passwords in one second: what was proven with the first does not count for the second, and what may stay stays (R72, R94).

docs/incidents/0109-two-passwords-in-one-second.md
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreUnavailable
from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof
from doorward.features.accounts.reset_password import Reset
from doorward.features.admin import build as admin
from doorward.features.authn.factors.password.change import Changed
from doorward.features.authn.flow.rules.vouching import adds_up, of_own_times
from doorward.features.sessions.rules.session import recent
from doorward.storage.sql.store import Store, Write
from tests.features.admin.managing import OPERATOR
from tests.mailbox import reset_by_code
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House, caller_of, code_for

pytestmark = pytest.mark.anyio
Act = Callable[[House, Account], Awaitable[object]]


async def change(house: House, account: Account) -> None:
    session = await house.session(account)
    done = await house.change.change(
        account, session, current=Secret(PASSWORD), new=Secret(OTHER_PASSWORD), caller=CALLER, now=house.now
    )
    assert isinstance(done, Changed)


async def proven_reset(house: House, account: Account) -> EmailChallenge:
    """A reset in which the mailbox is proven, and no password is set yet."""
    mine = caller_of(digest("browser"))
    ticket = await house.reset.ask(
        email=account.known_as, locale="en", sign_in_id=None, caller=mine, now=house.now
    )
    assert isinstance(ticket, EmailChallenge)
    (_, _, message), *_ = await house.mails()
    proven = await reset_by_code(house, ticket.id, message.code or "", caller=mine, now=house.now)
    assert isinstance(proven, EmailChallenge)
    return proven


async def set_by_mail(house: House, ticket: EmailChallenge, *, end: bool) -> object:
    mine = caller_of(digest("browser"))
    return await house.reset.set(
        ticket.id, Secret(OTHER_PASSWORD), end_sessions=end, caller=mine, now=house.now
    )


async def reset(house: House, account: Account) -> None:
    assert isinstance(await set_by_mail(house, await proven_reset(house, account), end=True), Reset)


async def reset_that_keeps_sessions(house: House, account: Account) -> None:
    assert isinstance(await set_by_mail(house, await proven_reset(house, account), end=False), Reset)


async def set_by_operator(house: House, account: Account) -> None:
    people = house.services.get(admin.people)
    await people.set_password(OPERATOR, account.known_as, Secret(OTHER_PASSWORD))


def while_checked(
    house: House, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]
) -> None:
    """Lets `act` happen once, after a password was found right and before its proof is stored."""
    verify, waiting = house.hasher.verify, [act]

    async def slow(stored: str | None, password: Secret, *, typed: Secret | None = None) -> bool:
        good = await verify(stored, password, typed=typed)
        if waiting and stored is not None:
            await waiting.pop()()
        return good

    monkeypatch.setattr(house.hasher, "verify", slow, raising=False)


async def signs_in(house: House, password: str = PASSWORD) -> bool:
    """Whether a new browser ends on the account pages with this password."""
    browser = house.browser()
    await browser.follow(await browser.sign_in(password=password))
    return (await browser.get("/account")).status == 200


@pytest.mark.requirement(72, 94)
@pytest.mark.parametrize("act", [change, reset, reset_that_keeps_sessions, set_by_operator])
async def test_a_sign_in_with_the_first_password_does_not_outlive_the_second_of_the_same_second(
    house: House, monkeypatch: pytest.MonkeyPatch, act: Act
) -> None:
    account = await house.person()
    account = await house.change_account(account, password_changed_at=house.now)
    assert await signs_in(house)
    while_checked(house, monkeypatch, lambda: act(house, account))
    assert not await signs_in(house)
    now = await house.store.accounts.get(account.id)
    assert now is not None
    assert now.password_changed_at == account.password_changed_at
    assert await signs_in(house, OTHER_PASSWORD), "the new password counts in the same second"


@pytest.mark.requirement(72)
async def test_a_sign_in_goes_on_while_another_one_makes_the_hash_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An imported hash, or one of an earlier cost: another text of the same password."""
    account = await house.person()
    seed, _ = await house.authenticator(account)
    browser = house.browser()
    asked = await browser.follow(await browser.sign_in())
    with monkeypatch.context() as patched:
        patched.setattr(house.hasher, "outdated", lambda _stored: True, raising=False)
        assert not await signs_in(house), "the second step is asked for"
    now = await house.store.accounts.get(account.id)
    assert now is not None
    assert now.password_hash != account.password_hash
    done = await browser.submit(asked, "second-factor", code=code_for(seed, house.now))
    assert done.header("location") == "/account"


@pytest.mark.requirement(68, 94)
async def test_the_session_that_changes_its_password_twice_in_a_second_stays(house: House) -> None:
    account = await house.person()
    session = await house.session(account)
    for current, new in ((PASSWORD, OTHER_PASSWORD), (OTHER_PASSWORD, PASSWORD)):
        done = await house.change.change(
            account, session, current=Secret(current), new=Secret(new), caller=CALLER, now=house.now
        )
        assert isinstance(done, Changed)
        session = done.session
    now = await house.store.accounts.get(account.id)
    assert now is not None
    assert recent(session, now, house.services.sessions, house.now)
    assert [proof.kind for proof in house.change.factors.standing(session.proofs, now, ())] == ["password"]


@pytest.mark.requirement(94)
async def test_a_session_that_a_reset_keeps_vouches_for_no_password_of_its_second(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session of the old password, proven in the second of the reset or while the new hash was made, stays, and is asked again."""
    account = await house.person()
    account = await house.change_account(account, password_changed_at=house.now)
    ticket = await proven_reset(house, account)
    shown = (Proof("password", house.now, ("pwd",)),)
    before = await house.session(account, proofs=shown)
    commit, born = type(house.store).commit, list[Session]()

    async def one_more(self: Store, *writes: Write) -> bool:
        if not born and any("tickets" in str(one) for one in writes):
            later = (Proof("password", house.now + 1, ("pwd",)),)
            born.append(await house.session(account, auth_time=house.now + 1, proofs=later))
        return await commit(self, *writes)

    monkeypatch.setattr(Store, "commit", one_more)
    assert isinstance(await set_by_mail(house, ticket, end=False), Reset)
    now = await house.store.accounts.get(account.id)
    assert now is not None
    left = await house.store.sessions.live_of(account.id, house.now)
    assert {one.id for one in left} == {before.id, *(one.id for one in born)}
    assert len(left) == 2
    for session in left:
        assert adds_up(session)
        assert not recent(session, now, house.services.sessions, house.now)
        assert house.change.factors.standing(of_own_times(session), now, ()) == ()


@pytest.mark.requirement(72, 94)
@pytest.mark.parametrize("act", [change, reset, reset_that_keeps_sessions, set_by_operator])
async def test_nothing_of_before_counts_when_the_database_fails_right_after_the_commit(
    house: House, monkeypatch: pytest.MonkeyPatch, act: Act
) -> None:
    """docs/incidents/0123-a-reset-was-finished-after-its-commit.md"""
    account = await house.person()
    account = await house.change_account(account, password_changed_at=house.now)
    commit, born = type(house.store).commit, list[Session]()

    async def one(self: Store, *writes: Write) -> bool:
        if any("password_version" in str(write) for write in writes):
            # signed in between what the change has read and its commit
            shown = (Proof("password", house.now, ("pwd",)),)
            born.append(await house.session(account, proofs=shown))
            done = await commit(self, *writes)
            monkeypatch.setattr(Store, "commit", fails)
            return done
        return await commit(self, *writes)

    async def fails(_self: Store, *_writes: Write) -> bool:
        raise StoreUnavailable("gone after the commit")

    monkeypatch.setattr(Store, "commit", one)
    with suppress(StoreUnavailable):
        await act(house, account)
    now = await house.store.accounts.get(account.id)
    (session,) = [await house.store.sessions.get(one.id) for one in born]
    assert now is not None
    assert session is not None
    assert now.password_hash != account.password_hash
    assert session.ended_at is not None or not recent(session, now, house.services.sessions, house.now)
    assert house.change.factors.standing(of_own_times(session), now, ()) == () or session.ended_at is not None


@pytest.mark.requirement(94)
async def test_a_sign_in_in_a_kept_session_does_not_bring_its_proofs_back(house: House) -> None:
    """An app is opened in the session at the moment of the reset: it was read before, and its row is written after."""
    account = await house.person()
    account = await house.change_account(account, password_changed_at=house.now)
    ticket = await proven_reset(house, account)
    before = await house.session(account, proofs=(Proof("password", house.now, ("pwd",)),))
    assert isinstance(await set_by_mail(house, ticket, end=False), Reset)
    sessions = house.store.sessions
    assert not await house.store.commit(sessions.replace_secret(before, replace(before, seen_at=house.now)))
    left = await sessions.get(before.id)
    assert left is not None
    assert left.auth_time < house.now
