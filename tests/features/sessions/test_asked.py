"""An app's request stored in a browser cookie: returned unchanged, and never a redirect to elsewhere."""

from __future__ import annotations

import hashlib
import zlib
from base64 import urlsafe_b64encode

import pytest

from doorward.features.sessions.asked import MOST_CARRIED, pack, state_of, unpack
from doorward.web.http import parse_form

FLOW = "sin_" + 32 * "0"


def test_a_request_is_returned_unchanged() -> None:
    params = {"client_id": "app_1", "state": "a b&c=d€😀", "redirect_uri": "https://shop.example.com/cb?x=1"}
    value = pack(FLOW, params)
    assert value is not None
    found = unpack(value)
    assert found is not None
    assert found[0] == FLOW
    assert parse_form(found[1]) == params
    assert state_of(value) == params["state"]


def test_a_request_too_long_for_a_cookie_is_not_stored() -> None:
    random = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(120))
    assert pack(FLOW, {"state": random}) is None
    found = pack(FLOW, {"state": "https://kibana.example.com/?" + "columns=message&" * 200})
    assert found is not None
    assert len(found) <= MOST_CARRIED


def _packed(raw: bytes) -> str:
    return f"{FLOW}.{urlsafe_b64encode(zlib.compress(raw)).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "value",
    ["", ".", "x", f"{FLOW}.", f"{FLOW}.!!!!", f"{FLOW}.AAAA", f"{FLOW}.é", _packed(b""), _packed(b"a=\r\nb"), _packed(b"x" * 10**7), _packed(b"\xff")],
)  # fmt: skip
def test_a_forged_value_is_ignored(value: str) -> None:
    assert unpack(value) is None
    assert state_of(value) is None


def test_a_repeated_state_is_ignored() -> None:
    assert state_of(_packed(b"state=a&state=b")) is None
