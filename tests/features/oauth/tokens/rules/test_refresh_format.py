"""Refresh token format: names its grant, and does not help to forge another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.digest import digest
from doorward.features.oauth.tokens.rules import refresh_format as text

GRANT = "grt_0192f3c1a7b87d2e9c4f5a6b7c8d9e0f"
FAMILY, SECRET = "F" * 22, "s" * 43


def test_a_token_is_parsed_as_it_was_made() -> None:
    raw = text.first(GRANT, FAMILY, SECRET)
    assert raw.startswith("dw_rt_0192f3c1")
    read = text.read(raw)
    assert read == text.PresentedRefreshToken(GRANT, 1, digest(FAMILY), digest(raw))
    assert text.family_hash(raw) == digest(FAMILY)
    assert raw.endswith(FAMILY + SECRET)


@pytest.mark.requirement(17)
def test_the_next_token_keeps_grant_and_family_and_has_its_own_256_bit_secret() -> None:
    raw = text.first(GRANT, FAMILY, SECRET)
    for place in range(2, 40):
        raw = text.following(raw, f"{place:043}")
        read = text.read(raw)
        assert read is not None
        assert (read.grant_id, read.generation, read.family_hash) == (GRANT, place, digest(FAMILY))
        assert raw.endswith(f"{FAMILY}{place:043}")
    assert (text.FAMILY_BYTES, text.SECRET_BYTES) == (16, 32)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "dw_rt_",
        "dw_rt_" + "x" * 43,
        text.first(GRANT, FAMILY, SECRET)[:-1] + "é",
        text.first("grt_", FAMILY, SECRET),
        text.first(GRANT, FAMILY, SECRET).replace("00000001", "0000000z"),
        text.first(GRANT, FAMILY, SECRET).replace("00000001", "00 00 01"),
        text.first("grt_" + "0" * 200, FAMILY, SECRET),
        "dw_at_" + text.first(GRANT, FAMILY, SECRET)[6:],
    ],
)
def test_foreign_tokens_are_not_parsed(raw: str) -> None:
    assert text.read(raw) is None


@given(st.text(max_size=240))
def test_any_text_is_handled_without_an_exception(tail: str) -> None:
    read = text.read("dw_rt_" + tail)
    assert read is None or read.hash == digest("dw_rt_" + tail)
