"""Change of the key-encryption key: at every moment an allowed key, and no other, opens the root secret."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from doorward.adapters.keys.wrap_command import CommandWrapper
from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.adapters.random import SystemRandom
from doorward.core.model.wrapped_key import WrappedKey
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper
from doorward.features.admin.error import AdminError
from doorward.features.admin.wrappings import WrappingAdmin
from doorward.features.signing_keys.root import make_root, open_root
from doorward.storage.sql.store import Store
from tests.features.admin.managing import OPERATOR
from tests.manual_clock import ManualClock

pytestmark = pytest.mark.anyio

SECRET = bytes(range(32))
OLD, NEW, THIRD = (LocalWrapper(letter * 32) for letter in (b"o", b"n", b"t"))


@pytest.fixture
async def store(store: Store) -> Store:
    await make_root(store, OLD, SystemRandom(), secret=SECRET, now=1, place="")
    return store


async def managing(store: Store, wrapper: KeyWrapper = OLD) -> WrappingAdmin:
    root = await open_root(store, wrapper, place="")
    assert root is not None
    return WrappingAdmin(store=store, wrapper=wrapper, root=root, random=SystemRandom(), clock=ManualClock())


async def openers(store: Store) -> set[str]:
    """Which of the three keys open the root secret."""
    found: set[str] = set()
    for wrapper in (OLD, NEW, THIRD):
        try:
            root = await open_root(store, wrapper, place="")
        except KeyProblem:
            continue
        assert root is not None
        assert root.secret == SECRET
        found.add(wrapper.id)
    return found


async def test_a_key_is_changed_in_three_steps_and_every_node_can_start_at_each(store: Store) -> None:
    desk = await managing(store)
    left = await desk.rewrap(OPERATOR, NEW, drop_old=False)
    assert [one.kek for one in left] == [OLD.id, NEW.id]
    assert await openers(store) == {OLD.id, NEW.id}
    desk = await managing(store, NEW)
    assert await desk.get_in_use(OPERATOR) == NEW.id
    left = await desk.rewrap(OPERATOR, None, drop_old=True)
    assert [one.kek for one in left] == [NEW.id]
    assert await openers(store) == {NEW.id}
    kinds = [(line.kind, line.detail["kek"]) for line in reversed(await store.audit.page())]
    assert kinds == [
        ("root_secret.created", OLD.id),
        ("root_secret.wrapped", NEW.id),
        ("root_secret.wrapping_dropped", OLD.id),
    ]


async def test_a_change_in_one_step_leaves_only_the_new_key(store: Store) -> None:
    await (await managing(store)).rewrap(OPERATOR, THIRD, drop_old=False)
    await (await managing(store)).rewrap(OPERATOR, NEW, drop_old=True)
    assert await openers(store) == {NEW.id}


async def test_rewrapping_under_the_same_key_changes_only_the_wrapping(store: Store) -> None:
    desk = await managing(store)
    (before,) = await desk.find(OPERATOR)
    (after,) = await desk.rewrap(OPERATOR, None, drop_old=False)
    assert (after.kek, after.id) == (before.kek, before.id)
    assert after.wrapped != before.wrapped
    assert await openers(store) == {OLD.id}


async def test_a_key_that_does_not_unwrap_what_it_wrapped_is_never_relied_on(store: Store) -> None:
    class Forgetful:
        id = "key:forgetful"

        async def wrap(self, context: str, key: bytes) -> bytes:
            return await NEW.wrap(context, bytes(len(key)))

        async def unwrap(self, context: str, wrapped: bytes) -> bytes:
            return await NEW.unwrap(context, wrapped)

    desk = await managing(store)
    with pytest.raises(AdminError, match="wrapping_irreversible"):
        await desk.rewrap(OPERATOR, Forgetful(), drop_old=True)
    broken = CommandWrapper(unwrap=["/bin/false"], wrap=["/bin/sh", "-c", "echo AAAA"], timeout=10)
    with pytest.raises(AdminError, match=r"wrapping_failed: .*status 1"):
        await desk.rewrap(OPERATOR, broken, drop_old=True)
    assert await openers(store) == {OLD.id}


async def test_of_two_operators_who_drop_each_others_key_one_gets_a_conflict(store: Store) -> None:
    first, second = await managing(store), await managing(store)
    await first.rewrap(OPERATOR, NEW, drop_old=True)
    # the stale view on which the second decision is based
    seen = await first.find(OPERATOR)

    class Late(WrappingAdmin, frozen=True):
        async def _held(self) -> Sequence[WrappedKey]:
            return [second.root.opened_by]

    assert [one.kek for one in seen] == [NEW.id]
    late = Late(store=store, wrapper=OLD, root=second.root, random=SystemRandom(), clock=ManualClock())
    with pytest.raises(AdminError, match="wrappings_changed"):
        await late.rewrap(OPERATOR, THIRD, drop_old=True)
    assert await openers(store) == {NEW.id}


async def test_a_dropped_key_cannot_drop_the_others(store: Store) -> None:
    early = await managing(store)
    await (await managing(store)).rewrap(OPERATOR, NEW, drop_old=True)
    with pytest.raises(AdminError, match="wrapping_dropped"):
        await early.rewrap(OPERATOR, None, drop_old=True)
    assert await openers(store) == {NEW.id}
