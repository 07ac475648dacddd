"""What an app is told when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.4, line 76)."""

from __future__ import annotations

from typing import Any, Final

from doorward.core.model.message import LogoutNotice

TYP: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE: Final = 120
"""Seconds: ASVS 10.5.5 allows two minutes at most; the token is made anew for each try to deliver it."""


def claims(notice: LogoutNotice, *, issuer: str, now: int, unique: str) -> dict[str, Any]:
    """The payload: sub and sid, the event, and never a nonce, so that it cannot pass for an ID token (§2.4)."""
    return {
        "iss": issuer,
        "sub": notice.account_id,
        "aud": notice.client_id,
        "iat": now,
        "exp": now + LIFE,
        "jti": unique,
        "sid": notice.session_id,
        "events": {EVENT: {}},
    }
