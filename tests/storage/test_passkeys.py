"""Passkeys: round trip, look-up by credential id, and guards against a second owner, a repeated counter, and a copy."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from doorward.core.model.passkey import Passkey
from doorward.storage.sql.store import Store
from tests.storage.samples import NOW, account, factor, passkey

pytestmark = pytest.mark.anyio


async def added(store: Store, one: Passkey) -> bool:
    row = factor(id=one.factor_id, account_id=one.account_id, kind="passkey", sealed=None)
    return await store.commit(store.accounts.add_factor(row), store.passkeys.insert(one))


async def test_a_passkey_is_read_as_it_was_written(store: Store) -> None:
    assert not await store.passkeys.any()
    await store.commit(store.accounts.insert(account()))
    one = passkey()
    plain = passkey(
        "key",
        transports=(),
        discoverable=False,
        backup_eligible=False,
        backed_up=False,
        made_silently=False,
        last_used_at=None,
        name="",
    )
    assert await added(store, one)
    assert await added(store, plain)
    assert await store.passkeys.by_credential(one.credential_id) == one
    assert await store.passkeys.by_credential(one.credential_id[:-1]) is None
    assert sorted(await store.passkeys.of_account("usr_ada"), key=lambda found: found.factor_id) == [
        plain,
        one,
    ]
    assert await store.passkeys.of_account("usr_eve") == []
    assert await store.passkeys.any()


@pytest.mark.requirement(88)
async def test_a_credential_id_has_one_owner(store: Store, other: Store) -> None:
    await store.commit(store.accounts.insert(account()), store.accounts.insert(account("eve")))
    mine, hers = passkey(), replace(passkey(), factor_id="fac_hers", account_id="usr_eve")
    results = await asyncio.gather(added(store, mine), added(other, hers))
    assert sorted(results) == [False, True]
    # the factor of the one that lost is not there either
    rows = [*await store.accounts.factors("usr_ada"), *await store.accounts.factors("usr_eve")]
    assert len(rows) == 1


@pytest.mark.requirement(88)
async def test_a_counter_is_used_once(store: Store, other: Store) -> None:
    await store.commit(store.accounts.insert(account()))
    one = passkey()
    await added(store, one)

    async def use(through: Store, count: int) -> bool:
        return await through.commit(
            through.passkeys.use(
                one, sign_count=count, user_verified=True, backed_up=False, at=NOW + count % 10
            )
        )

    results = await asyncio.gather(*(use((store, other)[n % 2], one.sign_count + 1 + n) for n in range(8)))
    assert sum(results) == 1
    (found,) = await store.passkeys.of_account("usr_ada")
    assert found.sign_count > one.sign_count
    assert (found.user_verified, found.backed_up, found.backup_eligible) == (True, False, True)


@pytest.mark.requirement(88)
async def test_a_suspected_passkey_is_noted_once_and_not_used(store: Store) -> None:
    await store.commit(store.accounts.insert(account()))
    one = passkey(user_verified=True)
    await added(store, one)
    assert await store.commit(store.passkeys.suspect(one.factor_id, NOW))
    assert not await store.commit(store.passkeys.suspect(one.factor_id, NOW + 1))
    used = store.passkeys.use(one, sign_count=one.sign_count + 1, user_verified=False, backed_up=True, at=NOW)
    assert not await store.commit(used)
    (found,) = await store.passkeys.of_account("usr_ada")
    assert found == replace(one, suspect_at=NOW)


async def test_what_was_verified_once_stays_verified(store: Store) -> None:
    await store.commit(store.accounts.insert(account()))
    one = passkey(user_verified=True)
    await added(store, one)
    await store.commit(store.passkeys.use(one, sign_count=0, user_verified=False, backed_up=True, at=NOW))
    (found,) = await store.passkeys.of_account("usr_ada")
    assert found.user_verified


async def test_a_passkey_is_renamed_and_ends_with_its_factor_and_its_owner(store: Store) -> None:
    await store.commit(store.accounts.insert(account()))
    one, two = passkey(), passkey("other")
    await added(store, one)
    await added(store, two)
    assert await store.commit(store.passkeys.rename(one.factor_id, "Phone"))
    assert not await store.commit(store.passkeys.rename("fac_none", "Phone"))
    await store.commit(store.accounts.remove_factor("usr_ada", two.factor_id))
    assert await store.passkeys.of_account("usr_ada") == [replace(one, name="Phone")]
    await store.commit(store.delete_account("usr_ada"))
    assert not await store.passkeys.any()


async def test_all_are_forgotten_and_other_factors_stay(store: Store) -> None:
    await store.commit(store.accounts.insert(account()), store.accounts.add_factor(factor()))
    await added(store, passkey())
    await store.commit(store.passkeys.forget_all())
    assert [row.kind for row in await store.accounts.factors("usr_ada")] == ["totp"]
