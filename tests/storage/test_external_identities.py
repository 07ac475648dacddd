"""Identities at providers in both databases: one owner each, and what waits in a browser is taken once."""

from __future__ import annotations

import pytest
from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.provider import ExternalIdentity, PendingIdentity
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
