"""Validation of the logout token, OpenID Connect Back-Channel Logout 1.0 §2.6."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, cast

from msgspec import Struct

from doorward_demo.demo.id_token import ALGORITHMS, SKEW, payload
from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.keyset import KeySet

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_MAX_AGE: Final = 300
_MOST: Final = 1000


class Ended(Struct, frozen=True):
    """The ended session or, without `sid`, the person whose sessions ended."""

    sid: str | None
    sub: str | None


class SeenOnce:
    """The ids of received tokens, kept as long as a token could be repeated (§2.6 point 8)."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def first_time(self, jti: str, now: float) -> bool:
        """Whether this id was not seen before."""
        while self._seen and (len(self._seen) > _MOST or next(iter(self._seen.values())) < now):
            self._seen.popitem(last=False)
        if jti in self._seen:
            return False
        self._seen[jti] = now + _MAX_AGE + 2 * SKEW
        return True


def verify(token: str, keys: KeySet, *, issuer: str, client_id: str, seen: SeenOnce, now: float) -> Ended:
    """Validate a logout token. Raises `AuthError`."""
    claims = payload(jws.verify(token, keys, algorithms=ALGORITHMS, types={"logout+jwt"}))
    if claims.get("iss") != issuer:
        raise AuthError("issuer", "the logout token is of another issuer")
    if claims.get("aud") not in (client_id, [client_id]):
        raise AuthError("audience", "the logout token is made out to another app")
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise AuthError("claims", "the logout token says not from when until when it holds")
    if now >= expires + SKEW or now - issued > _MAX_AGE:
        raise AuthError("expired", "the logout token is too old")
    if issued > now + SKEW:
        raise AuthError("not_yet_valid", "the logout token comes from the future")
    events: object = claims.get("events")
    if not isinstance(events, dict) or not isinstance(cast("dict[str, object]", events).get(EVENT), dict):
        raise AuthError("claims", "the logout token tells of no log-out")
    if "nonce" in claims:
        # an ID token sent as a logout token (§2.4)
        raise AuthError("claims", "a logout token has no nonce")
    sid, sub, jti = claims.get("sid"), claims.get("sub"), claims.get("jti")
    if not isinstance(sid, str | None) or not isinstance(sub, str | None) or (sid is None and sub is None):
        raise AuthError("claims", "the logout token names neither a session nor a person")
    if not isinstance(jti, str) or not seen.first_time(jti, now):
        raise AuthError("claims", "the logout token came already")
    return Ended(sid, sub)
