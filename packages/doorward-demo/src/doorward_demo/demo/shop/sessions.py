"""Sessions and pending sign-ins of this app, in memory; the browser holds only a random id."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from msgspec import Struct, field

from doorward_demo.demo import clock_and_random
from doorward_demo.demo.id_token import IdToken

_MOST: Final = 1000
_PENDING_FOR: Final = 1800
"""Seconds within which a sign-in must be completed: the same time as on the server."""


class Pending(Struct, frozen=True):
    """A pending sign-in of this browser: the values that check its answer. `back` is the page that it leads to."""

    state: str
    nonce: str
    verifier: str
    expires_at: float
    back: str = "/"


class Session(Struct, kw_only=True):
    """One signed-in browser. Tokens stay here; `csrf` is the secret of this session's forms."""

    who: IdToken
    id_token: str
    access_token: str
    access_expires_at: float
    refresh_token: str | None
    scopes: frozenset[str]
    csrf: str
    refreshes: int = 0
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """A bounded store: the least recently used entry is dropped first, so that no client can fill the memory."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._pending: OrderedDict[tuple[str, str], Pending] = OrderedDict()

    def begin(self, browser: str | None, pending: Pending) -> str:
        """Store a sign-in. Returns the id for the browser's cookie: its tabs share one, and each has its own `state`."""
        browser = browser or clock_and_random.token()
        self._pending[browser, pending.state] = pending
        _bound(self._pending)
        return browser

    def take_pending(self, browser: str | None, state: str | None, now: float) -> Pending | None:
        """Take the sign-in that this browser began, once: an answer cannot be used twice."""
        pending = self._pending.pop((browser, state), None) if browser and state else None
        return pending if pending is not None and now < pending.expires_at else None

    def add(self, session: Session) -> str:
        """Add a session with a new id for every sign-in, so that an id planted by an attacker is never signed
        in (session fixation)."""
        key = clock_and_random.token()
        self._sessions[key] = session
        _bound(self._sessions)
        return key

    def get(self, key: str | None) -> Session | None:
        """The session of a browser."""
        session = self._sessions.get(key) if key else None
        if session is not None and key:
            self._sessions.move_to_end(key)
        return session

    def remove(self, key: str | None) -> None:
        """Sign this browser out."""
        if key:
            self._sessions.pop(key, None)

    def end(self, *, sid: str | None, sub: str | None) -> int:
        """End one session, or all sessions of a person, on the server's request. Returns how many were open here."""
        gone = [
            key
            for key, session in self._sessions.items()
            if (session.who.sid == sid if sid is not None else session.who.sub == sub)
        ]
        for key in gone:
            del self._sessions[key]
        return len(gone)


def pending(now: float, back: str = "/") -> Pending:
    """A new sign-in with random state, nonce and code_verifier."""
    token = clock_and_random.token
    return Pending(token(), token(), token(), now + _PENDING_FOR, back)


def _bound(kept: OrderedDict[str, Session] | OrderedDict[tuple[str, str], Pending]) -> None:
    while len(kept) > _MOST:
        kept.popitem(last=False)
