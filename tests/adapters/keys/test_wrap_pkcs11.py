"""Key wrapping inside a hardware token, by a key that cannot be read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import exceptions

from doorward.adapters.keys import wrap_pkcs11
from doorward.adapters.keys.wrap_pkcs11 import TokenWrapper
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem, WrongKey
from tests.hardware_token import HardwareToken

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def token(hardware_token: HardwareToken) -> HardwareToken:
    """A token with two keys."""
    hardware_token.make_key("wrap one")
    hardware_token.make_key("wrap two")
    return hardware_token


def wrapper(token: HardwareToken, key: str = "wrap one", **other: str) -> TokenWrapper:
    named = {"label": token.label, "pin": token.pin, "module": str(token.module)} | other
    return TokenWrapper(named["module"], token=named["label"], key=key, pin=Secret(named["pin"]))


async def test_only_the_same_key_opens_a_wrapped_key(token: HardwareToken) -> None:
    wrapped = await wrapper(token).wrap("root_1", KEY)
    assert KEY not in wrapped
    assert wrapped != await wrapper(token).wrap("root_1", KEY)
    assert await wrapper(token).unwrap("root_1", wrapped) == KEY
    with pytest.raises(WrongKey):
        await wrapper(token, "wrap two").unwrap("root_1", wrapped)
    with pytest.raises(WrongKey):
        await wrapper(token).unwrap("root_2", wrapped)


async def test_any_damage_is_detected(token: HardwareToken) -> None:
    wrapped = await wrapper(token).wrap("root_1", KEY)
    for at in (0, 1, 12, 13, 40, len(wrapped) - 1):
        damaged = bytearray(wrapped)
        damaged[at] ^= 1
        with pytest.raises(WrongKey):
            await wrapper(token).unwrap("root_1", bytes(damaged))
    for cut in (b"", wrapped[:13], wrapped[:-1]):
        with pytest.raises(WrongKey):
            await wrapper(token).unwrap("root_1", cut)


async def test_concurrent_calls_succeed(token: HardwareToken) -> None:
    mine = wrapper(token)
    wrapped = await mine.wrap("root_1", KEY)
    assert await asyncio.gather(*(mine.unwrap("root_1", wrapped) for _ in range(20))) == [KEY] * 20


async def test_a_missing_module_token_or_key_is_reported_with_its_setting(
    token: HardwareToken, tmp_path: Path
) -> None:
    for mistaken, setting in (
        (wrapper(token, "none"), "keys.pkcs11_key"),
        (wrapper(token, label="none"), "keys.pkcs11_token"),
        (wrapper(token, pin="0000"), "keys.pkcs11_pin"),
    ):
        with pytest.raises(KeyProblem) as caught:
            await mistaken.wrap("root_1", KEY)
        assert setting in caught.value.fix
        assert token.pin not in str(caught.value)
    (tmp_path / "no.so").write_text("no library")
    with pytest.raises(KeyProblem, match="cannot be used"):
        await wrapper(token, module=str(tmp_path / "no.so")).wrap("root_1", KEY)


async def test_two_keys_with_one_label_are_reported(token: HardwareToken) -> None:
    token.make_key("twice")
    token.make_key("twice")
    with pytest.raises(KeyProblem) as caught:
        await wrapper(token, "twice").wrap("root_1", KEY)
    assert "one of its own" in caught.value.fix


def test_the_id_contains_the_labels_of_token_and_key(token: HardwareToken) -> None:
    assert wrapper(token).id == "pkcs11:auth/wrap one"
    assert token.pin not in repr(vars(wrapper(token)))


def test_the_tokens_key_cannot_be_read(token: HardwareToken) -> None:
    with pkcs11.lib(str(token.module)).get_token(token_label=token.label).open(user_pin=token.pin) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label="wrap one")
        with pytest.raises(pkcs11.PKCS11Error):
            assert key[pkcs11.Attribute.VALUE]


async def test_an_answer_that_may_be_another_in_a_moment_is_asked_for_again(
    token: HardwareToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SoftHSM answers so to one of two processes that open the token at once. A wrong PIN is asked for once: tries are counted."""
    mine = wrapper(token)
    wrapped = await mine.wrap("root_1", KEY)
    answers: list[Exception] = []
    tried: list[str] = []
    own = TokenWrapper._used

    def used(self: TokenWrapper, data: bytes, how: Any, *, opening: bool) -> bytes:
        tried.append(self.id)
        if answers:
            raise answers.pop()
        return own(self, data, how, opening=opening)

    monkeypatch.setattr(TokenWrapper, "_used", used)
    monkeypatch.setattr(wrap_pkcs11, "_PAUSES", (0.0, 0.0))
    answers = [exceptions.NoSuchToken(), exceptions.GeneralError()]
    assert await mine.unwrap("root_1", wrapped) == KEY
    assert len(tried) == 3
    for error, tries in ((exceptions.GeneralError, 3), (exceptions.PinIncorrect, 1)):
        tried.clear()
        answers = [error() for _ in range(5)]
        with pytest.raises(KeyProblem, match=error.__name__):
            await mine.unwrap("root_1", wrapped)
        assert len(tried) == tries
