"""Notification of apps that a session has ended (OpenID Connect Back-Channel Logout 1.0, R76): the token, and the wait for the first try."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from msgspec import Struct, field

from doorward.core.errors import StoreUnavailable
from doorward.core.model.message import LogoutNotice
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.logout.rules import logout_token as rule
from doorward.storage.sql.store import Store

LONGEST: Final = 2.0
MOST: Final = 200
_SOONEST: Final = 0.05
_LATEST: Final = 0.5


class LogoutToken(Struct, frozen=True, kw_only=True):
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


class FirstTries(Struct, kw_only=True):
    """Waits until each app was told once of ended sessions, or failed to answer, for at most `longest` seconds: a person who goes back to
    an app should find its session ended too. An app that is slow or down holds nobody longer; it is told later."""

    store: Store
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Has the worker of this process look at once."""
    longest: float = LONGEST
    most: int = MOST
    """Sign-outs of this process that wait at a time; further ones are answered at once."""
    waiting: dict[asyncio.Event, frozenset[str]] = field(default_factory=dict[asyncio.Event, frozenset[str]])
    """The sessions of each sign-out that waits."""

    async def of(self, *session_ids: str) -> None:
        """Wait once for the notices of all these sessions, after the commits that ended them."""
        self.woken.set()
        if not session_ids or len(self.waiting) >= self.most:
            return
        event = asyncio.Event()
        self.waiting[event] = frozenset(session_ids)
        try:
            with suppress(TimeoutError, StoreUnavailable):
                async with asyncio.timeout(self.longest):
                    await self._told(session_ids, event)
        finally:
            del self.waiting[event]

    def tried(self, session_id: str) -> None:
        """The worker of this process has tried to tell an app of this session's end."""
        for event, sessions in self.waiting.items():
            if session_id in sessions:
                event.set()

    async def _told(self, session_ids: Iterable[str], event: asyncio.Event) -> None:
        pause = _SOONEST
        while session_ids := [one for one in session_ids if await self.store.messages.untried(one)]:
            # the worker of another process may send it, and sets nothing here
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await event.wait()
            pause = min(2 * pause, _LATEST)
            event.clear()
