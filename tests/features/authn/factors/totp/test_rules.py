"""TOTP codes (RFC 6238): which are accepted, and how often."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp import parse_uri
from pyotp.totp import TOTP

from doorward.core.text import code
from doorward.features.authn.factors.totp import rules as totp

RFC_SEED = b"12345678901234567890"
_VECTORS = Path(__file__).parents[4] / "vectors"
HOTP, TIMED = (json.loads((_VECTORS / f"{name}.json").read_text()) for name in ("rfc4226", "rfc6238"))


@pytest.mark.requirement(82)
@pytest.mark.parametrize("row", HOTP["vectors"], ids=lambda row: str(row["count"]))
def test_the_codes_of_rfc_4226_appendix_d(row: dict[str, Any]) -> None:
    seed = HOTP["secret"].encode()
    assert hmac.digest(seed, row["count"].to_bytes(8, "big"), "sha1").hex() == row["hmac"]
    assert totp.code_at(seed, row["count"]) == f"{row['truncated'] % 10**6:06d}" == row["hotp"]


@pytest.mark.requirement(82)
@pytest.mark.parametrize("row", TIMED["vectors"], ids=lambda row: str(row["time"]))
def test_the_codes_of_rfc_6238_appendix_b(row: dict[str, Any]) -> None:
    # published with eight digits; a code of six is the end of it (RFC 4226 §5.3)
    seed, code = TIMED["secret"].encode(), row["totp"][-totp.DIGITS :]
    assert row["time"] // totp.PERIOD == row["step"]
    assert totp.code_at(seed, row["step"]) == code
    assert totp.match(seed, code, now=row["time"], last_step=None) == row["step"]


@pytest.mark.requirement(82)
@pytest.mark.parametrize("row", TIMED["vectors"], ids=lambda row: str(row["time"]))
def test_altered_codes_of_the_rfc_are_refused(row: dict[str, Any]) -> None:
    seed, code = TIMED["secret"].encode(), row["totp"][-totp.DIGITS :]
    for at, digit in enumerate(code):
        other = code[:at] + str((int(digit) + 1) % 10) + code[at + 1 :]
        assert totp.match(seed, other, now=row["time"], last_step=None) is None
    assert totp.match(seed, row["totp"], now=row["time"], last_step=None) is None
    assert totp.match(seed[:-1] + b"1", code, now=row["time"], last_step=None) is None


@given(st.binary(min_size=16, max_size=64), st.integers(0, 2**40))
def test_codes_equal_those_of_another_implementation(seed: bytes, at: int) -> None:
    other = TOTP(base64.b32encode(seed).decode())
    assert totp.code_at(seed, at // totp.PERIOD) == other.generate_otp(at // totp.PERIOD)


def test_a_clock_may_be_off_by_one_period_either_way() -> None:
    now = 3000
    step = now // totp.PERIOD
    for off, accepted in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        found = totp.match(RFC_SEED, totp.code_at(RFC_SEED, step + off), now=now, last_step=None)
        assert (found == step + off) is accepted, off


def test_without_tolerance_a_code_lives_for_its_own_period() -> None:
    """ASVS 6.5.5: 30 seconds at most."""
    for now, accepted in ((2999, False), (3000, True), (3029, True), (3030, False)):
        found = totp.match(RFC_SEED, totp.code_at(RFC_SEED, 100), now=now, last_step=None, window=0)
        assert (found == 100) is accepted, now


@pytest.mark.requirement(82)
def test_a_code_is_accepted_once_and_no_earlier_code_after_it() -> None:
    now = 3000
    step = now // totp.PERIOD
    shown = totp.code_at(RFC_SEED, step)
    assert totp.match(RFC_SEED, shown, now=now, last_step=step - 1) == step
    assert totp.match(RFC_SEED, shown, now=now, last_step=step) is None
    assert totp.match(RFC_SEED, totp.code_at(RFC_SEED, step - 1), now=now, last_step=step) is None


@given(st.text(max_size=40))
def test_any_text_gets_a_verdict(typed: str) -> None:
    tidy = code(typed)
    found = totp.match(RFC_SEED, tidy, now=3000, last_step=None)
    assert (found is None) == (tidy not in {totp.code_at(RFC_SEED, 100 + off) for off in (-1, 0, 1)})


def test_six_digits_are_recognised_as_a_totp_code() -> None:
    assert totp.looks_like("123456")
    assert not totp.looks_like("12345")
    assert not totp.looks_like("１２３４５６")
    assert not totp.looks_like("12345²")


def test_the_qr_code_address_has_all_parameters() -> None:
    uri = totp.key_uri(RFC_SEED, account="ada@example.com", issuer="Acme: Login")
    parts = urlsplit(uri)
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Acme  Login:ada@example.com"
    assert query["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert query["issuer"] == ["Acme  Login"]
    assert parse_uri(uri).secret == query["secret"][0]
