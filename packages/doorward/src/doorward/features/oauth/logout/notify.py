"""Notification of apps that a session has ended (OpenID Connect Back-Channel Logout 1.0, R76): the token, and the wait for the first try."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from doorward.core.errors import StoreUnavailable
from doorward.core.model.message import LogoutNotice
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.logout.rules import logout_token as rule
from doorward.storage.sql.store import Store

LONGEST: Final = 2.0
_EVERY: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """Makes logout tokens for the outbox, which delivers them when they are due."""

    config: ConfigSource
    signer: TokenSigner
    random: SecureRandom
    issuer: str

    def make(self, notice: LogoutNotice, *, now: int) -> tuple[str, str] | None:
        """(URI to POST to, logout token), or None if the app was deleted or has no notification URI any more."""
        client = self.config.current().clients.get(notice.client_id)
        if client is None or client.backchannel_logout_uri is None:
            return None
        said = rule.claims(notice, issuer=self.issuer, now=now, unique=self.random.token(16))
        token = self.signer.sign(said, typ=rule.TYP, alg=client.id_token_signed_alg)
        return client.backchannel_logout_uri, token


@dataclass(slots=True, kw_only=True)
class FirstTries:
    """Waits until each app was told once of an ended session, or failed to answer, for at most `longest` seconds: a person who goes back to
    an app should find its session ended too. An app that is slow or down holds nobody longer; it is told later."""

    store: Store
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Has the worker of this process look at once."""
    longest: float = LONGEST

    async def of(self, session_id: str) -> None:
        """Wait for the notices of one session, after the commit that ended it."""
        self.woken.set()
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(self.longest):
                while await self.store.messages.untried(session_id):  # noqa: ASYNC110 - any process may send it
                    await asyncio.sleep(_EVERY)
