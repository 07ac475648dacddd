"""Limits for individually revoked tokens, above which one entry covers all of them (ASVS 2.4.1, R93).

Every API stores every entry, and access tokens are free: one refresh token yields any number of them. So one sign-in or one app can
add only a limited number of entries to the view. Above the limit revocation is not refused; one entry revokes more tokens than
requested.
"""

from __future__ import annotations

from typing import Final

from doorward.core.model.revocation import Revocation
from doorward.features.sessions.rules.revocation import MARGIN

OF_GRANT: Final = 20
"""Unexpired entries for single access tokens of one grant; the next revocation ends the grant, by one entry for all its tokens."""

OF_APP: Final = 200
"""The same for the tokens that an app got for itself (client_credentials); the next revocation ends all of them by one entry."""


def of_all_until_now(client_id: str, *, iat: int, now: int, life: int) -> Revocation:
    """One entry for every token of an app that was issued before this second, and for the one issued at `iat`. `life` comes from
    `longest_living`. Tokens issued later are valid, unless `iat` is this very second, whose tokens all end."""
    before = max(iat, now - 1)
    return Revocation(kind="client", ref=client_id, at=now, expires_at=before + life + MARGIN, before=before)
