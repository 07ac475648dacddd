"""Claims of a logout token from an external provider (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6). The signature is checked before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct

from doorward.features.authn.providers.rules.id_token import SKEW
from doorward.features.authn.providers.services.service import ProviderService

if TYPE_CHECKING:
    from doorward.features.authn.providers.settings import ProviderPolicy

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
TYPES: Final = frozenset({"logout+jwt", "jwt", ""})
"""Types of the token. The first is recommended, and older providers send none: `events` tells it from an ID token (§2.4, §4)."""
OLDEST: Final = 600
"""Seconds after which a token is too old. Its `jti` is remembered for as long, so that no token works twice."""
_MAX_TEXT: Final = 255


class BadLogoutToken(ValueError):
    """The token ends nothing. The text names the claim, and nothing of its value."""


class UpstreamLogout(Struct, frozen=True, kw_only=True):
    """What has ended at a provider: the session `sid`, if there is one, else all sessions of `subject`. At least one of both is there.
    `until` (seconds): from then on the token is refused for its age."""

    issuer: str
    jti: str
    until: int
    subject: str | None
    sid: str | None


def checked_logout(
    claims: Mapping[str, Any], *, service: ProviderService, policy: ProviderPolicy, now: int
) -> UpstreamLogout:
    """What the token says has ended, if it is for this server and of this moment (seconds). Raises `BadLogoutToken`."""
    issuer = service.issuer(claims, policy)
    if issuer is None:
        raise BadLogoutToken("iss is another issuer")
    _check_audience(claims.get("aud"), policy.client_id)
    issued = _time(claims, "iat")
    if issued is None:
        raise BadLogoutToken("iat is missing")
    if issued > now + SKEW:
        raise BadLogoutToken("iat lies ahead")
    if issued <= now - OLDEST:
        raise BadLogoutToken("iat is too long ago")
    expires = _time(claims, "exp")
    if expires is not None and expires <= now - SKEW:
        raise BadLogoutToken("exp is over")
    events: object = claims.get("events")
    if not isinstance(events, dict) or not isinstance(cast("dict[str, object]", events).get(EVENT), dict):
        raise BadLogoutToken("events is not that of a logout")
    if "nonce" in claims:
        # an ID token must never end a session (§2.4)
        raise BadLogoutToken("nonce is there")
    jti = _text(claims.get("jti"))
    if jti is None:
        raise BadLogoutToken("jti is missing or too long")
    subject, sid = _text(service.subject(claims, policy)), _text(claims.get("sid"))
    if "sid" in claims and sid is None:
        # ending all sessions instead would be more than was said
        raise BadLogoutToken("sid is no text, or too long")
    if subject is None and sid is None:
        raise BadLogoutToken("neither sub nor sid is there")
    return UpstreamLogout(issuer=issuer, jti=jti, until=issued + OLDEST, subject=subject, sid=sid)


def _check_audience(given: object, client_id: str) -> None:
    audiences = cast("list[object]", given) if isinstance(given, list) else [given]
    if client_id not in audiences:
        raise BadLogoutToken("aud is not this client")


def _time(claims: Mapping[str, Any], name: str) -> int | None:
    value: object = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise BadLogoutToken(f"{name} is no time")
    return int(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None
