"""Keys of trusted issuers: pinned, or fetched when they are needed, kept as long as the answer says, and used on while the issuer is
down (OpenID Connect Discovery 1.0 §4, RFC 8414 §3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, final
from urllib.parse import urlsplit

from msgspec import Struct, field

from doorward.adapters.http_client import CallFailed, GuardedHttp
from doorward.adapters.logs import logger
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.core.ports.clock import Clock
from doorward.features.oauth.clients.rules import key_strength
from doorward.features.oauth.grants.jwt_bearer.rules.key_documents import (
    BadIssuerDocument,
    discovery_url,
    jwks_uri_of,
    kept_for,
    keys_of,
)
from doorward_verify.jwk import InvalidKey
from doorward_verify.keyset import KeySet, key_set, parse_jwks

STALE: Final = 86_400
"""Seconds for which keys are used on when the issuer gives no new ones."""
PAUSE: Final = 30
"""Seconds between two attempts: after a failure, and for a key that is not in the set. Anybody can send a token with an unknown key, and must
not be able to have the issuer asked each time."""
TIMEOUT: Final = 10
"""Seconds for one call."""
MOST: Final = 500
"""Issuers whose keys one process keeps."""
_log = logger("trusted_issuer")

MakeHttp = Callable[[TrustedIssuer], GuardedHttp]


class IssuerUnavailable(Exception):
    """There are no keys of this issuer. The text is safe to log."""


class _Known(Struct, kw_only=True):
    revision: int
    http: GuardedHttp | None = None
    keys: KeySet | None = None
    got_at: int = 0
    kept: int = 0
    tried_at: int | None = None
    failure: str = ""
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


@final
class IssuerKeys:
    """The key sets of one process. A change of an issuer makes it forget that issuer's."""

    def __init__(self, *, clock: Clock, http: MakeHttp) -> None:
        self._clock = clock
        self._http = http
        self._known: dict[str, _Known] = {}

    async def of(self, issuer: TrustedIssuer, kid: str | None = None) -> KeySet:
        """The keys. For a `kid` that is not among them they are fetched anew, at most once in `PAUSE`. Raises `IssuerUnavailable`."""
        known = self._known.get(issuer.id)
        if known is None or known.revision != issuer.revision:
            known = await self._begin(issuer, known)
        if issuer.jwks is not None:
            if known.keys is None:
                known.keys = _pinned(issuer)
            return known.keys
        # before the lock: nobody waits for a fetch that somebody else's unknown key has caused
        if (kept := self._kept(known, kid)) is not None:
            return kept
        async with known.one_at_a_time:
            return await self._current(issuer, known, kid)

    async def close(self) -> None:
        """Close the clients."""
        for known in self._known.values():
            if known.http is not None:
                await known.http.close()

    async def _begin(self, issuer: TrustedIssuer, old: _Known | None) -> _Known:
        known = _Known(revision=issuer.revision)
        dropped = [] if old is None else [old]
        if old is None and len(self._known) >= MOST:
            dropped.append(self._known.pop(next(iter(self._known))))
        self._known[issuer.id] = known
        for one in dropped:
            if one.http is not None and not one.one_at_a_time.locked():
                await one.http.close()
        return known

    def _kept(self, known: _Known, kid: str | None) -> KeySet | None:
        fresh = 0 <= self._clock.now() - known.got_at < known.kept
        return known.keys if fresh and known.keys is not None and known.keys.knows(kid) else None

    async def _current(self, issuer: TrustedIssuer, known: _Known, kid: str | None) -> KeySet:
        if (kept := self._kept(known, kid)) is not None:
            return kept
        now = self._clock.now()
        usable = known.keys if 0 <= now - known.got_at < STALE else None
        if known.tried_at is not None and 0 <= now - known.tried_at < PAUSE:
            if usable is not None:
                return usable
            raise IssuerUnavailable(known.failure)
        known.tried_at = now
        try:
            if known.http is None:
                known.http = self._http(issuer)
            known.keys, known.kept = await self._fetched(issuer, known.http)
        except (BadIssuerDocument, CallFailed, IssuerUnavailable) as problem:
            known.failure = str(problem)
            _log.warning("trusted_issuer.failed", issuer=issuer.name, reason=known.failure)
            if usable is None:
                raise IssuerUnavailable(known.failure) from None
            return usable
        known.got_at, known.failure = now, ""
        return known.keys

    async def _fetched(self, issuer: TrustedIssuer, http: GuardedHttp) -> tuple[KeySet, int]:
        url = issuer.jwks_uri
        if url is None:
            discovery = discovery_url(issuer.issuer)
            body, _ = await _document(http, discovery, "its metadata")
            url = jwks_uri_of(issuer.issuer, body)
        body, cache_control = await _document(http, url, "its keys")
        return keys_of(issuer.issuer, body), kept_for(cache_control)


async def _document(http: GuardedHttp, url: str, what: str) -> tuple[bytes, str]:
    try:
        answer = await http.get(url, headers={"accept": "application/json, application/jwk-set+json"})
    except CallFailed as problem:
        raise IssuerUnavailable(f"{what} at {url}: {problem}") from None
    if answer.status != 200:
        raise IssuerUnavailable(f"{what} at {url}: it answered {answer.status}")
    return answer.body, answer.cache_control


def _pinned(issuer: TrustedIssuer) -> KeySet:
    try:
        found = parse_jwks(issuer.issuer, issuer.jwks or {})
    except InvalidKey as problem:
        raise IssuerUnavailable(f"its pinned keys: {problem}") from None
    return key_set(issuer.issuer, (key for key in found.keys if key_strength.broken(key) is None))


def named_hosts(issuer: TrustedIssuer) -> frozenset[str]:
    """The hosts that the operator has named: they may have private addresses, as a cluster's own API server has. A host that only the
    issuer's metadata name must be public (decision 0089)."""
    urls = (issuer.issuer, issuer.jwks_uri or "")
    return frozenset(host for url in urls if (host := urlsplit(url).hostname))
