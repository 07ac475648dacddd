"""Signing keys and token signatures (RFC 7515, RFC 7517, RFC 7518); the keys come from the configuration snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast, final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from doorward.core.model.client import SigningAlgorithm
from doorward.core.model.config_snapshot import RSA_BITS, StoredSigningKey
from doorward.core.ports.keys import Sealer
from doorward_verify import jwk, jws
from doorward_verify.keyset import KeySet, key_set

PURPOSE: Final = "signing key"
PUBLISHED = frozenset({"next", "current", "previous"})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@final
class SealedKeyMaker:
    """`KeyMaker`: the private half leaves this class only sealed under the row's id."""

    __slots__ = ("_sealer",)

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def make(self, key_id: str, alg: SigningAlgorithm, now: int) -> StoredSigningKey:
        """A new key in state `next`; its `kid` is its id. RSA keys have 2048 bits (NIST SP 800-57 Part 1 §5.6.1): they
        sign ID tokens, which are valid for minutes, and with 3072 bits each signature would cost three times as much.
        """
        key: jwk.PrivateKey
        if alg == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        elif alg == "RS256":
            key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        else:
            key = ed25519.Ed25519PrivateKey.generate()
        made = jwk.signing_key(key, alg=alg, kid=key_id)
        return StoredSigningKey(
            id=key_id,
            alg=alg,
            state="next",
            public_jwk=cast("dict[str, Any]", made.public_jwk()),
            sealed=self._sealer.seal(PURPOSE, key_id, _encode(made.private_jwk())),
            created_at=now,
        )


@final
class SnapshotSigner:
    """`Signer` with the keys of the configuration snapshot. A header is encoded once for each key and type."""

    __slots__ = ("_current", "_heads", "_issuer", "_keys", "_known", "_opened", "_retired", "_sealer")

    def __init__(self, *, issuer: str, sealer: Sealer) -> None:
        self._issuer = issuer
        self._sealer = sealer
        self._known: tuple[StoredSigningKey, ...] = ()
        self._opened: dict[str, jwk.SigningKey] = {}
        self._current: dict[str, jwk.SigningKey] = {}
        self._heads: dict[tuple[str, str], jws.Signer] = {}
        self._keys: KeySet = key_set(issuer, ())
        self._retired: KeySet | None = None

    def sign(self, claims: dict[str, Any], *, typ: str, alg: SigningAlgorithm = "ES256") -> str:
        """A compact JWS under the current key of `alg`. Raises KeyError when there is none."""
        signer = self._heads.get((alg, typ))
        if signer is None:
            signer = self._heads[alg, typ] = jws.Signer(self._current[alg], typ)
        return signer.sign(_encode(claims))

    def jwks(self) -> dict[str, Any]:
        """The public keys in the states next, current and previous (R52, R53)."""
        return dict(self._keys.jwks())

    def keys(self) -> KeySet:
        """The same keys in the form used for verification."""
        return self._keys

    def retired_keys(self) -> KeySet:
        """Parsed at first use: few requests need them, and each rotation adds one."""
        if self._retired is None:
            old = (key for key in self._known if key.state == "retired")
            self._retired = key_set(self._issuer, [jwk.parse_public(key.public_jwk) for key in old])
        return self._retired

    def install(self, keys: Sequence[StoredSigningKey]) -> None:
        """Replace the keys by the snapshot's. Only current keys are opened. Raises ValueError, and changes nothing, when
        one was sealed under another secret key."""
        known = tuple(keys)
        if known == self._known:
            return
        current: dict[str, jwk.SigningKey] = {}
        for key in known:
            if key.state == "current":
                current[key.alg] = self._opened.get(key.id) or self._open(key)
        public = [jwk.parse_public(key.public_jwk) for key in known if key.state in PUBLISHED]
        self._known = known
        self._opened = {key.kid: key for key in current.values()}
        self._current = current
        self._heads = {}
        self._keys = key_set(self._issuer, public)
        self._retired = None

    def _open(self, key: StoredSigningKey) -> jwk.SigningKey:
        return jwk.parse_private(_decode(self._sealer.open(PURPOSE, key.id, key.sealed)))
