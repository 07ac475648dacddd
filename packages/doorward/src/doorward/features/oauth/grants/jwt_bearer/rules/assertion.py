"""Checks of an assertion: type, audience, times, and its single use (RFC 7523 §3 as revised by RFC 7523bis, RFC 7521 §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any, Final, cast

from msgspec import Struct

from doorward.core.model.digest import digest
from doorward.core.model.trusted_issuer import TrustedIssuer
from doorward.features.oauth.tokens.rules import id_jag
from doorward_verify.encoding import Malformed, b64url_decode, b64url_encode, json_object

TYPES: Final = frozenset({"", "jwt", "jose", "authorization-grant+jwt"})
"""Values of `typ` of assertions for workloads: most issuers set none, or one that says nothing. An access token (`at+jwt`), a logout
token and a security event are none of them (RFC 8725 §3.11)."""
LONGEST: Final = 16_384
"""Characters of an assertion."""
MAX_ISSUER: Final = 2000
MARGIN: Final = 60
"""Seconds for which a used assertion is remembered beyond its expiry, for nodes whose clocks are behind."""
_LATEST: Final = 2.0**53


class BadAssertion(ValueError):
    """The assertion is refused. `reason` is for the operator's log and quotes no value but its issuer's; `kind` is for the metrics."""

    def __init__(self, kind: str, reason: str, fix: str = "") -> None:
        self.kind = kind
        self.reason = reason
        self.fix = fix
        super().__init__(reason)


class CheckedAssertion(Struct, frozen=True, kw_only=True):
    """An assertion whose signature, audience and times are right. `used_as` names it in the replay cache until `remember_until`."""

    subject: str
    claims: Mapping[str, Any]
    expires_at: int
    used_as: str
    remember_until: int


def issuer_of(assertion: str) -> str | None:
    """The unverified `iss`, which only selects the keys to try; None: this is no JWT with one."""
    parts = assertion.split(".", 3)
    if len(parts) != 3 or len(assertion) > LONGEST or not assertion.isascii():
        return None
    try:
        named: object = json_object(b64url_decode(parts[1])).get("iss")
    except Malformed:
        return None
    return named if isinstance(named, str) and 0 < len(named) <= MAX_ISSUER else None


def types(typ: str | None, trusted: TrustedIssuer) -> frozenset[str]:
    """The types of which the assertion may be: an ID-JAG is nothing else, and nothing else is an ID-JAG. Raises `BadAssertion`."""
    if not is_id_jag(typ):
        return TYPES
    if not trusted.id_jag:
        raise BadAssertion(
            "untrusted",
            f"issuer {trusted.name!r} may not speak for people",
            f"doorward issuer set {quote(trusted.name)} --id-jag",
        )
    return frozenset({id_jag.TYP})


def is_id_jag(typ: str | None) -> bool:
    """Whether the header names an ID-JAG."""
    return (typ or "").lower().removeprefix("application/") == id_jag.TYP


def check(
    claims: Mapping[str, Any], signed: str, trusted: TrustedIssuer, *, issuer: str, now: int
) -> CheckedAssertion:
    """The checked assertion. `claims` are those of a verified signature over `signed`, `issuer` is this server's. Raises
    `BadAssertion`."""
    subject: object = claims.get("sub")
    if claims.get("iss") != trusted.issuer:
        raise BadAssertion("untrusted", "iss is another issuer")
    if not isinstance(subject, str) or not 0 < len(subject) <= id_jag.MAX_TEXT:
        raise BadAssertion("malformed", f"sub is missing, or no text of at most {id_jag.MAX_TEXT} characters")
    _check_audience(claims.get("aud"), trusted, issuer)
    expires_at = _check_times(claims, trusted, now)
    jti: object = claims.get("jti")
    # Without a jti the signed part, not the whole: a signature of ECDSA can be changed into another valid one.
    unique = f"jti:{jti}" if isinstance(jti, str) and jti else f"jws:{signed}"
    return CheckedAssertion(
        subject=subject,
        claims=claims,
        expires_at=expires_at,
        used_as=b64url_encode(digest(unique)),
        remember_until=expires_at + MARGIN,
    )


def _check_audience(aud: object, trusted: TrustedIssuer, issuer: str) -> None:
    """One audience alone: an assertion for several could be replayed here by the others (audience injection)."""
    accepted = trusted.audiences or (issuer,)
    named: list[object] = cast("list[object]", aud) if isinstance(aud, list) else [aud]
    if len(named) == 1 and isinstance(named[0], str) and named[0] in accepted:
        return
    if not named or named[0] is None:
        raise BadAssertion("audience", "it has no aud", f"ask the issuer for a token with audience {issuer}")
    said = ", ".join(str(one)[:200] for one in named[:5])
    raise BadAssertion(
        "audience",
        f"aud is {said!r}, and it must be {' or '.join(accepted)!r} alone",
        f"ask the issuer for a token with audience {accepted[0]}",
    )


def _check_times(claims: Mapping[str, Any], trusted: TrustedIssuer, now: int) -> int:
    exp, iat, nbf = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if exp is None:
        raise BadAssertion("malformed", "exp is missing")
    if int(exp) <= now:
        raise BadAssertion("expired", f"it expired {now - int(exp)} s ago")
    ahead = max(iat or 0, nbf or 0) - now
    if ahead > trusted.tolerance:
        raise BadAssertion(
            "ahead",
            f"iat or nbf lies {int(ahead)} s ahead, and {trusted.tolerance} s are accepted",
            f"set both machines' clocks, or doorward issuer set {quote(trusted.name)} --tolerance SECONDS",
        )
    made_at = iat if iat is not None else nbf if nbf is not None else now
    if exp - made_at > trusted.max_lifetime:
        raise BadAssertion(
            "lifetime",
            f"it lives for {int(exp - made_at)} s, and {trusted.max_lifetime} s are accepted",
            f"ask for a shorter one, or doorward issuer set {quote(trusted.name)} --max-lifetime SECONDS",
        )
    return int(exp)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value: object = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise BadAssertion("malformed", f"{name} is no time")
    return value
