"""Strict decoding: one base64url encoding for each value, JSON without duplicate members."""

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from doorward_verify.encoding import (
    MAX_DEPTH,
    Malformed,
    b64url_decode,
    b64url_encode,
    b64url_pair,
    json_object,
)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NASTY = st.text(alphabet=LETTERS + '+/=."\\ \n\t\0é\ud800u', max_size=12)


def reference(text: str) -> bytes | None:
    """The reference for the one valid encoding: decode, encode again, compare."""
    if not all(c in LETTERS for c in text) or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text else None


def decoded(text: str) -> bytes | None:
    try:
        return b64url_decode(text)
    except Malformed:
        return None


@pytest.mark.requirement(46)
@given(st.one_of(NASTY, st.text(alphabet=LETTERS, max_size=40)))
@example("QQ==")
@example("QR")
@example("QQ=")
@example("QQ=A")
@example("Q=QQ")
@example("=QQQ")
@example("QQQ=QQ")
@example("A\\u0041A")
def test_each_value_has_one_base64url_encoding(text: str) -> None:
    assert decoded(text) == reference(text)


@given(st.binary(max_size=200))
def test_base64url_round_trips(data: bytes) -> None:
    assert b64url_decode(b64url_encode(data)) == data


@pytest.mark.requirement(46)
@given(NASTY, NASTY)
@example('AAAA","BBBB', "")
@example("AAAA", 'AAAA"]')
@example('AA"A', "AAAA")
@example("AAAA", 'AA","AA')
@example("AA=A", "AAAA")
@example("AAAA", "AAAA=AA")
@example("", "AAAA")
@example("AAAA", "A")
def test_a_pair_decodes_like_its_two_parts(one: str, two: str) -> None:
    expected = (decoded(one), decoded(two))
    try:
        pair: Any = b64url_pair(one, two, f"{one}.{two}")
    except Malformed:
        assert None in expected
    else:
        assert pair == expected


@pytest.mark.requirement(46)
@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        '{"a":1, "a":2}',
        '{"a":1,"\\u0061":2}',
        '{"x":{"a":1,"a":2}}',
        '{"x":[{"a":1,"b":2,"a":3}]}',
        '{"":1,"":2}',
    ],
)
def test_a_duplicate_member_is_refused_at_any_depth(text: str) -> None:
    with pytest.raises(Malformed, match="twice"):
        json_object(text.encode())


@pytest.mark.requirement(46)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"{'a':1}",
        b'{"a":1}{"b":2}',
        b'{"a":1}\0',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":1,}',
        b'{"a":01}',
        b"{" + b'"a":{' * 100_000,
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b"9" * 100_000 + b"}",
    ],
    ids=range(18),
)
def test_only_a_single_json_object_is_accepted(data: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(data)


@pytest.mark.requirement(46)
def test_deep_nesting_is_refused_in_long_documents() -> None:
    padding = b'"p":"' + b"x" * 1000 + b'",'
    deep = b"{" + padding + b'"a":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}"
    with pytest.raises(Malformed, match="nested"):
        json_object(deep)
    flat = b"{" + padding + b'"a":[' + b",".join([b"{}"] * 100) + b"]}"
    assert len(json_object(flat)["a"]) == 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.booleans(), st.booleans())
def test_json_of_another_encoder_gives_the_same_value(
    members: dict[str, Any], ascii_: bool, spaced: bool
) -> None:
    text = json.dumps(members, ensure_ascii=ascii_, indent=2 if spaced else None)
    assert json_object(text.encode()) == members
