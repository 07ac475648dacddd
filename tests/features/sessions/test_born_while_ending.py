"""Sign-ins that end at the moment of a password change, a reset or a disabling: none survives.

docs/incidents/0023-born-while-the-password-changed.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from doorward.core.model.account import Account
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.secret import Secret
from doorward.core.model.session import EndReason, Session
from doorward.features.accounts.reset_password import Reset
from doorward.features.api_keys.build import own_keys
from doorward.features.api_keys.making import NewApiKey
from doorward.features.authn.factors.password.change import Changed
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write
from tests.features.admin.managing import OPERATOR, Desk
from tests.features.api_keys.keyring import draft
from tests.features.oauth.logout.back_channel import BackChannel
from tests.mailbox import reset_by_code
from tests.manual_clock import NOW
from tests.people import CALLER, OTHER_PASSWORD, PASSWORD, House, caller_of

pytestmark = pytest.mark.anyio
BROWSER = digest("browser")


@dataclass
class Thief:
    """Knows the old password, and ends a sign-in between the read of what is open and the commit that ends it, with the
    guard that `SignInCompletion` has."""

    store: Store
    now: int
    born: list[tuple[str, str]] = field(default_factory=list)

    async def sign_in(self, account_id: str, *, read: Account | None = None) -> None:
        account = read or await self.store.accounts.get(account_id)
        assert account is not None
        session = Session(
            id="ses_thief", secret_hash=b"t" * 32, account_id=account_id, created_at=self.now, seen_at=self.now,
            auth_time=self.now, expires_at=self.now + 999, acr="a", amr=("pwd",),
        )  # fmt: skip
        grant = Grant(
            id="grt_thief", client_id="app_shop", account_id=account_id, audience="x", scopes=(), created_at=self.now,
            expires_at=self.now + 999, auth_time=self.now, acr="a", amr=("pwd",), session_id=session.id, offline=True,
        )  # fmt: skip
        assert await self.store.commit(
            self.store.accounts.replace(account, old=account),
            self.store.sessions.insert(session),
            self.store.grants.insert(grant),
        )
        self.born.append((session.id, grant.id))


def between(monkeypatch: pytest.MonkeyPatch, thief: Thief) -> None:
    """Lets the thief act once, right after everything open was read."""
    look = Revoker.account

    async def then_sign_in(
        self: Revoker,
        account_id: str,
        *,
        now: int,
        reason: EndReason,
        sub_entry: bool,
        **kept: Any,
    ) -> list[Write]:
        writes = await look(self, account_id, now=now, reason=reason, sub_entry=sub_entry, **kept)
        if not thief.born:
            await thief.sign_in(account_id)
        return writes

    monkeypatch.setattr(Revoker, "account", then_sign_in)


async def left_open(store: Store, account: Account, now: int) -> tuple[list[str], list[str]]:
    """The live sessions and grants."""
    sessions = [session.id for session in await store.sessions.live_of(account.id, now)]
    return sessions, [grant.id for grant in await store.grants.live_of_account(account.id, now)]


@pytest.mark.requirement(72)
async def test_no_session_opened_with_the_old_password_outlives_its_change(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.person()
    mine = await house.session(account)
    thief = Thief(house.store, house.now)
    between(monkeypatch, thief)
    changed = await house.change.change(
        account, mine, current=Secret(PASSWORD), new=Secret(OTHER_PASSWORD), caller=CALLER,
        now=house.now,
    )  # fmt: skip
    assert isinstance(changed, Changed)
    assert thief.born
    assert await left_open(house.store, account, house.now) == ([mine.id], [])
    _, revoked = await house.store.revocations.live(house.now)
    assert {("sid", "ses_thief"), ("grant", "grt_thief")} <= {(entry.kind, entry.ref) for entry in revoked}


@pytest.mark.requirement(72)
async def test_no_session_opened_with_the_old_password_outlives_a_reset(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.person()
    ticket = await house.reset.ask(
        email=account.known_as, locale="en", sign_in_id=None, caller=caller_of(BROWSER),
        now=house.now,
    )  # fmt: skip
    (_, _, message), *_ = await house.mails()
    proven = await reset_by_code(
        house,
        ticket.id,  # type: ignore[union-attr]
        message.code or "",
        caller=caller_of(BROWSER),
        now=house.now,
    )
    thief = Thief(house.store, house.now)
    between(monkeypatch, thief)
    outcome = await house.reset.set(
        proven.id,  # type: ignore[union-attr]
        Secret(OTHER_PASSWORD),
        end_sessions=True,
        caller=caller_of(BROWSER),
        now=house.now,
    )
    assert isinstance(outcome, Reset)
    assert thief.born
    assert await left_open(house.store, account, house.now) == ([], [])


@pytest.mark.requirement(72)
async def test_no_session_survives_in_a_disabled_account_until_it_is_enabled_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await desk.people.create(OPERATOR, "ada@example.com", password=Secret(PASSWORD))
    thief = Thief(desk.store, NOW)
    between(monkeypatch, thief)
    await desk.people.disable(OPERATOR, "ada@example.com")
    assert thief.born
    await desk.people.enable(OPERATOR, "ada@example.com")
    assert await left_open(desk.store, account, NOW) == ([], [])


@pytest.mark.requirement(72)
@pytest.mark.parametrize(
    "reason", ["reported_by_owner", "ended_by_operator", "second_factor_reset", "revoked"]
)
async def test_a_sign_in_read_before_the_end_of_everything_and_committed_after_it_loses(
    house: House, reason: EndReason
) -> None:
    """A sign-in by JSON begins and ends in one commit, guarded only by the account's row (docs/incidents/0093)."""
    account = await house.person()
    thief = Thief(house.store, house.now)
    assert await house.store.commit(house.store.accounts.replace(account, old=account))
    await house.revoker.everything(account.id, now=house.now, reason=reason)
    with pytest.raises(AssertionError):
        await thief.sign_in(account.id, read=account)
    assert await left_open(house.store, account, house.now) == ([], [])


@pytest.mark.requirement(72)
async def test_a_key_asked_for_in_a_session_that_ended_is_not_made(channel: BackChannel) -> None:
    """The request checked the session before everything ended (docs/incidents/0094)."""
    account = await channel.person()
    session, keys = await channel.session(account), channel.services.get(own_keys)
    now = channel.clock.time
    made_before = await keys.create(account, draft(), caller=CALLER, now=now, session_id=session.id)
    assert isinstance(made_before, NewApiKey)
    await channel.revoker.everything(account.id, now=now, reason="reported_by_owner")
    assert await keys.create(account, draft(), caller=CALLER, now=now, session_id=session.id) is None
    assert not await channel.store.api_keys.any_of_account(account.id, now)
