"""Browser sessions, consents and known devices: round trips, and the end of sessions."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.model.revocation import Revocation
from doorward.core.model.session import MOST_DEVICES
from doorward.core.model.signin import Proof
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, account, consent, grant, session, sha
from tests.storage.stores import Opener
from tests.storage.test_migrations import run

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def ada(store: Store) -> None:
    await store.commit(store.accounts.insert(account()), store.accounts.insert(account("bob")))


async def test_a_session_is_found_by_id_and_by_its_secret(store: Store) -> None:
    assert await store.commit(store.sessions.insert(session()))
    assert await store.sessions.get("ses_one") == session()
    assert await store.sessions.by_secret(sha("session one")) == session()
    assert await store.sessions.by_secret(sha("guess")) is None
    assert await store.sessions.get("ses_none") is None


@pytest.mark.requirement(68)
async def test_a_new_secret_replaces_the_old_one(store: Store) -> None:
    old = session(acr="urn:doorward:aal1", amr=("pwd",))
    new = replace(old, secret_hash=sha("new"), auth_time=NOW + 9, seen_at=NOW + 9, acr="urn:doorward:aal2")
    await store.commit(store.sessions.insert(old))
    assert await store.commit(store.sessions.replace_secret(old, new))
    assert await store.sessions.by_secret(old.secret_hash) is None
    assert await store.sessions.by_secret(sha("new")) == new
    assert not await store.commit(store.sessions.replace_secret(old, replace(new, secret_hash=sha("thief"))))


async def test_a_session_keeps_its_proofs(store: Store) -> None:
    password = Proof("password", NOW, ("pwd",))
    one = session(proofs=(password, Proof("toy", NOW, ("hwk",), phishing_resistant=True)))
    await store.commit(store.sessions.insert(one))
    assert await store.sessions.get("ses_one") == one
    proofs = (*one.proofs, Proof("totp", NOW + 9, ("otp",)))
    stepped = replace(one, secret_hash=sha("new"), auth_time=NOW + 9, proofs=proofs)
    assert await store.commit(store.sessions.replace_secret(one, stepped))
    assert await store.sessions.by_secret(sha("new")) == stepped
    emptied = replace(stepped, proofs=())
    assert await store.commit(store.sessions.replace_secret(stepped, emptied))
    assert await store.sessions.get("ses_one") == emptied


async def test_a_session_of_a_version_without_proofs_has_none(store: Store, opener: Opener) -> None:
    """The previous version inserts without the column, and changes other columns of such a row."""
    one = session(proofs=(Proof("password", NOW, ("pwd",)),))
    await store.commit(store.sessions.insert(one))
    columns = (
        "secret_hash, account_id, created_at, seen_at, auth_time, expires_at, acr, amr, user_agent, address"
    )
    old = columns.replace("secret_hash", "CAST('old' AS BYTEA)")
    if opener.kind == "sqlite":
        old = old.replace("BYTEA", "BLOB")
    await run(opener, f"INSERT INTO sessions (id, {columns}) SELECT 'ses_old', {old} FROM sessions")
    await run(opener, f"UPDATE sessions SET amr = 'pwd otp mfa', auth_time = {NOW + 5} WHERE id = 'ses_one'")
    stored = await store.sessions.get("ses_old")
    assert stored == replace(one, id="ses_old", secret_hash=b"old", proofs=())
    changed = await store.sessions.get("ses_one")
    assert changed == replace(one, amr=("pwd", "otp", "mfa"), auth_time=NOW + 5)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("[]", ()),
        ("not JSON", ()),
        ('{"v":2}', ()),
        ('[{"kind":"password","at":"later"}]', ()),
        ('[{"kind":"password","at":7,"amr":["pwd"],"uv":true}]', (Proof("password", 7, ("pwd",)),)),
        ('[{"kind":"passkey","at":7,"amr":["hwk"]}]', (Proof("passkey", 7, ("hwk",)),)),
    ],
)
async def test_proofs_of_a_later_version_are_read_as_far_as_possible(
    store: Store, opener: Opener, stored: str, read: tuple[Proof, ...]
) -> None:
    await store.commit(store.sessions.insert(session()))
    await run(opener, f"UPDATE sessions SET proofs = '{stored}' WHERE id = 'ses_one'")
    assert await store.sessions.get("ses_one") == session(proofs=read)


@pytest.mark.requirement(94)
async def test_a_session_and_its_proofs_are_dated_back(store: Store) -> None:
    """Also against what was read before: a new secret would bring the proofs back (docs/incidents/0123-a-reset-was-finished-after-its-commit.md)."""
    password, app = Proof("password", NOW, ("pwd",)), Proof("totp", NOW + 3, ("otp",))
    late = session("late", auth_time=NOW + 3, proofs=(password, app))
    early = session("early", auth_time=NOW - 2, proofs=(replace(password, at=NOW - 2),))
    bob = session("bob", account_id="usr_bob", auth_time=NOW + 3)
    await store.commit(*(store.sessions.insert(one) for one in (late, early, bob)))
    assert await store.commit(store.sessions.prove_before("usr_ada", NOW))
    proofs = (replace(password, at=NOW - 1), replace(app, at=NOW - 1))
    assert await store.sessions.get("ses_late") == replace(late, auth_time=NOW - 1, proofs=proofs)
    assert [await store.sessions.get(one.id) for one in (early, bob)] == [early, bob]
    assert not await store.commit(store.sessions.replace_secret(late, replace(late, seen_at=NOW + 9)))


@pytest.mark.requirement(94)
async def test_a_change_fails_beside_a_session_that_it_does_not_know(store: Store) -> None:
    known = [session("one"), session("two")]
    others = [session("ended"), session("expired", expires_at=NOW), session("bob", account_id="usr_bob")]
    await store.commit(
        *(store.sessions.insert(one) for one in (*known, *others)),
        store.sessions.end("ses_ended", NOW, "signed_out"),
    )
    only = store.sessions.only_these
    assert await store.commit(only("usr_ada", known, NOW))
    assert not await store.commit(only("usr_ada", known[:1], NOW)), "a new session"
    renewed = replace(known[0], secret_hash=sha("new"))
    assert await store.commit(store.sessions.replace_secret(known[0], renewed))
    assert not await store.commit(only("usr_ada", known, NOW)), "another proof in a known session"


async def test_an_ended_session_gets_no_new_secret(store: Store) -> None:
    await store.commit(store.sessions.insert(session()), store.sessions.end("ses_one", NOW, "signed_out"))
    assert not await store.commit(
        store.sessions.replace_secret(session(), replace(session(), secret_hash=sha("x")))
    )


async def test_live_sessions_exclude_ended_and_expired_ones_and_those_of_others(store: Store) -> None:
    rows = [
        session("old", expires_at=NOW),
        session("ended"),
        session("early", seen_at=NOW + 1),
        session("late", seen_at=NOW + 2),
        session("bob", account_id="usr_bob"),
    ]
    await store.commit(
        *(store.sessions.insert(row) for row in rows), store.sessions.end("ses_ended", NOW, "signed_out")
    )
    assert [one.id for one in await store.sessions.live_of("usr_ada", NOW)] == ["ses_late", "ses_early"]
    assert [one.id for one in await store.sessions.live_of("usr_ada", NOW, limit=1)] == ["ses_late"]
    assert [one.id for one in await store.sessions.live_of("usr_ada", NOW, limit=1, skipped=1)] == [
        "ses_early"
    ]


async def test_that_a_session_lives_is_a_guard(store: Store) -> None:
    await store.commit(store.sessions.insert(session()))
    assert await store.commit(store.sessions.alive("ses_one"))
    assert await store.sessions.get("ses_one") == session()
    await store.commit(store.sessions.end("ses_one", NOW + 5, "signed_out"))
    assert not await store.commit(store.sessions.alive("ses_one"))
    assert not await store.commit(store.sessions.alive("ses_none"))


async def test_ending_a_session_twice_keeps_the_first_reason(store: Store) -> None:
    await store.commit(store.sessions.insert(session()))
    assert await store.commit(store.sessions.end("ses_one", NOW + 1, "signed_out"))
    assert await store.commit(store.sessions.end("ses_one", NOW + 2, "disabled"))
    assert await store.sessions.get("ses_one") == session(ended_at=NOW + 1, end_reason="signed_out")
    assert await store.commit(store.sessions.end("ses_none", NOW, "signed_out"))


async def test_seen_at_only_increases(store: Store) -> None:
    await store.commit(store.sessions.insert(session()))
    await store.commit(store.sessions.touch("ses_one", NOW + 60))
    await store.commit(store.sessions.touch("ses_one", NOW + 30))
    assert await store.sessions.get("ses_one") == session(seen_at=NOW + 60)


async def test_the_apps_of_a_session_are_listed_without_duplicates(store: Store) -> None:
    await store.commit(
        store.grants.insert(grant("1")),
        store.grants.insert(grant("2")),
        store.grants.insert(grant("3", client_id="app_blog")),
        store.grants.insert(grant("4", client_id="app_else", session_id="ses_two")),
    )
    assert list(await store.sessions.clients_in("ses_one")) == ["app_blog", "app_shop"]


@pytest.mark.requirement(74)
async def test_consents_are_listed_changed_and_removed(store: Store) -> None:
    blog = consent(client_id="app_blog")
    elsewhere = consent(audience="https://other.example")
    await store.commit(*(store.sessions.put_consent(one) for one in (consent(), blog, elsewhere)))
    assert list(await store.sessions.consents_of("usr_ada")) == [blog, consent(), elsewhere]
    wider = consent(scopes=("openid", "orders:read", "orders:write"), granted_at=NOW + 1)
    await store.commit(store.sessions.put_consent(wider))
    assert await store.sessions.consent("usr_ada", "app_shop", "https://orders.example") == wider
    await store.commit(store.sessions.remove_consents("usr_ada", "app_shop"))
    assert list(await store.sessions.consents_of("usr_ada")) == [blog]
    assert await store.sessions.consent("usr_ada", "app_shop", "https://orders.example") is None


async def test_a_device_is_known_to_one_account(store: Store) -> None:
    phone, mine = sha("phone"), tuple(sha(f"other {number}") for number in range(MOST_DEVICES - 1))
    assert await store.sessions.known_device((phone,), "usr_ada") is None
    for at in (NOW, NOW + 1):
        assert await store.commit(store.sessions.remember_device(phone, "usr_ada", at))
    for asked in ((phone,), (*mine, phone), (phone, *mine)):
        assert await store.sessions.known_device(asked, "usr_ada") == phone
        assert await store.sessions.known_device(asked, "usr_bob") is None
    for asked in ((), mine, (*mine, sha("one more"), phone)):
        assert await store.sessions.known_device(asked, "usr_ada") is None


async def test_an_account_removes_all_devices_but_one(store: Store) -> None:
    for name, who in (("phone", "usr_ada"), ("desk", "usr_ada"), ("desk", "usr_bob")):
        await store.commit(store.sessions.remember_device(sha(name), who, NOW))
    await store.commit(store.sessions.forget_devices("usr_ada", but=sha("desk")))
    assert await store.sessions.known_device((sha("phone"),), "usr_ada") is None
    assert await store.sessions.known_device((sha("desk"),), "usr_ada") == sha("desk")
    await store.commit(store.sessions.forget_devices("usr_ada", but=None))
    assert await store.sessions.known_device((sha("desk"),), "usr_ada") is None
    assert await store.sessions.known_device((sha("desk"),), "usr_bob") == sha("desk")


@pytest.mark.requirement(72, 74)
@pytest.mark.parametrize("keep", ["ses_kept", None])
async def test_all_sessions_of_an_account_end_in_one_commit_and_each_is_numbered_in_the_view(
    store: Store, keep: str | None
) -> None:
    s, v = store.sessions, store.revocations
    rows = [
        session(),
        session("two"),
        session("kept"),
        session("over", expires_at=NOW),
        session("ended"),
        session("bob", account_id="usr_bob"),
    ]
    await store.commit(*(s.insert(one) for one in rows), s.end("ses_ended", NOW - 5, "signed_out"))
    first = await v.newest()
    after = Revocation("grant", "grt_after", NOW, NOW + 60)
    end = s.end_of_account("usr_ada", NOW, "ended_by_owner", NOW + 60, keep=keep)
    assert await store.commit(end, v.insert(after))
    ends = {"ses_one", "ses_two", "ses_kept"} - {keep}
    for one in rows:
        found = await s.get(one.id)
        assert found is not None
        if one.id in ends:
            assert (found.ended_at, found.end_reason) == (NOW, "ended_by_owner")
        else:
            assert found.ended_at == (NOW - 5 if one.id == "ses_ended" else None)
    newest, told = await v.since(first, NOW)
    assert [(one.kind, one.ref, one.at, one.expires_at, one.before) for one in told] == [
        *(("sid", name, NOW, NOW + 60, None) for name in sorted(ends)),
        ("grant", "grt_after", NOW, NOW + 60, None),
    ]
    # a reader that has seen these finds later ones, and none twice
    assert (await v.since(newest - 1, NOW))[1] == [told[-1]]


async def test_the_apps_of_all_live_sessions_are_read_in_one_query(store: Store) -> None:
    s, g = store.sessions, store.grants
    await store.commit(
        *(
            s.insert(one)
            for one in (session(), session("two"), session("ended"), session("over", expires_at=NOW))
        ),
        s.insert(session("bob", account_id="usr_bob")),
        s.end("ses_ended", NOW, "signed_out"),
        *(
            g.insert(grant(f"{number}", session_id=f"ses_{name}", client_id=f"app_{app}"))
            for number, (name, app) in enumerate(
                [
                    ("one", "shop"),
                    ("one", "shop"),
                    ("one", "blog"),
                    ("two", "shop"),
                    ("ended", "shop"),
                    ("over", "shop"),
                ]
            )
        ),
        g.insert(grant("bob", session_id="ses_bob", account_id="usr_bob")),
    )
    assert list(await s.clients_in_all("usr_ada", NOW)) == [
        ("ses_one", "app_blog"),
        ("ses_one", "app_shop"),
        ("ses_two", "app_shop"),
    ]
    assert list(await s.clients_in_all("usr_none", NOW)) == []
