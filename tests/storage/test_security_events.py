"""Streams of security events: who hears of what, in which order, and that nothing is written without a stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.security_event import AccountEvent, EventStream, SecurityEvent
from doorward.storage.sql.store import Store
from tests.storage.samples import DAY, NOW, account, client, consent, grant, session, sha

pytestmark = pytest.mark.anyio


def stream(name: str = "shop", /, **changes: Any) -> EventStream:
    values: dict[str, Any] = {
        "id": f"ssm_{name}",
        "client_id": f"app_{name}",
        "audience": f"https://{name}.example",
        "description": "",
        "delivery": "push",
        "endpoint_url": f"https://{name}.example/events",
        "sealed": b"sealed",
        "events": ("session-revoked", "account-disabled"),
        "subject": "iss_sub",
        "subject_in_event": False,
        "status": "enabled",
        "reason": None,
        "created_at": NOW,
    }
    return EventStream(**values | changes)


def happened(number: int = 1, /, **changes: Any) -> AccountEvent:
    values: dict[str, Any] = {
        "id": f"aud_{number}.0",
        "kind": "account-disabled",
        "account_id": "usr_ada",
        "at": NOW,
        "detail": {"n": number},
    }
    return AccountEvent(**values | changes)


@pytest.fixture(autouse=True)
async def people(store: Store) -> None:
    """Ada uses the shop in two sessions; Bob uses nothing. The news app knows neither."""
    second = session("two", secret_hash=sha("session two"))
    store.security_events.wanted = None
    await store.commit(
        store.registry.put_client(client()),
        store.registry.put_client(client("news")),
        store.accounts.insert(account()),
        store.accounts.insert(account("bob")),
        store.sessions.insert(session()),
        store.sessions.insert(second),
        store.grants.insert(grant()),
        store.grants.insert(grant("two", session_id="ses_two")),
    )


async def waiting(store: Store, name: str = "shop") -> list[SecurityEvent]:
    return list(await store.security_events.waiting(f"ssm_{name}", 100))


async def test_a_stream_is_read_as_written(store: Store) -> None:
    one = stream(sealed=None, status="paused", reason="down", subject_in_event=True, failing_since=NOW)
    await store.commit(store.security_events.insert(one), store.security_events.insert(stream("news")))
    assert await store.security_events.get("ssm_shop") == one
    assert await store.security_events.get("ssm_none") is None
    assert list(await store.security_events.of_client("app_news")) == [stream("news")]
    assert [each.id for each in await store.security_events.all()] == ["ssm_news", "ssm_shop"]
    assert await store.commit(store.security_events.replace(one, replace(one, status="enabled", reason=None)))
    assert not await store.commit(store.security_events.replace(one, replace(one, status="disabled")))


async def test_the_snapshot_says_which_kinds_are_asked_for(store: Store) -> None:
    before = (await store.registry.load()).version
    off = stream("news", events=("credential-change",), status="disabled")
    await store.commit(store.security_events.insert(stream()), store.security_events.insert(off))
    snapshot = await store.registry.load()
    assert snapshot.event_kinds == {"session-revoked", "account-disabled"}
    assert snapshot.version > before
    await store.commit(store.security_events.delete("ssm_shop"))
    assert (await store.registry.load()).event_kinds == frozenset()


async def test_without_a_stream_no_commit_is_longer(store: Store) -> None:
    store.security_events.follow(await store.registry.load())
    assert store.security_events.of_account(happened()).steps == ()
    assert len(store.sessions.end("ses_one", NOW, "signed_out").steps) == 1
    assert len(store.sessions.end_of_account("usr_ada", NOW, "revoked", NOW + 9, keep=None).steps) == 4
    await store.commit(store.security_events.insert(stream(events=("credential-change",))))
    store.security_events.follow(await store.registry.load())
    assert len(store.sessions.end("ses_one", NOW, "signed_out").steps) == 1
    assert store.security_events.of_account(happened()).steps == ()
    assert store.security_events.of_account(happened(kind="credential-change")).steps != ()


@pytest.mark.requirement(59)
async def test_only_apps_that_know_the_person_hear_of_them(store: Store) -> None:
    """The event stream of another app stays empty, whatever it asked for."""
    await store.commit(store.security_events.insert(stream()), store.security_events.insert(stream("news")))
    bob = happened(2, account_id="usr_bob")
    other = happened(3, kind="account-purged")
    for each in (happened(1), bob, other):
        assert await store.commit(store.security_events.of_account(each))
    assert [(one.id, one.account_id, one.detail) for one in await waiting(store)] == [
        ("aud_1.0.ssm_shop", "usr_ada", {"n": 1})
    ]
    assert await waiting(store, "news") == []
    await store.commit(store.sessions.put_consent(consent(account_id="usr_bob", client_id="app_news")))
    await store.commit(store.security_events.of_account(bob))
    assert [one.account_id for one in await waiting(store, "news")] == ["usr_bob"]


async def test_an_app_hears_of_a_person_whose_account_is_deleted_in_that_commit(store: Store) -> None:
    """(keycloak#13272)"""
    await store.commit(store.security_events.insert(stream(events=("account-purged",), subject="email")))
    gone = store.security_events.of_account(happened(kind="account-purged"))
    assert await store.commit(gone, store.delete_account("usr_ada"))
    assert [(one.kind, one.email) for one in await waiting(store)] == [("account-purged", account().email)]


async def test_an_app_that_is_deleted_hears_nothing_more(store: Store) -> None:
    await store.commit(store.security_events.insert(stream()))
    await store.commit(store.registry.delete_client("app_shop"))
    await store.commit(store.security_events.of_account(happened()))
    await store.commit(store.sessions.end_of_account("usr_ada", NOW, "revoked", NOW + 9, keep=None))
    assert await waiting(store) == []


@pytest.mark.parametrize("status", ["paused", "disabled"])
async def test_paused_streams_hold_events_and_disabled_ones_do_not(store: Store, status: Any) -> None:
    await store.commit(store.security_events.insert(stream(status=status)))
    await store.commit(
        store.security_events.of_account(happened()), store.sessions.end("ses_one", NOW, "signed_out")
    )
    assert len(await waiting(store)) == (1 if status == "paused" else 0)
    assert await store.security_events.due(NOW) == []


@pytest.mark.requirement(59)
async def test_a_receiver_of_people_is_told_when_the_last_session_ended(store: Store) -> None:
    """Else a sign-out on a phone would end the session of the same person at a desk."""
    await store.commit(store.security_events.insert(stream()))
    await store.commit(store.sessions.end("ses_one", NOW + 1, "signed_out"))
    assert await waiting(store) == []
    await store.commit(store.sessions.end_first("ses_two", NOW + 2, "ended_by_owner"))
    (only,) = await waiting(store)
    assert (only.kind, only.id, only.at) == ("session-revoked", "ses_two.ssm_shop", NOW + 2)
    assert only.detail == {"reason": "ended_by_owner"}


@pytest.mark.requirement(59)
async def test_a_receiver_of_sessions_is_told_of_each(store: Store) -> None:
    """Each session of an app ends (keycloak#27359)."""
    await store.commit(store.security_events.insert(stream(subject="complex")))
    await store.commit(store.sessions.end("ses_one", NOW + 1, "signed_out"))
    await store.commit(store.sessions.end_of_account("usr_ada", NOW + 2, "revoked", NOW + 9, keep=None))
    assert [(one.session_id, one.detail["reason"]) for one in await waiting(store)] == [
        ("ses_one", "signed_out"),
        ("ses_two", "revoked"),
    ]


async def test_sessions_that_end_together_are_one_event_of_the_person(store: Store) -> None:
    await store.commit(store.security_events.insert(stream()))
    await store.commit(store.sessions.end_of_account("usr_ada", NOW, "revoked", NOW + 9, keep=None))
    assert [one.session_id for one in await waiting(store)] == ["ses_two"]
    # one by one in one commit it is the same one
    await store.commit(store.security_events.empty("ssm_shop"))
    again = [session(name, secret_hash=sha(name), account_id="usr_bob") for name in ("three", "four", "five")]
    await store.commit(*(store.sessions.insert(one) for one in again))
    await store.commit(
        *(
            store.grants.insert(grant(one.id, session_id=one.id, account_id="usr_bob"))
            for one in again
            if one.id != "ses_five"
        )
    )
    await store.commit(*(store.sessions.end(one.id, NOW + 5, "revoked") for one in again))
    assert [(one.account_id, one.session_id) for one in await waiting(store)] == [("usr_bob", "ses_three")]


async def test_a_session_without_a_grant_of_the_app_is_not_told(store: Store) -> None:
    await store.commit(store.security_events.insert(stream("news", subject="complex")))
    await store.commit(store.sessions.end_of_account("usr_ada", NOW, "revoked", NOW + 9, keep="ses_two"))
    assert await waiting(store, "news") == []


async def test_the_session_that_stays_keeps_the_person_signed_in(store: Store) -> None:
    await store.commit(
        store.security_events.insert(stream()),
        store.security_events.insert(stream("both", client_id="app_shop", subject="complex")),
    )
    await store.commit(store.sessions.end_of_account("usr_ada", NOW, "revoked", NOW + 9, keep="ses_two"))
    assert await waiting(store) == []
    assert [one.session_id for one in await waiting(store, "both")] == ["ses_one"]


@pytest.mark.requirement(59)
async def test_events_of_a_person_keep_their_order_whatever_the_clock_says(store: Store) -> None:
    await store.commit(store.security_events.insert(stream(events=("account-disabled", "account-enabled"))))
    for number, (kind, at) in enumerate(
        [("account-disabled", NOW), ("account-enabled", NOW - 30), ("account-disabled", NOW - 30)]
    ):
        await store.commit(store.security_events.of_account(happened(number, kind=kind, at=at)))
    assert [one.detail["n"] for one in await waiting(store)] == [0, 1, 2]


async def test_a_repeated_write_is_one_event(store: Store) -> None:
    await store.commit(store.security_events.insert(stream()))
    for _ in range(2):
        assert await store.commit(store.security_events.of_account(happened()))
    assert len(await waiting(store)) == 1


async def test_a_receiver_removes_its_own_events_only(store: Store) -> None:
    await store.commit(
        store.security_events.insert(stream()),
        store.security_events.insert(stream("both", client_id="app_shop")),
    )
    await store.commit(store.security_events.of_account(happened()))
    ids = [one.id for one in await waiting(store)]
    await store.commit(store.security_events.remove("ssm_both", ids))
    assert len(await waiting(store)) == len(await waiting(store, "both")) == 1
    await store.commit(store.security_events.remove("ssm_shop", ids))
    assert await waiting(store) == []
    assert await store.security_events.counts() == {"ssm_both": (1, NOW)}


async def test_one_process_at_a_time_sends(store: Store, other: Store) -> None:
    one = stream()
    await store.commit(store.security_events.insert(one))
    assert await store.security_events.due(NOW) == []
    await store.commit(store.security_events.of_account(happened()))
    assert list(await other.security_events.due(NOW)) == [one]
    taken = replace(one, next_try_at=NOW + 120, tries=1)
    assert await store.commit(store.security_events.moved(one, taken))
    assert not await other.commit(other.security_events.moved(one, taken))
    assert await other.security_events.due(NOW) == []


async def test_a_verification_event_is_asked_for_once_in_a_while(store: Store) -> None:
    await store.commit(store.security_events.insert(stream()))
    assert await store.commit(store.security_events.verify("ssm_shop", NOW, every=60))
    assert not await store.commit(store.security_events.verify("ssm_shop", NOW + 59, every=60))
    assert await store.commit(store.security_events.verify("ssm_shop", NOW + 60, every=60))


@pytest.mark.requirement(93)
async def test_events_that_nobody_accepted_are_deleted_after_a_month(store: Store) -> None:
    await store.commit(store.security_events.insert(stream()))
    await store.commit(store.security_events.of_account(happened()))
    await store.sweep(NOW + 30 * DAY - 1)
    assert len(await waiting(store)) == 1
    await store.sweep(NOW + 30 * DAY)
    assert await waiting(store) == []


@pytest.mark.requirement(59)
async def test_of_two_sessions_that_end_at_once_one_is_the_last(store: Store, other: Store) -> None:
    """A receiver that is told of the person, and not of a session, hears that the last session ended (incident 0100)."""
    other.security_events.wanted = None
    await store.commit(store.security_events.insert(stream()))
    people = [f"usr_{number}" for number in range(12)]
    for person in people:
        await store.commit(store.accounts.insert(account(person.removeprefix("usr_"))))
        for name in ("a", "b"):
            one = session(f"{person}{name}", account_id=person, secret_hash=sha(person + name))
            used = grant(f"{person}{name}", account_id=person, session_id=one.id)
            assert await store.commit(store.sessions.insert(one), store.grants.insert(used))
    for person in people:
        await asyncio.gather(
            store.commit(store.sessions.end(f"ses_{person}a", NOW, "signed_out")),
            other.commit(other.sessions.end(f"ses_{person}b", NOW, "signed_out")),
        )
    assert sorted({str(one.account_id) for one in await waiting(store)}) == sorted(people)


@pytest.mark.requirement(59)
async def test_an_app_whose_access_ended_hears_no_more(store: Store) -> None:
    """It is told of what ended its access, and of nothing after that (incident 0107)."""
    kinds = ("credential-change", "account-purged")
    await store.commit(store.security_events.insert(stream(events=kinds)))
    await store.commit(
        store.grants.end("grt_one", NOW, "disconnected"),
        store.grants.end("grt_two", NOW, "disconnected"),
        store.security_events.of_account(happened(1, kind="credential-change")),
    )
    for number, kind in enumerate(kinds, start=2):
        await store.commit(store.security_events.of_account(happened(number, kind=kind, at=NOW + 1)))
    assert [one.detail["n"] for one in await waiting(store)] == [1]


@pytest.mark.requirement(59)
async def test_an_app_that_somebody_signed_out_of_hears_that_the_account_is_deleted(store: Store) -> None:
    kinds = ("credential-change", "account-purged")
    await store.commit(store.security_events.insert(stream(events=kinds)))
    await store.commit(
        store.grants.end("grt_one", NOW, "signed_out"), store.grants.end("grt_two", NOW, "signed_out")
    )
    for number, kind in enumerate(kinds, start=1):
        await store.commit(store.security_events.of_account(happened(number, kind=kind, at=NOW + 1)))
    assert [one.kind for one in await waiting(store)] == ["account-purged"]


async def test_an_app_has_so_many_streams_however_many_are_made_at_once(store: Store, other: Store) -> None:
    made = await asyncio.gather(
        *(
            each.commit(each.security_events.insert_below(stream(f"{n}", client_id="app_shop"), 3))
            for n in range(6)
            for each in [(store, other)[n % 2]]
        )
    )
    assert sum(made) == len(await store.security_events.of_client("app_shop")) == 3
