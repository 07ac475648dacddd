"""Signing, sealing, and keyed hashes with the server's own secrets, which callers can use but not read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import StoredSigningKey
from doorward_verify.keyset import KeySet


class TokenSigner(Protocol):
    """Signs with the current key of an algorithm. Synchronous: 25 µs of ES256 cost less than a thread."""

    def sign(self, claims: dict[str, Any], *, typ: str, alg: SigningAlgorithm = "ES256") -> str:
        """A compact JWS (RFC 7515 §3.1) with `alg`, `kid`, `typ`. Raises KeyError when there is no current key for `alg`."""
        ...

    def jwks(self) -> dict[str, Any]:
        """The public JWK Set: next, current and previous keys; never a private member (R53)."""
        ...

    def keys(self) -> KeySet:
        """The public keys for `doorward_verify`, to verify our own tokens (userinfo, id_token_hint)."""
        ...

    def retired_keys(self) -> KeySet:
        """The public keys that were rotated out, never a revoked one: for hints that are older than the published set."""
        ...

    def install(self, keys: Sequence[StoredSigningKey]) -> None:
        """Replace the keys by those of the configuration snapshot."""
        ...


class KeyMaker(Protocol):
    """Makes new signing keys with a sealed private half."""

    def make(self, key_id: str, alg: SigningAlgorithm, now: int) -> StoredSigningKey: ...


class Sealer(Protocol):
    """AES-256-GCM under keys derived from the server's secret key; `context` is authenticated (the row's id), so that a sealed
    value cannot be moved to another row."""

    def seal(self, purpose: str, context: str, clear: bytes) -> bytes: ...
    def open(self, purpose: str, context: str, sealed: bytes) -> bytes:
        """Raises ValueError when it was not sealed for this purpose and context."""
        ...

    def seal_under(self, secret: str, purpose: str, clear: bytes) -> bytes:
        """Sealed so that opening needs both the server's secret key and `secret`, which is not stored."""
        ...

    def open_under(self, secret: str, purpose: str, sealed: bytes) -> bytes:
        """Raises ValueError when it was not sealed under this secret for this purpose."""
        ...

    def tag(self, purpose: str, text: str) -> str:
        """A keyed hash (HMAC-SHA-256, base64url): CSRF tokens, throttle buckets."""
        ...
