"""Random values, and sealed values that open only for their own purpose and row."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.adapters.clock import SystemClock
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.random import SystemRandom

RANDOM = SystemRandom()
SEALER = KeyedSealer(bytes(range(32)))


@pytest.mark.requirement(17)
def test_a_token_has_256_bits_in_43_characters() -> None:
    made = {RANDOM.token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in made)
    assert len(RANDOM.token(16)) == 22
    # every byte is random: a constant one would mean eight bits less
    raw = [urlsafe_b64decode(token + "=") for token in made]
    assert all(len({one[place] for one in raw}) > 200 for place in range(32))


def test_an_id_is_a_uuid_of_version_7_that_sorts_by_time() -> None:
    before = SystemClock().now() * 1000
    ids = [RANDOM.new_id("usr") for _ in range(200)]
    assert len(set(ids)) == 200
    for text in ids:
        match = re.fullmatch(r"usr_([0-9a-f]{12})7[0-9a-f]{3}[89ab][0-9a-f]{15}", text)
        assert match
        assert 0 <= int(match[1], 16) - before < 60_000
    # also within one millisecond: audit lines sort in the order of events
    stamps = [text[4:20] for text in ids]
    assert stamps == sorted(stamps)


def test_the_random_bits_of_an_id_all_vary() -> None:
    numbers = [int(RANDOM.new_id("x")[2:], 16) for _ in range(300)]
    varies = 0
    for number in numbers:
        varies |= number ^ numbers[0]
    fixed_or_time = (0xFFFF_FFFF_FFFF_FFFF << 64) | (0b11 << 62)
    assert (varies | fixed_or_time) == (1 << 128) - 1


def test_digits_are_decimal_and_each_position_takes_every_value() -> None:
    codes = [RANDOM.digits() for _ in range(2000)]
    assert all(re.fullmatch(r"\d{6}", code) for code in codes)
    assert all({code[place] for code in codes} == set("0123456789") for place in range(6))
    assert len(RANDOM.digits(8)) == 8


def test_below_returns_less_than_its_bound() -> None:
    assert {RANDOM.below(3) for _ in range(200)} == {0, 1, 2}


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_a_sealed_value_opens_for_its_purpose_and_context(clear: bytes, purpose: str, context: str) -> None:
    sealed = SEALER.seal(purpose, context, clear)
    assert SEALER.open(purpose, context, sealed) == clear
    assert sealed != SEALER.seal(purpose, context, clear)
    if len(clear) > 8:
        assert clear not in sealed


@pytest.mark.requirement(82)
def test_a_sealed_value_cannot_be_moved_changed_or_opened_under_another_key() -> None:
    sealed = SEALER.seal("totp", "fac_1", b"seed")
    tampered = [
        sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))
    ]
    attempts = [
        (SEALER, "totp", "fac_2", sealed),
        (SEALER, "mail", "fac_1", sealed),
        (KeyedSealer(b"x" * 32), "totp", "fac_1", sealed),
        *((SEALER, "totp", "fac_1", changed) for changed in tampered),
        (SEALER, "totp", "fac_1", sealed[:-1]),
        (SEALER, "totp", "fac_1", b""),
    ]
    for sealer, purpose, context, value in attempts:
        with pytest.raises(ValueError, match="seal") as caught:
            sealer.open(purpose, context, value)
        assert "seed" not in str(caught.value)


def test_tags_differ_by_purpose_and_key_and_are_stable() -> None:
    assert SEALER.tag("csrf", "a") == KeyedSealer(bytes(range(32))).tag("csrf", "a")
    other = {SEALER.tag("csrf", "a"), SEALER.tag("throttle", "a"), SEALER.tag("csrf", "b")}
    assert len(other | {KeyedSealer(b"x" * 32).tag("csrf", "a")}) == 4
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", SEALER.tag("csrf", "\udcff"))


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyedSealer(b"short")
