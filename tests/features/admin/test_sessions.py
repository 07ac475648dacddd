"""Administration of sessions: where somebody is signed in, and the end of one session, one device, or everything."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.session import Session
from doorward.features.admin import build
from doorward.features.admin.error import AdminError
from doorward.features.sessions.rules.revocation import SNAPSHOT_LAG
from tests.browsing import CHROME
from tests.features import made
from tests.features.admin.managing import OPERATOR, Desk
from tests.manual_clock import NOW

pytestmark = pytest.mark.anyio
WHO = "ada@example.com"


async def signed_in(desk: Desk, account: Account, number: int, device: bytes | None = None) -> Session:
    session = Session(
        id=f"ses_{number}", secret_hash=bytes([number]) * 32, account_id=account.id, created_at=NOW - number,
        seen_at=NOW - number, auth_time=NOW, expires_at=NOW + 9999, acr="a", amr=("pwd",), user_agent=CHROME,
        address="192.0.2.1", device_hash=device,
    )  # fmt: skip
    grant = made.grant(id=f"grt_{number}", account_id=account.id, session_id=session.id, offline=number == 2)
    assert await desk.store.commit(desk.store.sessions.insert(session), desk.store.grants.insert(grant))
    return session


async def left(desk: Desk, account: Account) -> tuple[list[str], list[str]]:
    """The live sessions and grants."""
    sessions = await desk.store.sessions.live_of(account.id, NOW)
    grants = await desk.store.grants.live_of_account(account.id, NOW)
    return sorted(one.id for one in sessions), sorted(one.id for one in grants)


async def test_operators_see_where_somebody_is_signed_in_and_end_one_session(desk: Desk) -> None:
    ada, admin = await desk.people.create(OPERATOR, WHO), desk.services.get(build.sessions)
    for number in (1, 2):
        await signed_in(desk, ada, number)
    account, found = await admin.find(OPERATOR, WHO)
    assert account.id == ada.id
    assert [(one.session.id, one.apps, one.place) for one in found] == [
        ("ses_1", ("app_web",), None),
        ("ses_2", ("app_web",), None),
    ]
    await admin.end(OPERATOR, WHO, "ses_2")
    # an app with offline access outlives the session
    assert await left(desk, ada) == (["ses_1"], ["grt_1", "grt_2"])
    (event,) = await desk.audited("session.ended")
    assert event.detail["reason"] == "ended_by_operator"
    with pytest.raises(AdminError, match="session_not_held"):
        await admin.end(OPERATOR, WHO, "ses_2")
    eve = await desk.people.create(OPERATOR, "eve@example.com")
    await signed_in(desk, eve, 3)
    with pytest.raises(AdminError, match="session_not_held"):
        await admin.end(OPERATOR, WHO, "ses_3")


@pytest.mark.requirement(72)
async def test_the_end_of_a_device_ends_all_in_that_browser_and_nothing_elsewhere(desk: Desk) -> None:
    ada, admin = await desk.people.create(OPERATOR, WHO), desk.services.get(build.sessions)
    lost, kept = b"l" * 32, b"k" * 32
    for number, device in enumerate((lost, lost, kept), 1):
        await desk.store.commit(desk.store.sessions.remember_device(device, ada.id, NOW))
        await signed_in(desk, ada, number, device)
    await admin.end(OPERATOR, WHO, "ses_1", device=True)
    assert await left(desk, ada) == (["ses_3"], ["grt_3"])
    known = desk.store.sessions.known_device
    assert [await known((one,), ada.id) for one in (lost, kept)] == [None, kept]
    assert [event.detail["session"] for event in await desk.audited("device.ended")] == ["ses_1"]


@pytest.mark.requirement(72)
async def test_all_access_of_a_person_ends_in_one_commit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, admin = await desk.people.create(OPERATOR, WHO), desk.services.get(build.sessions)
    for number in (1, 2):
        await signed_in(desk, ada, number)
    assert (await admin.end_access(OPERATOR, WHO))[1] == 2
    assert await left(desk, ada) == ([], [])
    (event,) = await desk.audited("account.access_ended")
    assert (event.account_id, event.detail["count"]) == (ada.id, "2")
    nobody = structs.replace(OPERATOR, rights=frozenset({"people.read"}))
    with pytest.raises(AdminError, match="right_missing"):
        await admin.end_access(nobody, WHO)


@pytest.mark.requirement(72)
async def test_all_access_of_an_app_ends_and_the_app_stays(desk: Desk) -> None:
    ada = await desk.people.create(OPERATOR, WHO)
    client = made.client()
    await desk.store.commit(desk.store.registry.put_client(client))
    for number in (1, 2):
        await signed_in(desk, ada, number)
    await desk.apps.end_access(OPERATOR, client.id)
    assert await left(desk, ada) == (["ses_1", "ses_2"], [])
    _, entries = await desk.store.revocations.live(NOW)
    assert [(one.kind, one.ref, one.before) for one in entries] == [("client", client.id, NOW + SNAPSHOT_LAG)]
    assert (await desk.apps.get(OPERATOR, client.id)).id == client.id
    assert len(await desk.audited("app.access_ended")) == 1
