"""Did the app sign this assertion, for us, now? (private_key_jwt: RFC 7523 §3 as revised by RFC 7523bis, RFC 7521 §5.2)"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.json import encode

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.features.oauth.client_auth.rules.presented import FAILED, Presented
from doorward.features.oauth.clients.rules import key_strength
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.jwk import InvalidKey
from doorward_verify.jws import verify
from doorward_verify.keyset import KeySet, key_set, parse_jwks
from doorward_verify.refused import Refused

METADATA: Final = ("private_key_jwt",)
ALGORITHMS: Final = ("ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA")
AHEAD: Final = 30
"""How many seconds the app's clock may run before ours: 10 must be accepted, 60 must not be passed (FAPI 2.0 §5.3.2.1)."""
_TYPES: Final = frozenset({"", "jwt", "client-authentication+jwt"})

_Date = Annotated[float, Meta(ge=0, le=2.0**53)]


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: Any
    exp: _Date
    jti: Annotated[str, Meta(min_length=1, max_length=256)]
    iat: _Date | None = None
    nbf: _Date | None = None


class Assertion(Struct, frozen=True):
    """An assertion that holds, if nobody has used its `jti` before; that must be remembered until `remember_until`."""

    jti: str
    remember_until: int


def check(
    presented: Presented, client: Client, *, issuer: str, max_age: int, now: int
) -> Assertion | Refusal:
    """Judge signature and claims (lines 22 and 23). The caller claims the `jti`; `max_age` (seconds) bounds how long an
    assertion may be used after it was made, whatever its `exp` says."""
    if presented.assertion is None or client.jwks is None:
        return _no("there is no assertion, or no key is registered")
    try:
        keys = _keys(client.id, encode(client.jwks))
        signed = verify(presented.assertion.reveal(), keys, algorithms=ALGORITHMS, types=_TYPES)
        claims = convert(json_object(signed.payload), _Claims)
    except (InvalidKey, Malformed, Refused) as no:
        return _no(str(no))
    except ValidationError as no:
        return _no(f"a claim is missing or of the wrong type: {no}")
    if claims.iss != client.id or claims.sub != client.id:
        return _no("iss and sub must both be the client_id")
    # The issuer and nobody else: with a second name in the list, or a token endpoint's URL, another server could be made to
    # collect assertions that work here (audience injection, RFC 7523bis §3). A list of one says the same as the string.
    if claims.aud not in (issuer, [issuer]):
        return _no(f"aud must be {issuer!r}, or a list of it alone")
    if claims.exp <= now:
        return _no("it has expired")
    if max(claims.iat or 0, claims.nbf or 0) > now + AHEAD:
        return _no(f"iat or nbf lies more than {AHEAD} s ahead")
    made_at = min(claims.iat, now) if claims.iat is not None else now
    if claims.iat is not None and now > made_at + max_age:
        return _no(f"it was made more than {max_age} s ago")
    if claims.iat is None and claims.exp > now + max_age + AHEAD:
        return _no(f"it has no iat and lives longer than {max_age} s")
    # From then on its age, or its exp, refuses it whoever remembers the jti.
    return Assertion(claims.jti, int(min(claims.exp, made_at + max_age)) + AHEAD + 1)


@lru_cache(maxsize=1024)
def _keys(client_id: str, jwks: bytes) -> KeySet:
    """Parsed once per registered key set; parsing checks that points are on their curve, which costs more than a signature. A key
    whose private half anybody can find proves nothing, however long it has been registered. Raises `InvalidKey`."""
    parsed = parse_jwks(client_id, jwks)
    reasons = [reason for key in parsed.keys if (reason := key_strength.broken(key)) is not None]
    if reasons and len(reasons) == len(parsed.keys):
        raise InvalidKey(f"no registered key can be used: {reasons[0]}")
    return key_set(client_id, (key for key in parsed.keys if key_strength.broken(key) is None))


def _no(because: str) -> Refusal:
    return Refusal("invalid_client", FAILED, f"client assertion: {because}")
