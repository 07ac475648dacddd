"""Claims of an ID token from an external provider (OpenID Connect Core 1.0 §2, §3.1.3.7). The signature is checked before."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct, structs

from doorward.features.authn.providers.rules.mapping import MappedClaims, claims_for
from doorward.features.authn.providers.services.service import ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

SKEW: Final = 60
"""Seconds by which the provider's clock may differ from ours."""
OLDEST: Final = 600
"""Seconds after which a token is too old: it was made for an earlier sign-in."""
MAX_SUBJECT: Final = 255
_MAX_TEXT: Final = 500
_MOST: Final = 20


class BadIdToken(ValueError):
    """The claims are not for this sign-in. The text names the claim, and nothing of its value."""


class AccountNotAllowed(BadIdToken):
    """The token is for this sign-in, and its person is none of those whom the settings let in."""


class UpstreamClaims(Struct, frozen=True, kw_only=True):
    """What a provider says about a person. Nothing of it is trusted by being here (`rules/identity.py`).

    `issuer` and `subject` are the key of the identity; `sub` is the claim of that name, which most providers use as their key.
    `sid` is the provider's name of its session. `auth_time` in seconds. `email_verified` is what the provider claims.
    """

    issuer: str
    subject: str
    sub: str = ""
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    sid: str | None = None
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    mapped: MappedClaims = MappedClaims()


def checked_claims(
    claims: Mapping[str, Any],
    *,
    service: ProviderService,
    policy: ProviderPolicy,
    nonce: str | None,
    now: int,
) -> UpstreamClaims:
    """The claims of a token that is for this server, this sign-in and this moment. `nonce` is what the request had, None if it had none.
    Raises `BadIdToken`, and `AccountNotAllowed` last of all."""
    issuer = service.issuer(claims, policy)
    if issuer is None:
        raise BadIdToken("iss is another issuer")
    _check_audience(claims, policy.client_id)
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
    found = person(claims, issuer=issuer, service=service, policy=policy)
    if (problem := service.refusal(claims, policy)) is not None:
        raise AccountNotAllowed(problem)
    return structs.replace(
        found,
        sub=_key(claims.get("sub")),
        auth_time=_time(claims, "auth_time"),
        acr=_text(claims.get("acr")),
        sid=_text(claims.get("sid")),
        amr=_texts(claims, "amr"),
    )


def person(
    claims: Mapping[str, Any], *, issuer: str, service: ProviderService, policy: ProviderPolicy
) -> UpstreamClaims:
    """Key, address and name of the person of these claims, as this service has them. Raises `BadIdToken` if nothing names the person."""
    email, verified = service.address(claims, policy)
    address = _text(email)
    return UpstreamClaims(
        issuer=issuer,
        subject=_key(service.subject(claims, policy)),
        email=address,
        # what is not there was not confirmed
        email_verified=verified and address is not None,
        name=_text(service.display_name(claims, policy)),
        mapped=claims_for(claims, roles_claim=policy.roles_claim, profile=policy.profile),
    )


def with_userinfo(
    token: UpstreamClaims, userinfo: Mapping[str, Any], *, service: ProviderService, policy: ProviderPolicy
) -> UpstreamClaims:
    """The same with the address and name of the UserInfo response. Raises `BadIdToken` if it is of another person: it must be compared, since
    the response is not signed (§5.3.2). Address and confirmation belong together, and are never taken from two places."""
    if userinfo.get("sub") != token.sub:
        raise BadIdToken("userinfo is of another sub")
    more = claims_for(userinfo, roles_claim=policy.roles_claim, profile=policy.profile)
    said = token.mapped
    both = MappedClaims(
        values=said.values or more.values if not (said.elsewhere or more.elsewhere) else None,
        elsewhere=said.elsewhere or more.elsewhere,
        profile={**more.profile, **said.profile},
    )
    named = structs.replace(
        token, name=token.name or _text(service.display_name(userinfo, policy)), mapped=both
    )
    if token.email is not None:
        return named
    email, verified = service.address(userinfo, policy)
    address = _text(email)
    return structs.replace(named, email=address, email_verified=verified and address is not None)


def _key(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SUBJECT or not value.isascii():
        raise BadIdToken("sub is missing or too long")
    return value


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


def _time(claims: Mapping[str, Any], name: str) -> int | None:
    value: object = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise BadIdToken(f"{name} is no time")
    return int(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value: object = claims.get(name)
    if not isinstance(value, list):
        return ()
    found = cast("list[object]", value)[:_MOST]
    return tuple(one for one in found if isinstance(one, str) and len(one) <= _MAX_TEXT)
