"""Identities at providers in both databases: one owner each, and what waits in a browser is taken once."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.provider import ExternalIdentity, PendingIdentity, UpstreamSession
from doorward.storage.sql.statements import Write
from doorward.storage.sql.store import Store

pytestmark = pytest.mark.anyio

ISSUER = "https://accounts.example.com"
PENDING = PendingIdentity(
    browser_hash=b"b" * 32,
    sign_in_id="sin_1",
    provider="example",
    issuer=ISSUER,
    subject="s",
    email="ada@example.com",
    taken=True,
    expires_at=100,
)


def identity(account_id: str, subject: str = "s", issuer: str = ISSUER) -> ExternalIdentity:
    return ExternalIdentity(
        factor_id=f"fac_{account_id}_{subject}",
        account_id=account_id,
        issuer=issuer,
        subject=subject,
        email="",
    )


def added(store: Store, one: ExternalIdentity) -> tuple[Write, ...]:
    row = EnrolledFactor(one.factor_id, one.account_id, "provider", 1)
    return store.accounts.add_factor(row), store.external_identities.insert(one)


async def people(store: Store) -> None:
    for name in ("ada", "bob"):
        assert await store.commit(store.accounts.insert(Account(f"usr_{name}", f"{name}@example.com", 1)))


@pytest.mark.requirement(89)
async def test_an_identity_has_one_owner(store: Store) -> None:
    await people(store)
    ada = identity("usr_ada")
    assert await store.commit(*added(store, ada))
    assert not await store.commit(*added(store, identity("usr_bob")))
    assert await store.accounts.factors("usr_bob") == [], "nothing of a lost commit is there"
    assert await store.commit(*added(store, identity("usr_bob", "other")))
    assert await store.external_identities.by_subject(ISSUER, "s") == ada
    assert await store.external_identities.by_subject(f"{ISSUER}/", "s") is None
    assert await store.external_identities.by_subject(ISSUER, "S") is None
    assert await store.external_identities.of_account("usr_ada") == [ada]


async def test_it_ends_with_its_factor_and_with_its_account(store: Store) -> None:
    await people(store)
    ada, bob = identity("usr_ada"), identity("usr_bob", "other")
    assert await store.commit(*added(store, ada), *added(store, bob))
    assert await store.commit(store.external_identities.used(ada.factor_id, 9))
    (found,) = await store.external_identities.of_account("usr_ada")
    assert found.last_used_at == 9
    assert await store.commit(store.accounts.remove_factor("usr_ada", ada.factor_id))
    assert not await store.commit(store.external_identities.used(ada.factor_id, 10))
    await store.commit(store.delete_account("usr_bob"))
    for subject in ("s", "other"):
        assert await store.external_identities.by_subject(ISSUER, subject) is None


async def test_one_identity_waits_in_a_browser_and_is_taken_once(store: Store) -> None:
    first, second = PENDING, structs.replace(PENDING, subject="t", taken=False)
    await store.commit(store.external_identities.put_pending(first))
    await store.commit(store.external_identities.put_pending(second))
    assert await store.external_identities.pending(PENDING.browser_hash) == second
    assert await store.external_identities.pending(b"c" * 32) is None
    assert not await store.commit(store.external_identities.end_pending(first))
    assert await store.commit(store.external_identities.end_pending(second))
    assert not await store.commit(store.external_identities.end_pending(second))


async def test_what_waits_is_swept(store: Store) -> None:
    await store.commit(store.external_identities.put_pending(PENDING))
    assert await store.sweep(99) == 0
    assert await store.sweep(100) == 1
    assert await store.external_identities.pending(PENDING.browser_hash) is None


async def in_sign_in(store: Store, one: ExternalIdentity, holder: str, sid: str | None = None) -> None:
    upstream = UpstreamSession(holder=holder, factor_id=one.factor_id, sid=sid, expires_at=100)
    assert await store.commit(store.external_identities.note_session(upstream))


async def test_a_session_keeps_the_providers_session_that_its_sign_in_rested_on(store: Store) -> None:
    await people(store)
    ada, bob = identity("usr_ada"), identity("usr_bob", "other")
    assert await store.commit(*added(store, ada))
    assert await store.commit(*added(store, bob))
    # in the sign-in somebody else was shown first: that identity is not Ada's
    await in_sign_in(store, bob, "sin_1", "s-bob")
    await in_sign_in(store, ada, "sin_1", "s-old")
    await in_sign_in(store, ada, "sin_1", "s-1")
    found = store.external_identities
    assert await store.commit(found.hand_over("sin_1", "ses_1", "usr_ada", 500))
    kept = UpstreamSession(holder="ses_1", factor_id=ada.factor_id, sid="s-1", expires_at=500)
    assert kept in await found.sessions_of_subject(ISSUER, "s")
    assert [one.holder for one in await found.sessions_of_sid(ISSUER, "s-1")] == ["ses_1", "sin_1"]
    assert [one.holder for one in await found.sessions_of_subject(ISSUER, "other")] == ["sin_1"]
    assert await found.sessions_of_sid(f"{ISSUER}/other", "s-1") == [], "a sid is its issuer's own"
    assert await found.sessions_of_sid(ISSUER, "s-old") == []
    assert await found.issuers_of_session("ses_1") == [(ISSUER, "s-1")]
    # a second sign-in in the same session, with another session at the provider
    await in_sign_in(store, ada, "sin_2", "s-2")
    assert await store.commit(found.hand_over("sin_2", "ses_1", "usr_ada", 900))
    assert [one.holder for one in await found.sessions_of_sid(ISSUER, "s-1")] == ["sin_1"]
    assert [one.expires_at for one in await found.sessions_of_sid(ISSUER, "s-2")] == [900, 100]
    # it ends with the identity
    assert await store.commit(store.accounts.remove_factor("usr_ada", ada.factor_id))
    assert await found.sessions_of_sid(ISSUER, "s-2") == []


async def test_what_expired_sign_ins_rested_on_is_removed(store: Store) -> None:
    await people(store)
    ada = identity("usr_ada")
    assert await store.commit(*added(store, ada))
    await in_sign_in(store, ada, "sin_1", "s-1")
    assert await store.sweep(99) == 0
    assert await store.sweep(100) == 1
    assert await store.external_identities.sessions_of_subject(ISSUER, "s") == []


async def test_mapped_roles_belong_to_the_identity(store: Store) -> None:
    await people(store)
    ada = structs.replace(identity("usr_ada"), mapped_roles=("buyer",))
    assert await store.commit(*added(store, ada))
    found = store.external_identities
    assert await found.by_subject(ISSUER, "s") == ada
    assert await store.commit(found.set_mapped_roles(ada.factor_id, ("buyer", "seller")))
    assert [one.mapped_roles for one in await found.of_account("usr_ada")] == [("buyer", "seller")]
    assert await store.commit(found.set_mapped_roles(ada.factor_id, ()))
    assert [one.mapped_roles for one in await found.of_account("usr_ada")] == [()]
    assert not await store.commit(found.set_mapped_roles("fac_gone", ("buyer",)))
