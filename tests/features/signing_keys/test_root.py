"""Root secret: one for each database, opened only with a right key-encryption key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.adapters.random import SystemRandom
from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.key_wrapper import KeyProblem, WrongKey
from doorward.features.signing_keys.root import RootSecret, make_root, open_root
from doorward.storage.sql.store import Store
from doorward.storage.sqlite.database import open_sqlite

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
SECRET = bytes(range(32))
MINE, FOREIGN = LocalWrapper(b"m" * 32), LocalWrapper(b"f" * 32)


class Service:
    """A key service with a name; it can be down or refuse."""

    def __init__(self, name: str, *, key: str = "a", down: bool = False) -> None:
        self._name, self._key, self._down = name, key, down

    @property
    def id(self) -> str:
        return f"command:{self._name}"

    async def wrap(self, context: str, key: bytes) -> bytes:
        return f"{self._key} {context} ".encode() + key

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        if self._down:
            raise KeyProblem("The key service is down.", "Wait.")
        begin = f"{self._key} {context} ".encode()
        if not wrapped.startswith(begin):
            raise WrongKey("no")
        return wrapped.removeprefix(begin)


async def made(store: Store, wrapper: LocalWrapper | Service, secret: bytes = SECRET) -> RootSecret:
    return await make_root(store, wrapper, SystemRandom(), secret=secret, now=NOW, place="here")


async def test_the_root_is_made_once_and_opened_again(store: Store) -> None:
    assert await open_root(store, MINE, place="here") is None
    root = await made(store, MINE)
    assert root.secret == SECRET
    again = await open_root(store, MINE, place="here")
    assert again == root
    assert repr(SECRET) not in repr(root)
    assert MINE.id in repr(root)
    (line,) = await store.audit.page()
    assert (line.kind, line.detail["kek"]) == ("root_secret.created", MINE.id)


async def test_a_second_node_uses_the_root_of_the_first(store: Store) -> None:
    first = await made(store, MINE)
    second = await made(store, MINE, secret=b"2" * 32)
    assert second == first


async def test_a_second_node_with_another_key_is_told_which_key_is_needed(store: Store) -> None:
    await made(store, MINE)
    with pytest.raises(KeyProblem) as caught:
        await made(store, FOREIGN, secret=b"2" * 32)
    said = str(caught.value)
    assert f"needs {MINE.id}; given was {FOREIGN.id} (here)" in said
    assert "doorward keys rewrap" in said
    assert len(await store.audit.page()) == 1


async def test_nodes_that_start_concurrently_end_with_one_root(tmp_path: Path) -> None:
    stores = [await open_sqlite(tmp_path / "a.db") for _ in range(6)]
    roots = await asyncio.gather(
        *(made(store, MINE, secret=bytes([number]) * 32) for number, store in enumerate(stores))
    )
    assert len({root.secret for root in roots}) == 1
    found = await stores[0].wrapped_keys.root()
    assert found is not None
    assert len(found[1]) == 1
    for store in stores:
        await store.close()


async def test_any_of_several_keys_opens_the_root(store: Store) -> None:
    root = await made(store, MINE)
    root_id = root.opened_by.id
    for at, other in enumerate((FOREIGN, Service("kms")), NOW + 1):
        wrapped = await other.wrap(root_id, SECRET)
        await store.commit(store.wrapped_keys.put(WrappedKey(root_id, other.id, wrapped, at)))
    for wrapper in (MINE, FOREIGN, Service("kms")):
        opened = await open_root(store, wrapper, place="here")
        assert opened is not None
        assert (opened.secret, opened.opened_by.kek) == (SECRET, wrapper.id)
    with pytest.raises(KeyProblem, match=f"{MINE.id} or {FOREIGN.id} or command:kms"):
        await open_root(store, LocalWrapper(b"x" * 32), place="here")


async def test_a_renamed_key_service_still_opens_the_root(store: Store) -> None:
    await made(store, Service("aws:1"))
    opened = await open_root(store, Service("aws:2"), place="here")
    assert opened is not None
    assert (opened.secret, opened.opened_by.kek) == (SECRET, "command:aws:1")
    with pytest.raises(KeyProblem, match="needs command:aws:1"):
        await open_root(store, Service("aws:2", key="b"), place="here")


async def test_a_service_outage_is_not_reported_as_a_wrong_key(store: Store) -> None:
    await made(store, Service("kms"))
    with pytest.raises(KeyProblem, match="is down"):
        await open_root(store, Service("kms", down=True), place="here")


async def test_a_damaged_wrapping_is_reported_as_damaged(store: Store) -> None:
    root = await made(store, MINE)
    damaged = WrappedKey(root.opened_by.id, MINE.id, root.opened_by.wrapped[:-1] + b"\x00", NOW)
    await store.commit(store.wrapped_keys.put(damaged))
    with pytest.raises(KeyProblem, match="damaged"):
        await open_root(store, MINE, place="here")


async def test_a_wrapping_of_another_secret_is_not_accepted_as_the_root(store: Store) -> None:
    """An attacker with write access to the database could insert a wrapping made for something else to have it used as the root."""
    root = await made(store, MINE)
    foreign = await MINE.wrap("backup_1", b"x" * 32)
    await store.commit(store.wrapped_keys.put(WrappedKey(root.opened_by.id, MINE.id, foreign, NOW)))
    with pytest.raises(KeyProblem):
        await open_root(store, MINE, place="here")


async def test_a_root_without_wrappings_is_never_replaced(store: Store) -> None:
    root = await made(store, MINE)
    await store.commit(store.wrapped_keys.remove(root.opened_by))
    with pytest.raises(KeyProblem, match="is gone from this database"):
        await open_root(store, MINE, place="here")
    with pytest.raises(KeyProblem, match="is gone from this database"):
        await made(store, MINE)


async def test_the_root_is_never_printed(store: Store) -> None:
    root = await made(store, MINE, secret=b"very-secret-very-secret-very-sec")
    assert "very-secret" not in f"{root!r} {root}"
