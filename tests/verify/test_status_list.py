"""Status list tokens: validation and the status of one entry. Token Status List, §5.1, §8."""

import random
import zlib
from typing import Any

import pytest

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import b64url_encode
from doorward_verify.status_list import (
    INVALID,
    MAX_LIST_BYTES,
    VALID,
    StatusList,
    StatusListUnavailable,
    parse_status_list,
)
from tests.verify.tokens import ALL, ISSUER, KEYS, NOW, P256, P384, header, raw

URI = f"{ISSUER}/status/1"
# §4.1 of the draft: entries 1,0,0,1,1,1,0,1 and 1,1,0,0,0,1,0,1 with one bit each are the bytes b9 a3
PUBLISHED = bytes([0xB9, 0xA3])
ONE_BIT = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
# §4.1: 1,2,0,3 0,1,0,1 1,2,3,3 with two bits each are c9 44 f9
TWO_BITS = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]


def token(
    data: bytes = PUBLISHED,
    bits: Any = 1,
    *,
    typ: str | None = "statuslist+jwt",
    key: Any = P256,
    **others: Any,
) -> str:
    body = {
        "sub": URI,
        "iat": NOW - 10,
        "exp": NOW + 1000,
        "ttl": 60,
        "status_list": {"bits": bits, "lst": b64url_encode(zlib.compress(data))},
        **others,
    }
    return raw(header(typ=typ), {name: value for name, value in body.items() if value is not None}, key)


def parsed(text: str) -> StatusList:
    return parse_status_list(text, KEYS, uri=URI, algorithms=ALL, now=NOW)


def error(text: str) -> str:
    with pytest.raises(AuthError) as refused:
        parsed(text)
    return refused.value.reason


@pytest.mark.requirement(57)
def test_the_published_examples() -> None:
    one = parsed(token())
    assert [one.get(idx, NOW) for idx in range(16)] == ONE_BIT
    two = parsed(token(bytes([0xC9, 0x44, 0xF9]), 2))
    assert [two.get(idx, NOW) for idx in range(12)] == TWO_BITS
    assert (VALID, INVALID) == (0, 1)


@pytest.mark.requirement(57)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_out_of_range_is_refused_and_never_read_as_valid(bits: int) -> None:
    found = parsed(token(bytes(4), bits))
    entries = 4 * 8 // bits
    assert found.get(entries - 1, NOW) == VALID
    for idx in (entries, entries + 1, 2**40, -1):
        with pytest.raises(StatusListUnavailable, match="no such entry"):
            found.get(idx, NOW)


@pytest.mark.requirement(57)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "statuslist", None])
def test_the_type_is_required(typ: str | None) -> None:
    assert error(token(typ=typ)) == "type"


@pytest.mark.requirement(57)
@pytest.mark.parametrize("sub", [URI + "/", URI.upper(), f"{ISSUER}/status/2", ""])
def test_a_list_of_another_uri_is_refused(sub: str) -> None:
    assert error(token(sub=sub)) == "claims"


@pytest.mark.requirement(57)
def test_ttl_and_exp_are_honoured_whichever_is_sooner() -> None:
    by_ttl = parsed(token())
    assert by_ttl.get(0, NOW + 59) == INVALID
    with pytest.raises(StatusListUnavailable, match="ttl"):
        by_ttl.get(0, NOW + 60)
    by_exp = parsed(token(exp=NOW + 30))
    with pytest.raises(StatusListUnavailable):
        by_exp.get(0, NOW + 30)
    assert error(token(exp=NOW)) == "expired"
    assert parsed(token(exp=None, ttl=None)).get(0, NOW + 10**6) == INVALID


@pytest.mark.requirement(57, 48)
def test_a_list_that_unpacks_to_too_much_is_refused_without_unpacking_it() -> None:
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    assert error(token(status_list={"bits": 1, "lst": b64url_encode(bomb)})) == "malformed"
    fits = parsed(
        token(status_list={"bits": 1, "lst": b64url_encode(zlib.compress(bytes(MAX_LIST_BYTES), 9))})
    )
    assert len(fits.statuses) == MAX_LIST_BYTES


@pytest.mark.requirement(57)
@pytest.mark.parametrize(
    "status_list",
    [
        {"bits": 3, "lst": ""},
        {"bits": "1", "lst": ""},
        {"bits": 1},
        {"bits": 1, "lst": "***"},
        {"bits": 1, "lst": b64url_encode(b"not deflate")},
        {"bits": 1, "lst": b64url_encode(zlib.compress(b"x" * 100)[:-3])},
        {"bits": 1, "lst": b64url_encode(zlib.compress(b"x") + b"more")},
        [],
    ],
    ids=str,
)
def test_a_malformed_list_is_refused(status_list: Any) -> None:
    assert error(token(status_list=status_list)) in ("claims", "malformed")


@pytest.mark.requirement(57)
def test_a_list_of_another_signer_is_refused() -> None:
    assert error(token(key=P384)) == "signature"
    assert error(token(key=None)) == "signature"
    assert error(token(iss="https://other.example")) == "issuer"
    assert error(token(iat=NOW + 5)) == "not_yet_valid"
    assert error("x" * 5_000_000) == "malformed"


def test_a_list_may_be_longer_than_an_access_token() -> None:
    statuses = random.Random(1).randbytes(20_000)
    big = token(statuses, 8)
    assert len(big) > 16 * 1024
    assert parsed(big).get(19_999, NOW) == statuses[19_999]
