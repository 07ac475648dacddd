"""Validation of access token claims: RFC 9068 §2.2 and §4, RFC 7519 §4.1, RFC 8693 §4.1."""

from functools import lru_cache
from math import ceil, floor
from typing import Annotated, Any, Final

from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType, ValidationError, convert
from msgspec.json import Decoder, Encoder

from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import SAFE_INTEGER, json_object
from doorward_verify.principal import Principal, TokenActor

MAX_LEEWAY: Final = 60
ACCESS_TOKEN_TYPES: Final = frozenset({"at+jwt"})

Text = Annotated[str, Meta(min_length=1)]
Seconds = Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]


class AccessClaims(Struct, frozen=True, gc=False):
    """The claims that have a meaning here, in the order in which Doorward writes them. RFC 9068 §2.2 says
    which are required."""

    iss: Text
    sub: Text
    aud: Text | list[str]
    client_id: Text
    iat: Seconds
    exp: Seconds
    jti: Text
    scope: str | UnsetType = UNSET
    roles: tuple[str, ...] | UnsetType = UNSET
    permissions: tuple[str, ...] | UnsetType = UNSET
    auth_time: Seconds | UnsetType = UNSET
    acr: str | UnsetType = UNSET
    amr: tuple[str, ...] | UnsetType = UNSET
    sid: str | UnsetType = UNSET
    act: TokenActor | UnsetType = UNSET
    may_act: dict[str, Any] | UnsetType = UNSET
    nbf: Seconds | UnsetType = UNSET
    cnf: Any = UNSET


class AccessRules(Struct, frozen=True):
    """The requirements of one API. No field has a default that could accept more (RFC 8725 §3.1, §3.8, §3.9)."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    leeway: int


class Verified(Struct, frozen=True, gc=False):
    """The result for an accepted token: its principal, and from when until when (exclusive) the result may be reused."""

    principal: Principal
    since: int
    until: int


_decode = Decoder(AccessClaims).decode
_encode = Encoder().encode
_NOTHING: Final[frozenset[str]] = frozenset()
_GRANTED_SETS: Final = 256


def judge(payload: bytes, rules: AccessRules, now: float) -> Verified:
    """Validate the payload of a token whose signature is valid, at `now` (seconds). Raises `AuthError` or `Malformed`."""
    try:
        claims = _decode(payload)
        # Where the payload is byte for byte what Doorward would write, no claim is duplicated or unknown, and nothing is
        # left to check.
        if _encode(claims) != payload:
            claims = _read_in_full(payload)
    except (DecodeError, ValueError, RecursionError):
        claims = _read_in_full(payload)  # gives the exact reason
    if claims.iss != rules.issuer:
        raise AuthError("issuer", "the token is of another issuer")
    aud = claims.aud
    if aud != rules.audience and (type(aud) is str or rules.audience not in aud):
        raise AuthError("audience", "the token is for another audience")
    leeway = rules.leeway
    until = claims.exp + leeway
    if now >= until:
        raise AuthError("expired", "the token has expired")
    # A token issued in the future would escape every `before` of the revocation view.
    since = claims.iat - leeway
    if claims.nbf is not UNSET and claims.nbf - leeway > since:
        since = claims.nbf - leeway
    if now < since:
        raise AuthError("not_yet_valid", "the token is not valid yet")
    if claims.cnf is not UNSET:
        # RFC 9449 §7, RFC 8705 §3: accepting it as a bearer token would drop its key binding
        raise AuthError("sender_constrained", "the token is bound to a key")
    scopes, roles, permissions = _granted(claims.scope, claims.roles, claims.permissions)
    acr = claims.acr
    amr = claims.amr
    auth_time = claims.auth_time
    sid = claims.sid
    principal = Principal(
        claims.sub,
        claims.client_id,
        scopes,
        roles,
        permissions,
        None if acr is UNSET else acr,
        () if amr is UNSET else amr,
        None if auth_time is UNSET else auth_time,
        None if sid is UNSET else sid,
        claims.jti,
        claims.iat,
        claims.exp,
        payload,
        None if claims.act is UNSET else claims.act,
    )
    return Verified(principal, since, until)


@lru_cache(_GRANTED_SETS)
def _granted(
    scope: str | UnsetType, roles: tuple[str, ...] | UnsetType, permissions: tuple[str, ...] | UnsetType
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The three sets. Most tokens of an API have the same few; those of the last 256 combinations are kept."""
    return (
        frozenset(scope.split()) if scope else _NOTHING,
        frozenset(roles) if roles else _NOTHING,
        frozenset(permissions) if permissions else _NOTHING,
    )


def _read_in_full(payload: bytes) -> AccessClaims:
    members = json_object(payload)
    _round_dates(members)
    try:
        return convert(members, AccessClaims)
    except ValidationError as error:
        # the decoder's message names the claim and the expected type, never the value
        raise AuthError("claims", f"a claim is missing or of the wrong type: {error}") from None


def _round_dates(members: dict[str, Any]) -> None:
    # RFC 7519 §2 allows fractions in a NumericDate. Rounding makes the token's life shorter, never longer.
    for name, whole in (("exp", floor), ("nbf", ceil), ("iat", floor), ("auth_time", floor)):
        value: object = members.get(name)
        if type(value) is float and 0 <= value <= SAFE_INTEGER:
            members[name] = whole(value)
