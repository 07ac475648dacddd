"""Claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4, R76)."""

from __future__ import annotations

from typing import Any, Final

from doorward.core.model.message import ALL_SESSIONS, LogoutNotice

TYP: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE: Final = 120
"""Lifetime in seconds: ASVS 10.5.5 allows two minutes at most; each delivery attempt uses a new token."""


def claims(notice: LogoutNotice, *, issuer: str, now: int, unique: str) -> dict[str, Any]:
    """The payload: sub, the sid unless all sessions ended, the event, and never a nonce, so that it cannot be used as an ID token (§2.4)."""
    said: dict[str, Any] = {
        "iss": issuer,
        "sub": notice.account_id,
        "aud": notice.client_id,
        "iat": now,
        "exp": now + LIFE,
        "jti": unique,
        "events": {EVENT: {}},
    }
    return said if notice.session_id == ALL_SESSIONS else {**said, "sid": notice.session_id}
