"""Self-service: people see and end what belongs to them, and cannot reach the data of others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from doorward.core.errors import StoreUnavailable
from doorward.core.model.account import Account
from doorward.core.model.audit import AuditEvent
from doorward.core.model.secret import Secret
from doorward.core.model.session import Consent
from doorward.features.accounts.self_service import SHOWN
from doorward.features.sessions.revoker import MANY
from doorward.storage.sql.store import Store, Write
from tests.people import CALLER, ISSUER, House
from tests.reported import noticed

pytestmark = pytest.mark.anyio


async def activity(house: House, account: Account) -> Sequence[AuditEvent]:
    """The first page of the person's activity."""
    kinds = ("sign_in.failed", "sessions.ended", "account.activity_reported")
    found, _ = await house.pages.activity(account, kinds, house.now)
    return found


async def test_name_and_language_are_saved_and_nothing_else_changes(house: House) -> None:
    account = await house.person()
    saved = await house.pages.save_profile(
        account, name="  Ada  King ", locale="fr", caller=CALLER, now=house.now
    )
    assert isinstance(saved, Account)
    assert (saved.name, saved.locale) == ("Ada King", "fr")
    assert await house.store.accounts.get(account.id) == saved
    assert saved.password_hash == account.password_hash
    too_long = await house.pages.save_profile(
        saved, name="x" * 121, locale=None, caller=CALLER, now=house.now
    )
    assert too_long is None


async def test_an_edit_based_on_stale_data_does_not_undo_a_disabling(house: House) -> None:
    account = await house.person()
    await house.change_account(account, disabled_at=house.now)
    await house.pages.save_profile(account, name="Ada", locale=None, caller=CALLER, now=house.now)
    stored = await house.store.accounts.get(account.id)
    assert stored is not None
    assert (stored.name, stored.disabled_at) == ("Ada", house.now)


@pytest.mark.requirement(74)
async def test_people_list_and_end_their_own_sessions(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    mine, other = await house.session(ada), await house.session(ada, seen_at=house.now - 50)
    hers = await house.session(eve)
    assert [s.id for s in await house.pages.devices(ada, mine, house.now)] == [mine.id, other.id]
    assert not await house.pages.end_device(ada, hers.id, caller=CALLER, now=house.now)
    assert await house.pages.end_device(ada, other.id, caller=CALLER, now=house.now)
    assert not await house.pages.end_device(ada, other.id, caller=CALLER, now=house.now)
    assert [s.id for s in await house.pages.devices(ada, mine, house.now)] == [mine.id]
    assert [s.id for s in await house.pages.devices(eve, hers, house.now)] == [hers.id]
    _, revoked = await house.store.revocations.live(house.now)
    assert [(entry.kind, entry.ref) for entry in revoked] == [("sid", other.id)]


@pytest.mark.requirement(74)
async def test_all_other_sessions_can_be_ended_at_once(house: House) -> None:
    account = await house.person()
    mine = await house.session(account)
    for _ in range(3):
        await house.session(account)
    assert await house.pages.end_others(account, mine, caller=CALLER, now=house.now) == 3
    assert [s.id for s in await house.pages.devices(account, mine, house.now)] == [mine.id]
    (line,) = await activity(house, account)
    assert (line.kind, line.detail) == ("sessions.ended", {"count": 3, "reason": "ended_by_owner"})
    assert await house.pages.end_others(account, mine, caller=CALLER, now=house.now) == 0
    assert len(await activity(house, account)) == 1


@pytest.mark.requirement(74, 76)
async def test_grants_of_ended_sessions_end_and_their_apps_are_notified(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    await house.app_named(backchannel_logout_uri="https://shop.example/bye")
    await house.app_named("Atlas", id="app_atlas")
    mine, other, over = [await house.session(ada) for _ in range(3)]
    await house.store.commit(house.store.sessions.end(over.id, house.now - 9, "signed_out"))
    for name, session in (("mine", mine), ("other", other), ("over", over)):
        await house.grant(ada, session, id=f"grt_{name}", offline=False)
        await house.grant(ada, session, id=f"grt_{name}_atlas", client_id="app_atlas", offline=False)
    await house.grant(ada, other, id="grt_offline", offline=True)
    hers = await house.grant(eve, await house.session(eve), id="grt_eve", offline=False)
    assert await house.pages.end_others(ada, mine, caller=CALLER, now=house.now) == 1
    left = {one.id for one in await house.store.grants.live_of_account(ada.id, house.now)}
    assert left == {"grt_mine", "grt_mine_atlas", "grt_offline"}
    assert [one.id for one in await house.store.grants.live_of_account(eve.id, house.now)] == [hers.id]
    told = [(one.client_id, one.session_id) for one in await house.store.messages.due_logouts(house.now)]
    assert told == [("app_shop", other.id)]
    _, entries = await house.store.revocations.live(house.now)
    assert {("sid", other.id), ("grant", "grt_other"), ("grant", "grt_other_atlas")} <= {
        (one.kind, one.ref) for one in entries
    }
    assert ("sid", mine.id) not in {(one.kind, one.ref) for one in entries}


@pytest.mark.parametrize("reported", [False, True])
async def test_a_large_number_of_sessions_ends_in_few_writes_or_none_ends(
    house: House, monkeypatch: pytest.MonkeyPatch, reported: bool
) -> None:
    ada = await house.person()
    mine = await house.session(ada)
    event = await noticed(house, ada)
    for number in range(SHOWN + 1):
        await house.session(ada, id=f"ses_{number}")
    commits: list[int] = []
    really = type(house.store).commit

    async def counted(store: Store, *writes: Write) -> bool:
        commits.append(len(writes))
        if len(commits) == 1:
            raise StoreUnavailable
        return await really(store, *writes)

    monkeypatch.setattr(type(house.store), "commit", counted)

    async def end() -> None:
        if reported:
            assert await house.pages.report(ada, mine, event, caller=CALLER, now=house.now)
        else:
            ended = await house.pages.end_others(ada, mine, caller=CALLER, now=house.now)
            assert ended == SHOWN + 1

    with pytest.raises(StoreUnavailable):
        await end()
    assert len(await house.store.sessions.live_of(ada.id, house.now)) == SHOWN + 2
    # the person submits the same form again
    await end()
    assert await house.store.sessions.live_of(ada.id, house.now) == [mine]
    # one write for each kind of what ends, and the audit event, whatever the number of sessions
    assert max(commits) <= (13 if reported else 7)
    _, entries = await house.store.revocations.live(house.now)
    assert len({one.ref for one in entries if one.kind == "sid"}) == SHOWN + 1


@pytest.mark.requirement(74)
async def test_people_list_their_apps_and_disconnect_them(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    await house.app_named()
    await house.app_named("Atlas", id="app_atlas")
    session = await house.session(ada)
    consent = Consent(ada.id, "app_shop", ISSUER, ("openid", "email"), house.now - 9)
    await house.store.commit(house.store.sessions.put_consent(consent))
    grant = await house.grant(ada, session)
    await house.grant(ada, session, id="grt_atlas", client_id="app_atlas")
    hers = await house.grant(eve, await house.session(eve), id="grt_eve")
    apps = await house.pages.apps(ada, house.now)
    assert [app.client.name for app in apps] == ["Atlas", "Shop"]
    assert {scope for _, scope in apps[1].scopes} == {"openid", "email", "offline_access"}
    assert apps[1].connected_at == house.now - 9
    assert await house.pages.disconnect(ada, "app_shop", caller=CALLER, now=house.now)
    assert not await house.pages.disconnect(ada, "app_shop", caller=CALLER, now=house.now)
    assert [app.client.name for app in await house.pages.apps(ada, house.now)] == ["Atlas"]
    _, revoked = await house.store.revocations.live(house.now)
    assert [(entry.kind, entry.ref) for entry in revoked] == [("grant", grant.id)]
    assert [g.id for g in await house.store.grants.live_of_account(eve.id, house.now)] == [hers.id]


async def test_a_page_shows_the_latest_of_many_sessions_and_any_can_be_ended(house: House) -> None:
    ada = await house.person()
    first = await house.session(ada, id="ses_first", seen_at=house.now - 9)
    for number in range(SHOWN):
        await house.session(ada, id=f"ses_{number}", seen_at=house.now - number % 5)
    last = await house.session(ada, id="ses_last", seen_at=house.now - 10)
    shown = await house.pages.devices(ada, last, house.now)
    assert len(shown) == SHOWN
    # the current browser is always included, and comes first
    assert shown[0].id == last.id
    assert first.id not in {one.id for one in shown}
    assert await house.pages.end_device(ada, first.id, caller=CALLER, now=house.now)
    assert not await house.pages.end_device(ada, first.id, caller=CALLER, now=house.now)
    assert await house.pages.end_others(ada, shown[0], caller=CALLER, now=house.now) == SHOWN


async def test_an_app_with_many_grants_is_disconnected_completely(house: House) -> None:
    ada = await house.person()
    await house.app_named()
    await house.app_named("Atlas", id="app_atlas")
    session = await house.session(ada)
    for number in range(MANY + 1):
        await house.grant(ada, session, id=f"grt_{number}", offline=bool(number % 2))
    atlas = await house.grant(ada, session, id="grt_atlas", client_id="app_atlas")
    assert await house.pages.disconnect(ada, "app_shop", caller=CALLER, now=house.now)
    assert [one.id for one in await house.store.grants.live_of_account(ada.id, house.now)] == [atlas.id]
    assert len((await house.store.revocations.live(house.now))[1]) == MANY + 1


async def test_a_deleted_app_is_not_shown(house: House) -> None:
    account = await house.person()
    await house.grant(account, await house.session(account), client_id="app_gone")
    assert await house.pages.apps(account, house.now) == []


async def test_reporting_an_unknown_sign_in_ends_everything_else_and_every_app(house: House) -> None:
    ada, eve = await house.person(), await house.person("eve@example.com")
    await house.app_named()
    mine = await house.session(ada)
    thief = await house.session(ada)
    await house.grant(ada, mine)
    await house.check.verify("ada@example.com", Secret("wrong"), caller=CALLER, now=house.now)
    await house.check.verify("eve@example.com", Secret("wrong"), caller=CALLER, now=house.now)
    (event,) = await activity(house, ada)
    (hers,) = await activity(house, eve)
    assert not await house.pages.report(ada, mine, hers.id, caller=CALLER, now=house.now)
    assert await house.pages.report(ada, mine, event.id, caller=CALLER, now=house.now)
    assert [s.id for s in await house.pages.devices(ada, mine, house.now)] == [mine.id]
    ended = await house.store.sessions.get(thief.id)
    assert ended is not None
    assert ended.end_reason == "reported_by_owner"
    assert await house.pages.apps(ada, house.now) == []
    found = {line.kind: line for line in await activity(house, ada)}
    assert found["account.activity_reported"].detail["event"] == event.id


async def test_activity_covers_ninety_days(house: House) -> None:
    account = await house.person()
    await house.check.verify("ada@example.com", Secret("wrong"), caller=CALLER, now=house.now)
    house.later(90 * 86_400)
    assert len(await activity(house, account)) == 1
    house.later(1)
    assert await activity(house, account) == []
