"""Memory of the refresh tokens that this process wrote last, so that the next rotation of each needs no read."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from typing import Final, final

from msgspec import Struct, field

from doorward.core.model.account import Account
from doorward.core.model.grant import Grant, RefreshToken
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken

MOST: Final = 2_000
"""Grants that one process remembers; the one rotated longest ago is dropped."""

Row = tuple[RefreshToken, Grant, Account | None]


@final
class NewestTokens(Struct):
    """What is here may be outdated: another process may have rotated or ended the grant, or changed the person. It is good for one
    purpose, a rotation whose commit fails unless token, grant and person still are as remembered (`SqlGrants.spend_refresh`)."""

    _rows: OrderedDict[str, Row] = field(default_factory=OrderedDict[str, Row])

    def take(self, presented: PresentedRefreshToken) -> Row | None:
        """The row whose newest token is the presented one. It is forgotten, so that one request uses it; others read."""
        row = self._rows.get(presented.grant_id)
        if row is None or not hmac.compare_digest(row[0].hash, presented.hash):
            return None
        return self._rows.pop(presented.grant_id)

    def put(self, token: RefreshToken, grant: Grant, account: Account) -> None:
        """Remember a row as it was committed, without the person's password hash."""
        self._rows[token.grant_id] = (token, grant, account.without_hash())
        self._rows.move_to_end(token.grant_id)
        if len(self._rows) > MOST:
            self._rows.popitem(last=False)
