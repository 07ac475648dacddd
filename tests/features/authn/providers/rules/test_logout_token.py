"""Logout tokens of providers: what they end, and each that must end nothing."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.features.authn.providers.rules.logout_token import (
    EVENT,
    OLDEST,
    BadLogoutToken,
    UpstreamLogout,
    checked_logout,
)
from doorward.features.authn.providers.services.index import service_for
from doorward.features.authn.providers.settings import ProviderPolicy

NOW = 1_800_000_000
ISSUER = "https://accounts.example.com"
POLICY = ProviderPolicy(issuer=ISSUER, client_id="doorward")
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "doorward",
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "j-1",
    "sub": "ada",
    "sid": "s-1",
    "events": {EVENT: {}},
}


def checked(**changes: Any) -> UpstreamLogout:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return checked_logout(claims, service=service_for("example", "openid"), policy=POLICY, now=NOW)


def test_the_session_and_the_person_are_read() -> None:
    known = UpstreamLogout(issuer=ISSUER, jti="j-1", until=NOW + OLDEST, subject="ada", sid="s-1")
    assert checked() == known
    assert checked(aud=["other", "doorward"]) == known
    assert checked(sid=...).sid is None
    assert checked(sub=...).subject is None
    # the specification asks for no exp (§2.4)
    assert checked(exp=...) == known


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": "https://other.example"}, "iss is another issuer"),
        ({"iss": ...}, "iss is another issuer"),
        ({"aud": "other"}, "aud is not this client"),
        ({"aud": ...}, "aud is not this client"),
        ({"iat": ...}, "iat is missing"),
        ({"iat": NOW + 61}, "iat lies ahead"),
        ({"iat": NOW - OLDEST}, "iat is too long ago"),
        ({"iat": "now"}, "iat is no time"),
        ({"exp": NOW - 60}, "exp is over"),
        ({"events": ...}, "events"),
        ({"events": {"https://example.com/other": {}}}, "events"),
        ({"events": [EVENT]}, "events"),
        ({"events": {EVENT: "yes"}}, "events"),
        ({"nonce": "n"}, "nonce is there"),
        ({"nonce": None}, "nonce is there"),
        ({"jti": ...}, "jti is missing"),
        ({"jti": "j" * 256}, "jti is missing or too long"),
        ({"sub": ..., "sid": ...}, "neither sub nor sid"),
        ({"sub": "", "sid": ...}, "neither sub nor sid"),
        ({"sid": 5}, "sid is no text"),
        ({"sid": "s" * 256}, "sid is no text"),
    ],
)
def test_any_other_token_ends_nothing(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadLogoutToken, match=said):
        checked(**changes)


def test_an_id_token_is_no_logout_token() -> None:
    with pytest.raises(BadLogoutToken, match="events"):
        checked(events=..., jti=..., nonce="n", auth_time=NOW)
