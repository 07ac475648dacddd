"""Format of API keys: what scanners find, what is refused without a look, and which secret counts."""

from __future__ import annotations

import re
from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.core.model.digest import digest
from doorward.features.api_keys.rules import key_format
from doorward.features.api_keys.rules.key_format import PATTERN, read, secret_of, write
from tests.storage.samples import NOW
from tests.storage.samples_keys import api_key

ID = "key_" + "01992f3c" * 4
PINNED = "dwk_01992f3c01992f3c01992f3c01992f3c_0000000000000000000000000000000000000000000"


def test_the_format_is_pinned() -> None:
    """Scanners everywhere hold the expression, and programs hold the keys."""
    assert PATTERN == r"\bdwk_[0-9a-f]{32}_[0-9A-Za-z]{49}\b"
    text = write(ID, bytes(32))
    assert text[:-6] == PINNED
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for digit in text[-6:]:
        number = number * 62 + digits.index(digit)
    assert number == crc32(PINNED.encode())
    assert len(write(ID, b"\xff" * 32)) == len(text) == key_format.LENGTH


@given(st.binary(min_size=32, max_size=32))
def test_every_key_is_read_and_found_by_the_expression(secret: bytes) -> None:
    text = write(ID, secret)
    found = read(text)
    assert found is not None
    assert (found.id, found.hash) == (ID, digest(text))
    assert re.findall(PATTERN, f'API_KEY="{text}"\n') == [text]


@pytest.mark.requirement(17)
def test_a_secret_has_256_bits() -> None:
    assert key_format.SECRET_BYTES * 8 == 256
    assert 62**43 > 2**256


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text[:40] + ("0" if text[40] != "0" else "1") + text[41:],
        lambda text: text.replace("dwk_0", "dwk_1"),
        lambda text: text + " ",
        lambda text: text.upper(),
        lambda text: text[:-1],
        lambda text: text[:-1] + "٣",
        lambda text: text.replace("_0199", "-0199"),
        lambda _: "",
    ],
)
def test_a_text_with_a_slip_is_no_key(change: object) -> None:
    assert callable(change)
    assert read(str(change(write(ID, b"s" * 32)))) is None


def test_the_current_and_the_previous_secret_count_and_no_other() -> None:
    old, new, other = (write(ID, bytes([number]) * 32) for number in (1, 2, 3))
    key = api_key(secret_hash=digest(new), previous_hash=digest(old), previous_until=NOW + 60)

    def asked(text: str, at: int = NOW, of: object = key) -> str | None:
        presented = read(text)
        assert presented is not None
        return secret_of(of, presented, at)  # type: ignore[arg-type]

    assert asked(new) == "current"
    assert asked(old) == "previous"
    assert asked(old, NOW + 60) is None
    assert asked(other) is None
    assert asked(new, of=None) is None
    assert asked(old, of=replace(key, previous_hash=None)) is None


def test_a_presented_key_prints_no_secret() -> None:
    presented = read(write(ID, b"s" * 32))
    assert presented is not None
    assert repr(presented) == f"PresentedKey({ID}, ***)"
