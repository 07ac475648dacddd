"""Accounts and their factors: round trips, and the guards of their writes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.errors import StoreConflict
from doorward.core.login_name import looked_up_as
from doorward.storage.sql.store import Store
from tests.storage.samples import (
    NOW,
    SEEN,
    account,
    consent,
    event,
    factor,
    grant,
    session,
    sha,
    sign_in,
    ticket,
)

pytestmark = pytest.mark.anyio


async def test_an_account_is_read_as_it_was_written(store: Store) -> None:
    ada = account()
    bare = account(
        "bare",
        name=None,
        locale=None,
        password_hash=None,
        password_changed_at=None,
        given_name=None,
        family_name=None,
        zoneinfo=None,
        updated_at=None,
        role_names=(),
    )
    assert await store.commit(store.accounts.insert(ada))
    assert await store.commit(store.accounts.insert(bare))
    assert await store.accounts.get("usr_ada") == ada
    assert await store.accounts.by_email("ada@example.org") == ada
    assert await store.accounts.get("usr_bare") == bare
    assert await store.accounts.get("usr_nobody") is None
    assert await store.accounts.by_email("nobody@example.org") is None


async def test_an_address_belongs_to_one_account(store: Store) -> None:
    assert await store.commit(store.accounts.insert(account()))
    second = account("eve", email="ada@example.org")
    assert not await store.commit(store.accounts.insert(second), store.put_meta("mark", "set"))
    assert await store.accounts.get("usr_eve") is None
    assert await store.meta("mark") is None


async def test_an_address_is_set_on_what_was_read_and_taken_from_nobody(store: Store) -> None:
    ada, ann = account(), account("ann", email=None)
    assert await store.commit(store.accounts.insert(ada))
    assert await store.commit(store.accounts.insert(ann))
    with pytest.raises(StoreConflict):
        await store.commit(
            store.put_meta("mark", "set"), store.accounts.set_email(ann, "ada@example.org", now=NOW)
        )
    assert await store.meta("mark") is None
    assert await store.commit(store.accounts.set_email(ann, "ann@example.org", now=NOW))
    found = await store.accounts.by_email("ann@example.org")
    assert found is not None
    assert found == replace(ann, email="ann@example.org", updated_at=NOW)
    # of two changes at once the second finds another address
    assert not await store.commit(store.accounts.set_email(ann, "other@example.org", now=NOW))
    disabled = replace(found, disabled_at=NOW)
    assert await store.commit(store.accounts.replace(disabled, old=found))
    assert not await store.commit(store.accounts.set_email(disabled, "x@example.org", now=NOW))


async def test_any_number_of_accounts_has_no_address(store: Store) -> None:
    first, second = account("ann", email=None), account("ben", email=None)
    assert await store.commit(store.accounts.insert(first))
    assert await store.commit(store.accounts.insert(second))
    assert await store.accounts.get("usr_ann") == first
    assert await store.accounts.find("usr_ben") == [second]
    assert await store.accounts.by_email("") is None
    # the column is not null for programs of earlier versions, and what is there is no name that anybody types (R80)
    for typed in ("", "usr_ben", "NONE usr_ben", "none usr_ben"):
        assert await store.accounts.by_email(looked_up_as(typed)) is None
    assert dict(await store.accounts.by_emails(["ann@example.org", ""])) == {}
    # the guard by the row as it was read works without an address, and for one that is added
    added = replace(first, email="ann@example.org")
    assert await store.commit(store.accounts.replace(added, old=first))
    assert not await store.commit(store.accounts.replace(added, old=first)), "the address was none"
    assert await store.accounts.by_email("ann@example.org") == added
    assert not await store.commit(store.accounts.insert(account("eve", email="ann@example.org")))


async def test_accounts_are_found_by_id_and_by_address_in_any_case(store: Store) -> None:
    ada = account()
    await store.commit(store.accounts.insert(ada))
    for text in ("usr_ada", "ada@example.org", " Ada@Example.ORG "):
        assert list(await store.accounts.find(text)) == [ada]
    assert list(await store.accounts.find("ada")) == []


async def test_ids_and_addresses_are_compared_byte_by_byte(store: Store) -> None:
    """The same on every engine and with every database locale: a page never skips an account, and Ä is not A."""
    names = ["B", "Z", "a", "b", "z", "Ä", "ß", "ä", "ü", "😀"]
    for name in reversed(names):
        assert await store.commit(store.accounts.insert(account(name)))
    assert [one.id for one in await store.accounts.page()] == [f"usr_{name}" for name in names]
    assert [one.id for one in await store.accounts.page(after="usr_Z", limit=2)] == ["usr_a", "usr_b"]
    assert [one.id for one in await store.accounts.page(after="usr_ü")] == ["usr_😀"]
    assert await store.accounts.count() == len(names)
    assert await store.accounts.count(after="usr_z") == 5
    assert await store.accounts.count(after="usr_😀") == 0
    assert await store.accounts.by_email("B@example.org") != await store.accounts.by_email("b@example.org")


async def test_pages_contain_every_account_once(store: Store) -> None:
    everybody = [account(f"{n:02}") for n in range(7)]
    for one in everybody:
        await store.commit(store.accounts.insert(one))
    seen, after = [], None
    while page := await store.accounts.page(after=after, limit=3):
        assert len(page) <= 3
        seen += page
        after = page[-1].id
    assert seen == everybody


async def test_a_replaced_account_has_the_new_values(store: Store) -> None:
    ada = account()
    await store.commit(store.accounts.insert(ada))
    changed = replace(ada, name=None, disabled_at=NOW, role_names=(), email="ada@new.example")
    assert await store.commit(store.accounts.replace(changed))
    assert await store.accounts.get(ada.id) == changed
    assert not await store.commit(store.accounts.replace(account("gone")))


@pytest.mark.parametrize(
    "between",
    [
        {"disabled_at": NOW},
        {"password_hash": "$argon2id$2"},
        {"password_changed_at": NOW + 1},
        {"role_names": ()},
        {"email": "x@example.org"},
        {"name": None},
        {"locale": None},
    ],
)
async def test_an_edit_loses_when_anything_changed_in_between(
    store: Store, between: dict[str, object]
) -> None:
    ada = account()
    await store.commit(store.accounts.insert(ada))
    changed = replace(ada, **between)
    assert await store.commit(store.accounts.replace(changed, old=ada))
    assert not await store.commit(store.accounts.replace(replace(ada, name="Eve"), old=ada))
    assert await store.accounts.get(ada.id) == changed


async def test_deleting_an_account_deletes_its_data_and_keeps_the_audit_log(store: Store) -> None:
    for name in ("ada", "bob"):
        mine = {"account_id": f"usr_{name}"}
        assert await store.commit(
            store.accounts.insert(account(name)),
            store.accounts.add_factor(factor(name, **mine)),
            store.sessions.insert(session(name, **mine)),
            store.sessions.put_consent(consent(**mine)),
            store.sessions.remember_device(sha(name), f"usr_{name}", NOW),
            store.sign_ins.insert(sign_in(name, **mine)),
            store.messages.insert_ticket(ticket(name, kind="reset", **mine)),
            store.grants.insert(grant(name, **mine)),
            store.audit.append(event(1 if name == "ada" else 2, **mine)),
        )
    assert await store.commit(store.delete_account("usr_ada"))
    left = {}
    for name in ("ada", "bob"):
        left[name] = [
            await store.accounts.get(f"usr_{name}") is not None,
            len(await store.accounts.factors(f"usr_{name}")) == 1,
            await store.sessions.get(f"ses_{name}") is not None,
            len(await store.sessions.consents_of(f"usr_{name}")) == 1,
            await store.sessions.known_device((sha(name),), f"usr_{name}") is not None,
            await store.sign_ins.get(f"sin_{name}") is not None,
            await store.messages.ticket(f"tkt_{name}") is not None,
        ]
    assert left == {"ada": [False] * 7, "bob": [True] * 7}
    assert len(await store.audit.of_account("usr_ada", SEEN)) == 1
    # its tokens must stay recognisable
    assert await store.grants.get("grt_ada") is not None


async def test_writes_that_refer_to_a_deleted_account_lose(store: Store) -> None:
    assert not await store.commit(store.put_meta("mark", "set"), store.sessions.insert(session()))
    assert not await store.commit(store.accounts.add_factor(factor()))
    assert not await store.commit(store.sessions.put_consent(consent()))
    assert await store.meta("mark") is None


@pytest.mark.requirement(82)
async def test_a_totp_step_is_accepted_once_and_earlier_steps_never(store: Store) -> None:
    await store.commit(store.accounts.insert(account()), store.accounts.add_factor(factor()))
    use = store.accounts.use_step
    assert await store.commit(use("fac_totp", 100))
    assert not await store.commit(use("fac_totp", 100))
    assert not await store.commit(use("fac_totp", 99))
    assert await store.commit(use("fac_totp", 101))
    assert not await store.commit(use("fac_none", 1))
    assert list(await store.accounts.factors("usr_ada")) == [factor(last_step=101)]


@pytest.mark.requirement(84)
async def test_a_recovery_code_is_accepted_once(store: Store) -> None:
    row = factor("code", kind="recovery_code", sealed=None, code_hash=sha("rc"))
    await store.commit(store.accounts.insert(account()), store.accounts.add_factor(row))
    assert await store.commit(store.accounts.use_up(row.id, NOW + 1))
    assert not await store.commit(store.accounts.use_up(row.id, NOW + 2))
    assert list(await store.accounts.factors("usr_ada")) == [replace(row, used_at=NOW + 1)]


async def test_factors_of_one_kind_are_removed(store: Store) -> None:
    await store.commit(
        store.accounts.insert(account()),
        store.accounts.add_factor(factor()),
        store.accounts.add_factor(factor("code", kind="recovery_code", created_at=NOW + 1)),
    )
    assert await store.commit(store.accounts.remove_factors("usr_ada", "recovery_code"))
    assert [one.kind for one in await store.accounts.factors("usr_ada")] == ["totp"]


async def test_a_rehash_never_undoes_a_password_change(store: Store) -> None:
    await store.commit(store.accounts.insert(account()))
    assert await store.commit(store.accounts.rehash("usr_ada", "$argon2id$1", "$argon2id$2"))
    assert not await store.commit(store.accounts.rehash("usr_ada", "$argon2id$1", "$argon2id$3"))
    found = await store.accounts.get("usr_ada")
    assert found is not None
    assert found.password_hash == "$argon2id$2"
