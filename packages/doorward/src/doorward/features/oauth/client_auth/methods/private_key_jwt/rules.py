"""private_key_jwt: a fresh assertion signed by the app for this server (RFC 7523 §3 as revised by RFC 7523bis, RFC 7521 §5.2)."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, final

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.json import encode

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.core.model.token_request import TokenRequest
from doorward.features.oauth.client_auth.method import FAILED, MAX_TEXT, Presented, SingleUse
from doorward.features.oauth.clients.rules import key_strength
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, b64url_decode, json_object
from doorward_verify.jwk import InvalidKey
from doorward_verify.jws import verify
from doorward_verify.keyset import KeySet, key_set, parse_jwks

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AHEAD: Final = 30
"""Seconds that the app's clock may be ahead of ours: 10 must be accepted, 60 must not be exceeded (FAPI 2.0 §5.3.2.1)."""
_TYPES: Final = frozenset({"", "jwt", "client-authentication+jwt"})
_MAX_ASSERTION: Final = 16_384

_Date = Annotated[float, Meta(ge=0, le=2.0**53)]


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: Any
    exp: _Date
    jti: Annotated[str, Meta(min_length=1, max_length=256)]
    iat: _Date | None = None
    nbf: _Date | None = None


@final
class PrivateKeyJwt:
    """An app with a registered key set signs an assertion of its identity."""

    __slots__ = ()
    name: ClassVar[str] = "private_key_jwt"
    scheme: ClassVar[str | None] = None
    credentials: ClassVar[tuple[str, ...]] = ("client_assertion",)
    algorithms: ClassVar[tuple[str, ...]] = ("ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519", "EdDSA")

    def read(self, request: TokenRequest) -> Presented | OAuthError | None:
        """The assertion, and the app that it names."""
        form = request.form
        if "client_assertion" not in form and "client_assertion_type" not in form:
            return None
        if form.get("client_assertion_type") != JWT_BEARER:
            return OAuthError("invalid_request", f"client_assertion_type must be {JWT_BEARER}.")
        assertion = form.get("client_assertion", "")
        subject = _subject(assertion)
        if subject is None:
            return OAuthError("invalid_client", FAILED, "the client assertion is not a JWT with a subject")
        # RFC 7521 §4.2: client_id is optional, and must name the same client if present.
        if form.get("client_id", subject) != subject:
            return OAuthError("invalid_client", FAILED, "client_id differs from the assertion's subject")
        return Presented("private_key_jwt", subject, assertion=Secret(assertion))

    def verify(
        self, presented: Presented, client: Client, request: TokenRequest, *, issuer: str, policy: TokenPolicy
    ) -> SingleUse | OAuthError:
        """Check signature and claims (R22, R23). `policy.assertion_max_age` (seconds) limits how long an assertion may be used after it
        was made, whatever its `exp` says."""
        now, max_age = request.now, policy.assertion_max_age
        if presented.assertion is None or client.jwks is None:
            return _no("there is no assertion, or no key is registered")
        try:
            keys = _keys(client.id, encode(client.jwks))
            signed = verify(presented.assertion.reveal(), keys, algorithms=self.algorithms, types=_TYPES)
            claims = convert(json_object(signed.payload), _Claims)
        except (InvalidKey, Malformed, AuthError) as no:
            return _no(str(no))
        except ValidationError as no:
            return _no(f"a claim is missing or of the wrong type: {no}")
        if claims.iss != client.id or claims.sub != client.id:
            return _no("iss and sub must both be the client_id")
        # The issuer alone: with a second name in the list, or the URL of a token endpoint, an attacker could make another server
        # collect assertions that are valid here (audience injection, RFC 7523bis §3). A list with one member equals the string.
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
        # After that time its age, or its exp, makes it invalid, so the jti can be forgotten.
        return SingleUse(claims.jti, int(min(claims.exp, made_at + max_age)) + AHEAD + 1)


@lru_cache(maxsize=1024)
def _keys(client_id: str, jwks: bytes) -> KeySet:
    """The keys, parsed once per registered key set: parsing checks that points are on their curve, which costs more than a signature. A
    key whose private half can be computed proves nothing, however long it has been registered. Raises `InvalidKey`."""
    parsed = parse_jwks(client_id, jwks)
    reasons = [reason for key in parsed.keys if (reason := key_strength.broken(key)) is not None]
    if reasons and len(reasons) == len(parsed.keys):
        raise InvalidKey(f"no registered key can be used: {reasons[0]}")
    return key_set(client_id, (key for key in parsed.keys if key_strength.broken(key) is None))


def _subject(assertion: str) -> str | None:
    """The unverified subject of the assertion; it only selects the keys to try."""
    parts = assertion.split(".", 3)
    if len(parts) != 3 or len(assertion) > _MAX_ASSERTION:
        return None
    try:
        claims: dict[str, Any] = json_object(b64url_decode(parts[1]))
    except Malformed:
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) and 0 < len(subject) <= MAX_TEXT else None


def _no(because: str) -> OAuthError:
    return OAuthError("invalid_client", FAILED, f"client assertion: {because}")
