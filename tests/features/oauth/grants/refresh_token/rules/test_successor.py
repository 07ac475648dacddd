"""Sealed successor: only the bearer of the parent token can open it."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.oauth.grants.refresh_token.rules.successor import hmac_sha256, seal, unseal


@pytest.mark.requirement(17, 18)
def test_only_the_parent_opens_it() -> None:
    sealed = seal("dw_rt_parent", "dw_rt_child")
    assert unseal("dw_rt_parent", sealed) == "dw_rt_child"
    assert b"child" not in sealed
    for parent, text in (
        ("dw_rt_other", sealed),
        ("dw_rt_parent", sealed[:-1] + b"x"),
        ("dw_rt_parent", b"x" * 40),
    ):
        with pytest.raises(ValueError, match="not sealed"):
            unseal(parent, text)


def test_two_secrets_under_one_parent_do_not_share_a_nonce() -> None:
    one, other = seal("dw_rt_parent", "a" * 43), seal("dw_rt_parent", "b" * 43)
    assert one[:12] != other[:12]
    assert bytes(x ^ y for x, y in zip(one[12:], other[12:], strict=True))[:43] != bytes([3] * 43)


@pytest.mark.parametrize("short", [b"", b"x", b"x" * 11, b"x" * 27])
def test_a_text_too_short_to_be_sealed_is_refused(short: bytes) -> None:
    with pytest.raises(ValueError, match="not sealed"):
        unseal("dw_rt_parent", short)


@given(
    st.text(alphabet=st.characters(max_codepoint=127), min_size=1), st.text(max_size=80).filter(str.isascii)
)
def test_any_text_is_sealed_and_opened_unchanged(parent: str, child: str) -> None:
    assert unseal(parent, seal(parent, child)) == child


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_the_code_is_that_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize("length", [63, 64, 65, 110])
def test_a_parent_of_any_length_gives_the_key_that_it_always_gave(length: int) -> None:
    """Tokens in use were sealed by `hmac.digest` of the whole parent, and so do servers of an earlier version."""
    parent = "p" * length
    key = hmac.digest(parent.encode(), b"doorward refresh successor", "sha256")
    nonce = hmac.digest(key, b"secret", "sha256")[:12]
    made = nonce + AESGCM(key).encrypt(nonce, b"secret", sha256(parent.encode()).digest())
    assert seal(parent, "secret") == made
