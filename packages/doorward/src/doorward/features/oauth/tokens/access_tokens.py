"""Reader of this server's own access tokens, which come back to it: for introspection, userinfo, an exchange."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, final

from doorward.core.ports.keys import TokenSigner
from doorward.features.oauth.tokens.rules import own_token
from doorward_verify.keyset import KeySet

HALF: Final = 1024
"""Tokens in each half of the cache."""


@final
class AccessTokenReader:
    """Verifies the signature of a token when it first comes. An API that introspects sends the same token with each request, and the
    verification is the most expensive part of the answer.

    Only accepted tokens are kept, by their SHA-256, so that nobody without one evicts others. When the recent half is full it becomes the
    older half, and the older half is dropped. All are dropped with the keys that verified them.
    """

    __slots__ = ("_issuer", "_keys", "_older", "_recent", "_signer")

    def __init__(self, *, signer: TokenSigner, issuer: str) -> None:
        self._signer = signer
        self._issuer = issuer
        self._keys: KeySet | None = None
        self._recent: dict[bytes, Mapping[str, Any]] = {}
        self._older: dict[bytes, Mapping[str, Any]] = {}

    def claims(self, token: str, now: int) -> Mapping[str, Any] | None:
        """The claims when signature, type, issuer and lifetime are valid, else None. The lifetime is checked at each call; revocation is
        not checked here."""
        keys = self._signer.keys()
        if keys is not self._keys:
            self._keys, self._recent, self._older = keys, {}, {}
        mark = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._recent.get(mark) or self._older.get(mark)
        if known is not None:
            return known if known["exp"] > now else None
        said = own_token.claims(token, keys, issuer=self._issuer, now=now)
        if said is not None:
            if len(self._recent) >= HALF:
                self._older, self._recent = self._recent, {}
            self._recent[mark] = said
        return said
