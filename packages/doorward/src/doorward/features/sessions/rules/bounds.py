"""How many single tokens may be revoked one by one before one entry stands for all of them (ASVS 2.4.1, line 93).

Every API holds every entry. Access tokens cost nothing to get: the same refresh token yields any number of them. So what one
sign-in or one app can put into the view has a limit; beyond it nothing is refused, one entry ends more than was asked for.
"""

from __future__ import annotations

from typing import Final

from doorward.core.model.revocation import Revocation
from doorward.features.sessions.rules.ending import MARGIN

OF_GRANT: Final = 20
"""Unexpired entries for single access tokens of one grant; with the next one the grant ends, by one entry for all its tokens."""

OF_APP: Final = 200
"""The same for the tokens that an app got for itself (client_credentials); with the next one, all of them end by one entry."""


def of_all_until_now(client_id: str, *, iat: int, now: int, life: int) -> Revocation:
    """One entry for every token of an app that was issued before this second, and for the one issued at `iat`. `life` as of
    `longest_living`. What the app is given from now on holds, unless `iat` is this very second, which then ends with it."""
    before = max(iat, now - 1)
    return Revocation(kind="client", ref=client_id, at=now, expires_at=before + life + MARGIN, before=before)
