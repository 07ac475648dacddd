"""Key wrapping under a local secret key: opens only with the same key and context."""

from __future__ import annotations

import pytest

from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.core.ports.key_wrapper import WrongKey

pytestmark = pytest.mark.anyio

SECRET = bytes(range(100, 132))
KEY = bytes(range(32))


async def test_a_wrapped_key_opens_and_no_two_wrappings_are_equal() -> None:
    wrapper = LocalWrapper(SECRET)
    wrapped = [await wrapper.wrap("root_1", KEY) for _ in range(3)]
    assert len(set(wrapped)) == 3
    for one in wrapped:
        assert KEY not in one
        assert await LocalWrapper(SECRET).unwrap("root_1", one) == KEY


async def test_another_key_another_context_and_any_damage_are_refused() -> None:
    wrapper = LocalWrapper(SECRET)
    wrapped = await wrapper.wrap("root_1", KEY)
    with pytest.raises(WrongKey):
        await LocalWrapper(bytes(32)).unwrap("root_1", wrapped)
    with pytest.raises(WrongKey):
        await wrapper.unwrap("root_2", wrapped)
    for place in range(len(wrapped)):
        damaged = bytearray(wrapped)
        damaged[place] ^= 1
        with pytest.raises(WrongKey):
            await wrapper.unwrap("root_1", bytes(damaged))
    for short in (b"", wrapped[:1], wrapped[:-1], wrapped + b"x"):
        with pytest.raises(WrongKey):
            await wrapper.unwrap("root_1", short)


def test_the_fingerprint_is_constant_and_reveals_nothing_of_the_key() -> None:
    shown = LocalWrapper(SECRET).id
    assert shown == LocalWrapper(SECRET).id
    assert shown.startswith("key:")
    assert len(shown) == len("key:") + 16
    assert shown != LocalWrapper(bytes(32)).id
    assert SECRET.hex()[:8] not in shown
    assert SECRET.hex() not in repr(LocalWrapper(SECRET))


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        LocalWrapper(b"short")
