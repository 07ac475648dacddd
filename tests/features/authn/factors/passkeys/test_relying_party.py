"""The relying party id changes only when the operator says so."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from doorward.app.process import start
from doorward.features.authn.factors.passkeys.relying_party import (
    RP_ID_META,
    RelyingParty,
    RelyingPartyChanged,
)
from doorward.features.authn.factors.passkeys.settings import PasskeyPolicy
from doorward.storage.sqlite.database import open_sqlite
from tests.containers import settings
from tests.features.authn.factors.passkeys.owners import device, enrolled
from tests.people import House
from tests.storage.samples import account, factor, passkey

pytestmark = pytest.mark.anyio
OTHER = "example.com"


async def settle(house: House, rp_id: str | None, was: str | None = None) -> None:
    await RelyingParty(store=house.store, rp_id=rp_id, was=was).settle()


async def test_without_passkeys_any_id_may_be_set(house: House) -> None:
    await settle(house, OTHER)
    assert await house.store.meta(RP_ID_META) is None
    await house.store.commit(house.store.put_meta(RP_ID_META, "former.example.com"))
    await settle(house, OTHER)
    assert await house.store.meta(RP_ID_META) == OTHER


async def test_with_passkeys_another_id_is_refused_unless_they_are_given_up(house: House) -> None:
    account = await house.person()
    await enrolled(house, account, device())
    await settle(house, "auth.example.com")
    for was in (None, "wrong.example.com"):
        with pytest.raises(RelyingPartyChanged) as caught:
            await settle(house, OTHER, was)
        assert "auth.example.com" in caught.value.fix
    assert len(await house.store.passkeys.of_account(account.id)) == 1
    await settle(house, OTHER, "auth.example.com")
    assert await house.store.passkeys.of_account(account.id) == []
    assert await house.store.accounts.factors(account.id) == []
    assert await house.store.meta(RP_ID_META) == OTHER
    # the setting may stay
    await settle(house, OTHER, "auth.example.com")


async def test_a_server_does_not_start_with_passkeys_of_another_name(tmp_path: Path) -> None:
    path = str(tmp_path / "doorward.db")
    store = await open_sqlite(Path(path))
    row = factor("phone", kind="passkey", sealed=None)
    assert await store.commit(
        store.accounts.insert(account()),
        store.accounts.add_factor(row),
        store.passkeys.insert(passkey()),
        store.put_meta(RP_ID_META, "former.example.com"),
    )
    await store.close()
    before = set(threading.enumerate())
    with pytest.raises(RelyingPartyChanged):
        await start(settings(database=path))
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in left if name.startswith("doorward")], "its database was not closed"
    _, stop = await start(settings(database=path, passkeys=PasskeyPolicy(rp_id_was="former.example.com")))
    await stop()
    _, stop = await start(settings(database=path))
    await stop()


@pytest.mark.requirement(84)
async def test_stored_passkeys_cannot_be_switched_off_in_silence(house: House) -> None:
    """docs/incidents/0060-passkeys-that-were-switched-off-were-not-asked-for.md"""
    await settle(house, None)
    account = await house.person()
    await enrolled(house, account, device())
    for was in (None, "wrong.example.com"):
        with pytest.raises(RelyingPartyChanged) as caught:
            await settle(house, None, was)
        assert "password alone" in caught.value.error
        assert "auth.example.com" in caught.value.fix
    assert len(await house.store.passkeys.of_account(account.id)) == 1
    await settle(house, None, "auth.example.com")
    assert await house.store.accounts.factors(account.id) == []
    await settle(house, None)


@pytest.mark.parametrize(
    "changes",
    [{"passkeys": PasskeyPolicy(enabled=False)}, {"issuer": "https://192.0.2.1"}],
    ids=["switched off", "an address"],
)
async def test_a_server_does_not_start_without_the_passkeys_that_it_asks_for(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = str(tmp_path / "doorward.db")
    store = await open_sqlite(Path(path))
    assert await store.commit(
        store.accounts.insert(account()),
        store.accounts.add_factor(factor("phone", kind="security_key", sealed=None)),
        store.passkeys.insert(passkey()),
        store.put_meta(RP_ID_META, "auth.example.com"),
    )
    await store.close()
    with pytest.raises(RelyingPartyChanged):
        await start(settings(database=path, **changes))
