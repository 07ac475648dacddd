"""Grants created at the moment in which their session is ended: none survives, whatever ends the session.

docs/incidents/0003-a-device-that-was-ended-and-went-on.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from doorward.core.model.secret import Secret
from doorward.core.model.session import Consent, Session
from doorward.features.authn.flow.outcomes import Finished
from doorward.features.authn.flow.rules.assurance import Achieved
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store
from tests.features import made
from tests.features.admin.managing import OPERATOR, Desk
from tests.front_channel import CALLER as AT_THE_DOOR
from tests.front_channel import Front
from tests.manual_clock import NOW
from tests.people import CALLER, PASSWORD, House
from tests.reported import noticed

pytestmark = pytest.mark.anyio


@dataclass
class Thief:
    """Has the session's cookie and requests codes without pause: one grant is created right after the existing ones were read,
    with the guard that `SignInCompletion` has."""

    store: Store
    session: Session
    now: int
    born: list[str] = field(default_factory=list)

    async def __call__(self) -> None:
        if self.born:
            return
        self.born.append("grt_thief")
        assert await self.store.commit(
            self.store.sessions.replace_secret(self.session, self.session),
            self.store.grants.insert(
                made.grant(
                    id="grt_thief",
                    account_id=self.session.account_id,
                    client_id="app_shop",
                    session_id=self.session.id,
                    created_at=self.now,
                    auth_time=self.now,
                    expires_at=self.now + 9999,
                )
            ),
        )

    def after(self, monkeypatch: pytest.MonkeyPatch, look: str) -> None:
        """Creates the grant right after `Revoker` has read the others."""
        method = getattr(Revoker, look)

        async def then_sign_in(revoker: Revoker, *given: Any, **named: Any) -> Any:
            writes = await method(revoker, *given, **named)
            await self()
            return writes

        monkeypatch.setattr(Revoker, look, then_sign_in)

    async def left(self) -> list[str]:
        """The live grants."""
        return [one.id for one in await self.store.grants.live_of_account(self.session.account_id, self.now)]

    async def told(self) -> bool:
        """Whether APIs are notified that the grant has ended."""
        _, entries = await self.store.revocations.live(self.now)
        return ("grant", "grt_thief") in {(entry.kind, entry.ref) for entry in entries}


@pytest.mark.requirement(72, 74)
async def test_a_device_ended_by_its_owner_keeps_no_grant(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.person()
    thief = Thief(house.store, await house.session(account), house.now)
    thief.after(monkeypatch, "session")
    assert await house.pages.end_device(account, thief.session.id, caller=CALLER, now=house.now)
    assert thief.born
    assert await thief.left() == []
    assert await thief.told()


@pytest.mark.requirement(72, 74)
@pytest.mark.parametrize("reported", [False, True])
async def test_ending_every_other_device_leaves_no_grant(
    house: House, monkeypatch: pytest.MonkeyPatch, reported: bool
) -> None:
    account = await house.person()
    mine = await house.session(account)
    thief = Thief(house.store, await house.session(account), house.now)
    thief.after(monkeypatch, "account" if reported else "others")
    if reported:
        event = await noticed(house, account)
        assert await house.pages.report(account, mine, event, caller=CALLER, now=house.now)
    else:
        assert await house.pages.end_others(account, mine, caller=CALLER, now=house.now) == 1
    assert [one.id for one in await house.store.sessions.live_of(account.id, house.now)] == [mine.id]
    assert thief.born
    assert await thief.left() == []
    assert await thief.told()


@pytest.mark.requirement(74)
async def test_a_disconnected_app_keeps_no_grant(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.person()
    thief = Thief(house.store, await house.session(account), house.now)
    thief.after(monkeypatch, "app_of")
    consent = Consent(account.id, "app_shop", "https://api.example.com", ("read",), house.now)
    assert await house.store.commit(house.store.sessions.put_consent(consent))
    assert await house.pages.disconnect(account, "app_shop", caller=CALLER, now=house.now)
    assert thief.born
    assert await thief.left() == []
    assert await thief.told()


@pytest.mark.requirement(72)
async def test_a_deleted_person_leaves_no_grant(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await desk.people.create(OPERATOR, "ada@example.com", password=Secret(PASSWORD))
    session = Session(
        id="ses_thief", secret_hash=b"t" * 32, account_id=account.id, created_at=NOW, seen_at=NOW, auth_time=NOW,
        expires_at=NOW + 999, acr="a", amr=("pwd",),
    )  # fmt: skip
    assert await desk.store.commit(desk.store.sessions.insert(session))
    thief = Thief(desk.store, session, NOW)
    thief.after(monkeypatch, "account")
    await desk.people.delete(OPERATOR, "ada@example.com")
    assert thief.born
    assert await thief.left() == []
    assert await thief.told()


@pytest.mark.requirement(72)
@pytest.mark.parametrize("crowd", [False, True])
async def test_a_session_ended_by_another_sign_in_keeps_no_grant(
    front: Front, monkeypatch: pytest.MonkeyPatch, crowd: bool
) -> None:
    """Another person signs in in that browser, or the same one exceeds their number of sessions elsewhere."""
    ada = await front.person()
    eve = await front.person(id="usr_eve", email="eve@example.com")
    thief = Thief(front.store, await front.session(ada), front.now)
    if crowd:
        monkeypatch.setattr("doorward.features.authn.flow.finish.MOST_SESSIONS", 1)
    thief.after(monkeypatch, "session")
    done = await front.finish.commit(
        await front.begin(None),
        account=ada if crowd else eve,
        achieved=Achieved("urn:doorward:aal1", ("pwd",), front.now),
        permitted=None,
        old=None if crowd else thief.session,
        caller=AT_THE_DOOR,
        now=front.now,
    )
    assert isinstance(done, Finished)
    assert thief.born
    assert await thief.left() == []
    assert await thief.told()
