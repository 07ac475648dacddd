"""Claims of an ID token from an external provider (OpenID Connect Core 1.0 §2, §3.1.3.7). The signature is checked before."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, cast

from msgspec import Struct, structs

SKEW: Final = 60
"""Seconds by which the provider's clock may differ from ours."""
OLDEST: Final = 600
"""Seconds after which a token is too old: it was made for an earlier sign-in."""
MAX_SUBJECT: Final = 255
_MAX_TEXT: Final = 500
_MOST: Final = 20


class BadIdToken(ValueError):
    """The token is not for this sign-in. The text names the claim, and nothing of its value."""


class UpstreamClaims(Struct, frozen=True, kw_only=True):
    """What a provider says about a person. Nothing of it is trusted by being here (`rules/identity.py`).

    `auth_time` in seconds. `email_verified` is what the provider claims.
    """

    issuer: str
    subject: str
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    email: str | None = None
    email_verified: bool = False
    name: str | None = None


def checked_claims(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str | None, now: int
) -> UpstreamClaims:
    """The claims of a token that is for this server, this sign-in and this moment. `nonce` is what the request had, None if it had none.
    Raises `BadIdToken`."""
    if claims.get("iss") != issuer:
        raise BadIdToken("iss is another issuer")
    _check_audience(claims, client_id)
    exp, iat = _time(claims, "exp"), _time(claims, "iat")
    if exp is None or iat is None:
        raise BadIdToken("exp or iat is missing")
    if exp <= now - SKEW:
        raise BadIdToken("exp is over")
    if iat > now + SKEW:
        raise BadIdToken("iat lies ahead")
    if iat < now - OLDEST:
        raise BadIdToken("iat is too long ago")
    not_before = _time(claims, "nbf")
    if not_before is not None and not_before > now + SKEW:
        raise BadIdToken("nbf lies ahead")
    if nonce is not None:
        given = claims.get("nonce")
        if not isinstance(given, str) or not _same(given, nonce):
            raise BadIdToken("nonce is another one")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isascii():
        raise BadIdToken("sub is missing or too long")
    auth_time = _time(claims, "auth_time")
    return UpstreamClaims(
        issuer=issuer,
        subject=subject,
        auth_time=auth_time,
        acr=_text(claims, "acr"),
        amr=_texts(claims, "amr"),
        email=_text(claims, "email"),
        email_verified=_verified(claims),
        name=_text(claims, "name"),
    )


def with_userinfo(token: UpstreamClaims, userinfo: Mapping[str, Any]) -> UpstreamClaims:
    """The same with the address and name of the UserInfo response. Raises `BadIdToken` if it is of another person: it must be compared, since
    the response is not signed (§5.3.2). Address and confirmation belong together, and are never taken from two places."""
    if userinfo.get("sub") != token.subject:
        raise BadIdToken("userinfo is of another sub")
    named = structs.replace(token, name=token.name or _text(userinfo, "name"))
    if token.email is not None:
        return named
    return structs.replace(named, email=_text(userinfo, "email"), email_verified=_verified(userinfo))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    given: object = claims.get("aud")
    audiences = cast("list[object]", given) if isinstance(given, list) else [given]
    if client_id not in audiences:
        raise BadIdToken("aud is not this client")
    party = claims.get("azp")
    if party is None and len(audiences) > 1:
        raise BadIdToken("aud has several members, and azp is missing")
    if party is not None and party != client_id:
        raise BadIdToken("azp is another client")


def _verified(claims: Mapping[str, Any]) -> bool:
    # one provider sends the boolean as text
    said = claims.get("email_verified")
    return said is True or said == "true"


def _time(claims: Mapping[str, Any], name: str) -> int | None:
    value: object = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise BadIdToken(f"{name} is no time")
    return int(value)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value: object = claims.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value: object = claims.get(name)
    if not isinstance(value, list):
        return ()
    found = cast("list[object]", value)[:_MOST]
    return tuple(one for one in found if isinstance(one, str) and len(one) <= _MAX_TEXT)
