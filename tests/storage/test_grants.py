"""Codes are redeemed once, refresh tokens are spent once, and an ended grant gets nothing new."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account
from doorward.core.model.grant import Spent
from doorward.core.model.revocation import Revocation
from doorward.storage.sql.revocations import SqlRevocations
from doorward.storage.sql.store import Store, Write
from tests.storage.samples import DAY, NOW, account, code, grant, refresh, rotated, sha

pytestmark = pytest.mark.anyio


def entry(ref: str, view: SqlRevocations) -> Write:
    """An entry of the revocation view."""
    return view.insert(Revocation(kind="jti", ref=ref, at=NOW, expires_at=NOW + 9))


async def test_a_grant_is_read_as_it_was_written(store: Store) -> None:
    bare = grant("bare", session_id=None, offline=False, nonce=None, claims={}, amr=(), scopes=())
    for one in (grant(), bare):
        assert await store.commit(store.grants.insert(one))
        assert await store.grants.get(one.id) == one
    assert await store.grants.get("grt_none") is None


async def test_live_grants_are_found_by_account_and_session(store: Store) -> None:
    rows = [
        grant("live", created_at=NOW + 1),
        grant("app", client_id="app_blog"),
        grant("bob", account_id="usr_bob"),
        grant("two", session_id="ses_two"),
        grant("old", expires_at=NOW),
        grant("ended"),
    ]
    await store.commit(
        *(store.grants.insert(one) for one in rows), store.grants.end("grt_ended", NOW, "revoked")
    )
    g = store.grants
    assert {one.id for one in await g.live_of_account("usr_ada", NOW)} == {"grt_live", "grt_app", "grt_two"}
    assert {one.id for one in await g.live_of_session("ses_one", NOW)} == {"grt_live", "grt_app", "grt_bob"}
    assert (await g.live_of_account("usr_ada", NOW))[0] == rows[0]
    assert await g.live_of_account("usr_ada", NOW, limit=1) == [rows[0]]
    assert len(await g.live_of_session("ses_one", NOW, limit=2)) == 2
    one = grant()
    assert await g.held_of_account("usr_ada", NOW) == [
        ("app_shop", one.audience, one.scopes, one.created_at),
        ("app_blog", one.audience, one.scopes, one.created_at),
    ]


async def test_ending_twice_keeps_the_first_reason(store: Store) -> None:
    await store.commit(store.grants.insert(grant()))
    assert await store.commit(store.grants.end("grt_one", NOW + 1, "replayed"))
    assert await store.commit(store.grants.end("grt_one", NOW + 2, "signed_out"))
    assert await store.grants.get("grt_one") == grant(ended_at=NOW + 1, end_reason="replayed")


@pytest.mark.requirement(15)
async def test_a_code_is_redeemed_once(store: Store) -> None:
    await store.commit(store.grants.insert(grant()), store.grants.insert_code(code()))
    assert await store.grants.code(code().hash) == code()
    assert await store.grants.code(sha("guess")) is None
    assert await store.commit(store.grants.redeem_code(code().hash, NOW + 3))
    assert not await store.commit(store.grants.redeem_code(code().hash, NOW + 4))
    assert not await store.commit(store.grants.redeem_code(sha("guess"), NOW))
    assert await store.grants.code(code().hash) == code(redeemed_at=NOW + 3)


async def test_a_token_is_read_with_its_grant(store: Store) -> None:
    token = refresh(recent=(Spent(sha("older"), NOW - 3, b"\x00\xff"), Spent(sha("oldest"), NOW - 9, b"")))
    await store.commit(store.grants.insert(grant()), store.grants.insert_refresh(token))
    assert await store.grants.refresh("grt_one") == (token, grant())
    assert await store.grants.refresh("grt_guess") is None
    assert await store.grants.refresh_of_person("grt_one") == (token, grant(), None)
    await store.commit(store.accounts.insert(account()))
    assert await store.grants.refresh_of_person("grt_one") == (token, grant(), account())


@pytest.mark.requirement(18)
async def test_a_refresh_token_is_spent_once_and_leaves_one_successor(store: Store) -> None:
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(refresh())
    )
    second = rotated(refresh(), "two")
    assert await store.commit(store.grants.spend_refresh(refresh(), second, account()))
    assert await store.grants.refresh("grt_one") == (second, grant())
    assert not await store.commit(
        store.grants.spend_refresh(refresh(), rotated(refresh(), "rival"), account())
    )
    assert await store.grants.refresh("grt_one") == (second, grant())
    third = rotated(second, "three")
    assert await store.commit(store.grants.spend_refresh(second, third, account()))
    assert await store.grants.refresh("grt_one") == (third, grant())


@pytest.mark.requirement(18)
async def test_a_late_repeat_is_recorded_once_and_kept_when_the_token_is_spent(store: Store) -> None:
    first = refresh()
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(first)
    )
    assert await store.commit(store.grants.repeat_late(first, NOW + 5))
    late = replace(first, late_at=NOW + 5)
    assert await store.grants.refresh("grt_one") == (late, grant())
    # a caller that read the row before
    assert not await store.commit(store.grants.repeat_late(first, NOW + 6))
    second = rotated(late, "two")
    assert await store.commit(store.grants.spend_refresh(late, second, account()))
    assert await store.grants.refresh("grt_one") == (second, grant())
    # the chain has moved on
    assert not await store.commit(store.grants.repeat_late(late, NOW + DAY))
    assert await store.commit(store.grants.repeat_late(second, NOW + DAY))
    assert await store.commit(store.grants.end("grt_one", NOW + DAY, "revoked"))
    assert not await store.commit(store.grants.repeat_late(replace(second, late_at=NOW + DAY), NOW + 2 * DAY))
    assert (await store.grants.refresh("grt_one") or [None])[0] == replace(second, late_at=NOW + DAY)


@pytest.mark.parametrize("why", ["ended", "expired", "no grant", "no token"])
async def test_a_grant_that_is_not_live_gets_no_successor(store: Store, why: str) -> None:
    await store.commit(store.accounts.insert(account()))
    if why != "no grant":
        await store.commit(store.grants.insert(grant(expires_at=NOW if why == "expired" else NOW + DAY)))
    if why != "no token":
        await store.commit(store.grants.insert_refresh(refresh()))
    if why == "ended":
        await store.commit(store.grants.end("grt_one", NOW, "revoked"))
    assert not await store.commit(
        store.grants.spend_refresh(refresh(), rotated(refresh(), "two"), account()), store.put_meta("m", "x")
    )
    found = await store.grants.refresh("grt_one")
    assert found is None or found[0] == refresh()
    assert await store.meta("m") is None


NOT_IN_TOKENS = {"id", "created_at", "password_hash", "password_changed_at", "password_version"}


@pytest.mark.parametrize("name", [name for name in Account.__struct_fields__ if name not in NOT_IN_TOKENS])
async def test_a_token_is_not_spent_for_a_person_who_was_changed_since(store: Store, name: str) -> None:
    await store.commit(
        store.accounts.insert(account()), store.grants.insert(grant()), store.grants.insert_refresh(refresh())
    )
    values: dict[str, tuple[Any, ...]] = {
        "disabled_at": (NOW + 5,),
        "updated_at": (NOW + 5, None),
        "role_names": (("buyer",), ()),
    }
    for value in values.get(name, ("changed", None)):
        await store.commit(store.accounts.replace(account(**{name: value})))
        assert not await store.commit(
            store.grants.spend_refresh(refresh(), rotated(refresh(), "two"), account())
        )
    assert await store.grants.refresh("grt_one") == (refresh(), grant())


async def test_a_token_is_spent_for_a_person_of_whom_nothing_is_known(store: Store) -> None:
    nobody = Account("usr_ada", None, NOW)
    await store.commit(
        store.accounts.insert(nobody), store.grants.insert(grant()), store.grants.insert_refresh(refresh())
    )
    assert await store.commit(store.grants.spend_refresh(refresh(), rotated(refresh(), "two"), nobody))
    await store.commit(store.accounts.replace(replace(nobody, password_hash="$argon2id$2")))
    second = rotated(refresh(), "two")
    assert await store.commit(store.grants.spend_refresh(second, rotated(second, "three"), nobody))


@pytest.mark.requirement(72)
@pytest.mark.parametrize(
    ("only", "ends"),
    [
        ({}, {"grt_live", "grt_two", "grt_app", "grt_offline", "grt_nowhere"}),
        ({"session_id": "ses_one"}, {"grt_live", "grt_app"}),
        ({"client_id": "app_blog"}, {"grt_app", "grt_nowhere"}),
        ({"but": "ses_two"}, {"grt_live", "grt_app"}),
    ],
)
async def test_many_grants_end_in_one_commit_and_each_is_numbered_in_the_view(
    store: Store, only: dict[str, str], ends: set[str]
) -> None:
    g, v = store.grants, store.revocations
    rows = [
        grant("live", offline=False),
        grant("two", session_id="ses_two", offline=False),
        grant("app", client_id="app_blog", offline=False),
        grant("offline", offline=True),
        grant("bob", account_id="usr_bob"),
        grant("over", expires_at=NOW),
        grant("ended"),
        grant("nowhere", session_id=None, client_id="app_blog", offline=False),
    ]
    before = entry("before", v)
    await store.commit(*(g.insert(one) for one in rows), g.end("grt_ended", NOW - 5, "revoked"), before)
    first = await v.newest()
    after = entry("after", v)
    assert await store.commit(
        g.end_of_account("usr_ada", NOW, "signed_out", NOW + 60, exchanging=(), **only), after
    )
    for one in rows:
        found = await g.get(one.id)
        assert found is not None
        if one.id in ends:
            assert (found.ended_at, found.end_reason) == (NOW, "signed_out")
        else:
            assert found.ended_at == (NOW - 5 if one.id == "grt_ended" else None)
    newest, told = await v.since(first, NOW)
    assert {
        (one.kind, one.ref, one.at, one.expires_at, one.before) for one in told if one.kind == "grant"
    } == {("grant", name, NOW, NOW + 60, None) for name in ends}
    # the numbers continue after them: a reader that has seen these finds later ones
    assert (await v.since(newest - 1, NOW))[1] == [told[-1]]
    assert told[-1].ref == "after"
    assert newest >= first + len(ends) + 1
    assert (await v.since(newest, NOW))[1] == []


async def test_only_the_end_of_an_exchanging_app_is_told_to_every_api(store: Store) -> None:
    """Ids are compared letter by letter: they are no patterns, and case counts."""
    rows = [
        grant("one", client_id="app_x"),
        grant("two", client_id="appyx"),
        grant("three", client_id="app_X"),
    ]
    rows += [grant("four", client_id="app_"), grant("five", client_id="app_y")]
    await store.commit(*(store.grants.insert(one) for one in rows))
    exchanging = ("app_y", "app_x", "app%", "app__")
    await store.commit(store.grants.end_of_account("usr_ada", NOW, "x", NOW + 60, exchanging=exchanging))
    _, told = await store.revocations.since(0, NOW)
    assert {one.ref: one.audience for one in told} == {
        one.id: None if one.client_id in exchanging else one.audience for one in rows
    }


async def test_ending_the_grants_of_an_account_without_grants_succeeds(store: Store) -> None:
    assert await store.commit(
        store.grants.end_of_account("usr_none", NOW, "disabled", NOW + 60, exchanging=())
    )
    assert (await store.revocations.since(0, NOW))[1] == []
    newest = await store.revocations.newest()
    assert await store.commit(entry("after", store.revocations))
    assert await store.revocations.newest() > newest


async def test_the_grants_of_a_deleted_app_end_in_batches(store: Store) -> None:
    g = store.grants
    kept = grant("kept", client_id="app_blog")
    bobs = grant("bob", account_id="usr_bob", session_id="ses_bob")
    await store.commit(g.insert(kept), g.insert(bobs), *(g.insert(grant(f"{n:04}")) for n in range(1100)))
    await store.commit(g.end("grt_0001", NOW - 5, "signed_out"))
    assert await store.commit(g.end_of_client("app_shop", NOW, "app_deleted"))
    # all except one of another app
    left = len(await g.live_of_account("usr_ada", NOW)) - 1
    assert 0 < left < 1100
    while await store.sweep(NOW, limit=200):
        now_left = len(await g.live_of_account("usr_ada", NOW)) - 1
        assert left - now_left <= 200
        left = now_left
    assert left == 0
    assert await g.live_of_account("usr_bob", NOW) == []
    assert await g.get("grt_kept") == kept
    assert await g.get("grt_0001") == grant("0001", ended_at=NOW - 5, end_reason="signed_out")
    assert await g.get("grt_1099") == grant("1099", ended_at=NOW, end_reason="app_deleted")
    assert await store.sweep(NOW) == 0
    # a second time, and for an app without grants
    assert await store.commit(g.end_of_client("app_shop", NOW, "app_deleted"))
    assert await store.commit(g.end_of_client("app_none", NOW, "app_deleted"))
    while await store.sweep(NOW):
        pass
