"""JWK Set of one issuer: RFC 7517 §5."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from doorward_verify.algorithms import ED25519_NAMES
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jwk import InvalidKey, VerifyingKey, parse_public

MAX_JWKS_BYTES: Final = 512 * 1024
MAX_KEYS: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """The keys of one issuer. `kid` is an opaque map key (never a path, query or URL); keys are never used
    across issuers."""

    issuer: str
    keys: tuple[VerifyingKey, ...]
    unusable: tuple[str, ...] = ()
    _named: dict[str, tuple[VerifyingKey, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named: dict[str, tuple[VerifyingKey, ...]] = {}
        for key in self.keys:
            named[key.kid] = (*named.get(key.kid, ()), key)
        object.__setattr__(self, "_named", named)

    def knows(self, kid: str | None) -> bool:
        """Whether a key with this `kid` is present (without a `kid`: any key)."""
        return bool(self.keys) if kid is None else kid in self._named

    def find(self, kid: str | None, alg: str) -> VerifyingKey | None:
        """Return the one key with this `kid` whose own algorithm is `alg`. Without a `kid`: only when exactly
        one key fits."""
        candidates = self.keys if kid is None else self._named.get(kid, ())
        fitting = [key for key in candidates if same_algorithm(key.alg, alg)]
        if len({key.thumbprint for key in fitting}) != 1:  # no match, or an ambiguous `kid`: do not guess
            return None
        return fitting[0]

    def same_as(self, other: "KeySet") -> bool:
        """Whether both contain the same keys with the same `kid` and algorithm."""
        return self.issuer == other.issuer and _identity(self) == _identity(other)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JWK Set to publish: public members only."""
        return {"keys": [key.public_jwk() for key in self.keys]}


def parse_jwks(issuer: str, document: bytes | Mapping[str, Any]) -> KeySet:
    """Parse a JWK Set published by `issuer`, RFC 7517 §5. Raises `InvalidKey` when it is no JWK Set or too big.

    An unusable key (encryption, unknown type, off its curve, symmetric) is left out, with its reason in `unusable`: a
    key of a future type must not disable the present ones.
    """
    if isinstance(document, bytes):
        if len(document) > MAX_JWKS_BYTES:
            raise InvalidKey(f"the key set is bigger than {MAX_JWKS_BYTES} bytes")
        try:
            document = json_object(document)
        except Malformed as error:
            raise InvalidKey(f"the key set is {error}") from None
    listed: object = document.get("keys")
    if not isinstance(listed, list):
        raise InvalidKey("the key set has no list of keys")
    entries = cast("list[object]", listed)
    if len(entries) > MAX_KEYS:
        raise InvalidKey(f"the key set has more than {MAX_KEYS} keys")
    keys: list[VerifyingKey] = []
    unusable: list[str] = []
    for position, entry in enumerate(entries):
        try:
            if not isinstance(entry, Mapping):
                raise InvalidKey("not a JSON object")
            keys.append(parse_public(cast("Mapping[str, Any]", entry)))
        except InvalidKey as error:
            unusable.append(f"key {position}: {error}")
    return KeySet(issuer, tuple(keys), tuple(unusable))


def key_set(issuer: str, keys: Iterable[VerifyingKey]) -> KeySet:
    """Build a key set from keys in memory."""
    return KeySet(issuer, tuple(keys))


def same_algorithm(one: str, other: str) -> bool:
    """Whether two names mean the same algorithm (RFC 9864 gave Ed25519 a second name)."""
    return one == other or (one in ED25519_NAMES and other in ED25519_NAMES)


def _identity(keys: KeySet) -> frozenset[tuple[str, str, str]]:
    return frozenset((key.kid, key.alg, key.thumbprint) for key in keys.keys)
