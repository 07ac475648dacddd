"""Size bounds on a stored authorization request, and what stays with the browser instead."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.request import AuthRequest
from doorward.features.authn.flow.rules import begin
from doorward.features.oauth.authorize.rules.weight import MOST_OF_STRANGER, for_stranger, given_back, weight

pytestmark = pytest.mark.requirement(93)


def request(**changes: Any) -> AuthRequest:
    values: dict[str, Any] = {
        "client_id": "app_0123456789abcdef0123456789abcdef",
        "redirect_uri": "https://shop.example.com/oauth2/callback",
        "response_mode": "query",
        "scopes": ("openid", "profile", "email", "offline_access", "orders:read", "orders:write"),
        "audience": "https://orders.example.com",
        "code_challenge": "a" * 43,
        **changes,
    }
    return AuthRequest(**values)


def row(asked: AuthRequest) -> int:
    """Bytes of the stored document."""
    sign_in = begin.sign_in(
        sign_in_id="sin_" + 32 * "0",
        now=1_800_000_000,
        ttl=1800,
        browser_hash=b"b" * 32,
        request=asked,
        session=None,
        kinds=(),
    )
    return len(msgspec.json.encode(sign_in))


@pytest.mark.parametrize("char", ["s", "€", "😀", '"', "\\", "\x01"])
def test_bytes_are_counted_as_stored(char: str) -> None:
    # 1 to 4 bytes in UTF-8, 2 for an escape, 6 for a control character
    size = len(msgspec.json.encode(char)) - 2
    fits = request(nonce=char * ((MOST_OF_STRANGER - 2) // size))
    assert for_stranger(fits, carried=True) == fits
    over = request(nonce=char * (MOST_OF_STRANGER // size + 1))
    refused = for_stranger(over, carried=True)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_request"
    assert str(MOST_OF_STRANGER) in refused.description
    assert row(fits) <= 2048


@pytest.mark.parametrize(
    "texts",
    [
        {"state": "s" * 900},
        {"login_hint": "h" * 900},
        {"acr_values": ("a",) * 220},
        {"ui_locales": ("de-" + "-".join(["abcdefgh"] * 11),) * 9},
        {"claims": {"id_token": {"c" * 440: None, "d" * 440: None}}},
        {"hint_subject": "u" * 900},
    ],
)
def test_a_strangers_row_has_at_most_two_kilobytes(texts: dict[str, Any]) -> None:
    for times in (1, 2):
        asked = request(**{name: value * times if times == 2 and not isinstance(value, dict) else value for name, value in texts.items()})  # fmt: skip
        kept = for_stranger(asked, carried=True)
        if isinstance(kept, AuthRequest):
            assert row(kept) <= 2048


@pytest.mark.parametrize(
    "texts",
    [
        # mod_auth_openidc, oidc-client-ts, Spring, openid-client: random texts
        {"state": "x" * 43, "nonce": "n" * 43},
        # Auth.js: encrypted JSON
        {"state": "e" * 420},
        # a dozen claims by name
        {
            "state": "x" * 43,
            "nonce": "n" * 43,
            "claims": {
                place: {f"claim_number_{n}": {"essential": True} for n in range(6)}
                for place in ("userinfo", "id_token")
            },
        },
    ],
)
def test_requests_of_common_clients_fit_unchanged(texts: dict[str, Any]) -> None:
    asked = request(**texts)
    assert for_stranger(asked, carried=False) == asked
    assert row(asked) <= 2048


def test_a_long_state_stays_in_the_browser_and_is_returned() -> None:
    state = "https://kibana.example.com/app/discover#/" + "q" * 2500
    asked = request(state=state, nonce="n" * 43)
    kept = for_stranger(asked, carried=True)
    assert isinstance(kept, AuthRequest)
    assert weight(kept) < 200
    fields = {"code": "c", "state": kept.state or "", "iss": "i"}
    assert given_back(fields, state) == {"code": "c", "state": state, "iss": "i"}
    # a state other than the stored one is not returned to the app
    for other in (None, "", state + "x"):
        assert given_back(fields, other) == fields
    assert isinstance(for_stranger(asked, carried=False), OAuthError)


def test_a_state_that_looks_like_a_digest_is_returned_unchanged() -> None:
    fields = {"code": "c", "state": "dw_state_" + "A" * 43}
    assert given_back(fields, "something else") == fields
    assert given_back({"code": "c"}, "x") == {"code": "c"}
