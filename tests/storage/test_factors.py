"""Second factors beside their own tables: single removal, demands, failures in a row, and the gate for older programs."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs

from doorward.storage.sql.migrate import known
from doorward.storage.sql.store import Store
from tests.storage import samples
from tests.storage.samples import DAY, NOW
from tests.storage.stores import Opener

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ada(store: Store) -> Store:
    """The store, with a person who has two factors."""
    assert await store.commit(
        store.accounts.insert(samples.account()),
        store.accounts.insert(samples.account("bob")),
        store.accounts.add_factor(samples.factor()),
        store.accounts.add_factor(samples.factor("phone", kind="sms", created_at=NOW + 1)),
    )
    return store


async def test_one_factor_is_removed_and_only_by_its_owner(ada: Store) -> None:
    assert not await ada.commit(ada.accounts.remove_factor("usr_bob", "fac_totp"))
    assert await ada.commit(ada.accounts.remove_factor("usr_ada", "fac_totp"))
    assert not await ada.commit(ada.accounts.remove_factor("usr_ada", "fac_totp"))
    (left,) = await ada.accounts.factors("usr_ada")
    assert left.id == "fac_phone"


async def test_the_kind_of_a_factor_is_replaced_once_and_its_time_and_mark_stay(ada: Store) -> None:
    (_, phone) = await ada.accounts.factors("usr_ada")
    replace = ada.accounts.replace_kind
    assert not await ada.commit(replace(samples.factor("phone", kind="passkey"), "security_key"))
    assert await ada.commit(replace(phone, "security_key"))
    assert not await ada.commit(replace(phone, "security_key")), "another request was first"
    (_, changed) = await ada.accounts.factors("usr_ada")
    assert changed == structs.replace(phone, kind="security_key")


async def test_a_demand_keeps_when_it_was_first_unmet(ada: Store) -> None:
    demands = ada.factor_demands
    assert await demands.get("usr_ada") is None
    assert await ada.commit(demands.asked("usr_ada", NOW))
    assert await ada.commit(demands.postpone("usr_ada", "sin_one", NOW + 5))
    assert await ada.commit(demands.require("usr_ada", NOW + 1, NOW + DAY))
    assert await demands.get("usr_ada") == samples.demand()
    assert await ada.commit(demands.asked("usr_ada", NOW + 9))
    assert await demands.get("usr_ada") == samples.demand()
    assert await ada.commit(demands.met("usr_ada"))
    assert await demands.get("usr_ada") == samples.demand(asked_at=None, postponed=None)
    assert await ada.commit(demands.require("usr_ada", None))
    cleared = samples.demand(asked_at=None, postponed=None, required_at=None, grace_until=None)
    assert await demands.get("usr_ada") == cleared


async def test_a_removal_ends_the_grace_of_a_demand_that_was_there(ada: Store) -> None:
    demands = ada.factor_demands
    assert await ada.commit(demands.removed("usr_ada"))
    assert await demands.get("usr_ada") is None
    assert await ada.commit(demands.postpone("usr_ada", "sin_one", NOW))
    assert await ada.commit(demands.met("usr_ada"), demands.removed("usr_ada"))
    gone = samples.demand(asked_at=0, postponed=None, required_at=None, grace_until=None)
    assert await demands.get("usr_ada") == gone


async def test_the_set_of_factors_is_a_guard(ada: Store) -> None:
    has_only = ada.accounts.has_only
    assert await ada.commit(has_only("usr_ada", ["fac_phone", "fac_totp"]))
    assert await ada.commit(has_only("usr_bob", []))
    for others in ([], ["fac_totp"], ["fac_totp", "fac_other"], ["fac_totp", "fac_phone", "fac_other"]):
        assert not await ada.commit(has_only("usr_ada", others)), others
    assert not await ada.commit(has_only("usr_nobody", []))


@pytest.mark.requirement(84)
async def test_of_many_removals_at_once_that_were_decided_on_the_same_factors_one_wins(
    ada: Store, other: Store
) -> None:
    """docs/incidents/0062-two-methods-removed-at-once.md"""
    factors = [samples.factor(f"f{number}", kind="passkey") for number in range(30)]
    assert await ada.commit(*(ada.accounts.add_factor(one) for one in factors))
    account = await ada.accounts.get("usr_ada")
    assert account is not None
    held = [row.id for row in await ada.accounts.factors("usr_ada")]

    async def remove(store: Store, factor_id: str) -> bool:
        return await store.commit(
            store.accounts.replace(account, old=account),
            store.accounts.has_only("usr_ada", held),
            store.accounts.remove_factor("usr_ada", factor_id),
        )

    won = await asyncio.gather(*(remove((ada, other)[at % 2], one.id) for at, one in enumerate(factors)))
    assert sum(won) == 1
    assert len(await other.accounts.factors("usr_ada")) == len(held) - 1


async def test_failures_are_counted_for_each_factor_and_kind_of_device(ada: Store) -> None:
    failures = ada.factor_failures
    for _ in range(3):
        assert await ada.commit(failures.add(("fac_totp", "fac_phone"), known=False))
    assert await ada.commit(failures.add(("fac_totp",), known=True))
    counted = {("fac_totp", False): 3, ("fac_phone", False): 3, ("fac_totp", True): 1}
    assert await failures.of_account("usr_ada") == counted
    assert await failures.of_account("usr_bob") == {}
    assert await ada.commit(failures.clear("usr_ada"))
    assert await failures.of_account("usr_ada") == {}


async def test_everything_about_factors_is_deleted_with_the_account(ada: Store) -> None:
    assert await ada.commit(
        ada.factor_demands.asked("usr_ada", NOW), ada.factor_failures.add(("fac_totp",), known=False)
    )
    assert await ada.commit(ada.delete_account("usr_ada"))
    assert await ada.factor_demands.get("usr_ada") is None
    assert await ada.factor_failures.of_account("usr_ada") == {}


async def test_a_process_of_an_older_program_is_counted_until_it_leaves(store: Store) -> None:
    nodes = store.nodes
    assert await store.commit(nodes.acknowledge("nod_new", 1, NOW))
    assert await nodes.older() == 0
    # as an older program writes its row
    old = "INSERT INTO nodes (id, seen, expires_at) VALUES ('nod_old', 1, ?)"
    await store._db.apply(((old, (NOW,), None),))
    assert await nodes.older() == 1
    assert await store.commit(nodes.mark_suspect("m", behind=-1, silent_at=NOW + 1, not_before=NOW * 2))
    assert await nodes.older() == 1
    for one in await nodes.suspects():
        assert await store.commit(nodes.leave(one))
    assert await nodes.older() == 0


async def test_after_the_first_new_factor_older_programs_are_refused_for_ever(opener: Opener) -> None:
    own = len(known(opener.engine))
    store = await opener()
    before = await store.meta("schema.readable")
    assert before is not None
    assert int(before.split()[1]) < own
    assert await store.commit(store.require_this_program())
    assert await store.meta("schema.readable") == f"{own} {own}"
    assert await store.ready()
    await store.close()
    # a later start does not undo it
    store = await opener()
    assert await store.meta("schema.readable") == f"{own} {own}"
    await store.close()
