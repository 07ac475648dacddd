"""Metadata and keys of one provider: fetched when they are needed, kept for an hour, and used on while the provider is down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, cast, final

from doorward.adapters.http_client import CallFailed, GuardedHttp
from doorward.adapters.logs import logger
from doorward.core.ports.clock import Clock
from doorward.features.authn.providers.provider import ProviderUnavailable
from doorward.features.authn.providers.rules.metadata import (
    BadProviderMetadata,
    ProviderMetadata,
    metadata_url,
    parse_provider_metadata,
)
from doorward.features.authn.providers.services.service import ProviderService
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jwk import InvalidKey
from doorward_verify.keyset import KeySet, parse_jwks

KEPT: Final = 3600
STALE: Final = 86_400
"""Seconds for which documents are used on when the provider gives no new ones (R50)."""
PAUSE: Final = 30
"""Seconds between two attempts: after a failure, and for a key that is not in the set. Anybody can send a token with an unknown key, and must
not be able to have the provider asked each time."""
_log = logger("identity_provider")


@final
class ProviderDocuments:
    """One object for each provider and process."""

    def __init__(
        self,
        *,
        name: str,
        policy: ProviderPolicy,
        service: ProviderService,
        http: GuardedHttp,
        clock: Clock,
        development: bool,
    ) -> None:
        self._name = name
        self._policy = policy
        self._service = service
        self._http = http
        self._clock = clock
        self._development = development
        self._metadata: ProviderMetadata | None = None
        self._metadata_at = 0
        self._keys: KeySet | None = None
        self._keys_at = 0
        self._key_issuers: dict[str, str] = {}
        self._keys_tried_at = -PAUSE
        self._keys_failure = ""
        self._failed_at = -PAUSE
        self._failure = ""
        self._one_at_a_time = asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """The metadata. Raises `ProviderUnavailable`."""
        async with self._one_at_a_time:
            return await self._current_metadata()

    async def keys(self, kid: str | None = None, *, failed: KeySet | None = None) -> KeySet:
        """The keys. For a `kid` that is not among them, and in place of the set `failed` that did not verify a token, they are fetched anew,
        at most once in `PAUSE`. Raises `ProviderUnavailable`."""
        async with self._one_at_a_time:
            now, keys = self._clock.now(), self._keys
            age = now - self._keys_at
            if keys is not None and 0 <= age < KEPT and keys.knows(kid) and keys is not failed:
                return keys
            usable = keys if 0 <= age < STALE else None
            if 0 <= now - self._keys_tried_at < PAUSE:
                if usable is not None:
                    return usable
                raise ProviderUnavailable(self._keys_failure)
            self._keys_tried_at = now
            try:
                self._keys = await self._fetched_keys(await self._current_metadata())
            except ProviderUnavailable as problem:
                self._keys_failure = str(problem)
                _log.warning("identity_provider.failed", provider=self._name, reason=str(problem))
                if usable is None:
                    raise
                return usable
            self._keys_at = now
            return self._keys

    def key_issuer(self, kid: str | None) -> str | None:
        """The member `issuer` of a key in the current set, None if it has none."""
        return self._key_issuers.get(kid or "")

    async def _current_metadata(self) -> ProviderMetadata:
        now, known = self._clock.now(), self._metadata
        age = now - self._metadata_at
        if known is not None and 0 <= age < KEPT:
            return known
        usable = known if 0 <= age < STALE else None
        if 0 <= now - self._failed_at < PAUSE:
            if usable is not None:
                return usable
            raise ProviderUnavailable(self._failure)
        try:
            self._metadata = await self._fetched_metadata()
        except ProviderUnavailable as problem:
            self._failed_at, self._failure = now, str(problem)
            _log.warning("identity_provider.failed", provider=self._name, reason=str(problem))
            if usable is None:
                raise
            return usable
        self._metadata_at = now
        return self._metadata

    async def _fetched_metadata(self) -> ProviderMetadata:
        body = await self._fetched(metadata_url(self._policy.issuer), "metadata")
        try:
            issuer = self._service.metadata_issuer(self._policy)
            return parse_provider_metadata(issuer, body, local=self._development)
        except BadProviderMetadata as problem:
            raise ProviderUnavailable(str(problem)) from None

    async def _fetched_keys(self, metadata: ProviderMetadata) -> KeySet:
        body = await self._fetched(metadata.jwks_uri, "keys")
        try:
            document = json_object(body)
            if "RS256" not in self._policy.signing_algs and "PS256" in self._policy.signing_algs:
                # a key that names no algorithm is for the one that the operator allows
                document = {"keys": [_for_ps256(key) for key in document.get("keys") or ()]}
            found = parse_jwks(metadata.issuer, document)
        except (InvalidKey, Malformed, TypeError) as problem:
            raise ProviderUnavailable(f"its keys cannot be read: {problem}") from None
        if not found.keys:
            raise ProviderUnavailable("its key set has no key for signatures")
        self._key_issuers = dict(_key_issuers(document.get("keys")))
        return found

    async def _fetched(self, url: str, what: str) -> bytes:
        try:
            answer = await self._http.get(url, headers={"accept": "application/json"})
        except CallFailed as problem:
            raise ProviderUnavailable(f"its {what} at {url}: {problem}") from None
        if answer.status != 200:
            raise ProviderUnavailable(f"its {what} at {url}: it answered {answer.status}")
        return answer.body


def _key_issuers(keys: object) -> Iterator[tuple[str, str]]:
    for key in cast("list[object]", keys) if isinstance(keys, list) else ():
        members = cast("dict[str, object]", key) if isinstance(key, dict) else {}
        kid, issuer = members.get("kid"), members.get("issuer")
        if isinstance(kid, str) and isinstance(issuer, str):
            yield kid, issuer


def _for_ps256(key: object) -> object:
    if isinstance(key, dict) and key.get("kty") == "RSA" and "alg" not in key:  # pyright: ignore[reportUnknownMemberType]
        return {**key, "alg": "PS256"}  # pyright: ignore[reportUnknownVariableType]
    return key  # pyright: ignore[reportUnknownVariableType]
