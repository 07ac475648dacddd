"""A security event from another issuer (RFC 8417 §2.2, SSF 1.0 §4), in the dialects of Google and Apple too. The signature is checked
before."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, cast

from msgspec import Struct

SKEW: Final = 60
OLDEST: Final = 7 * 86_400
"""Seconds after which an event is too old. Its `jti` is remembered for as long."""
TYPES: Final = frozenset({"secevent+jwt"})
APPLE_TYPES: Final = frozenset({"secevent+jwt", "jwt", ""})
"""Apple's notifications have no type of their own: `events` tells them from ID tokens."""
_MAX_TEXT: Final = 255
_MILLISECONDS: Final = 10**11
_ENDING: Final = frozenset(
    {
        "session-revoked",
        "sessions-revoked",
        "tokens-revoked",
        "account-disabled",
        "account-purged",
        "account-credential-change-required",
        "credential-compromise",
        # of Apple
        "consent-revoked",
        "account-delete",
    }
)
"""Events after which nobody should stay signed in by this issuer, by the last part of their URI."""
_VERIFICATION: Final = "verification"

Code = Literal["invalid_request", "invalid_issuer", "invalid_audience"]


class BadEvent(ValueError):
    """The token is refused with a code of RFC 8935 §2.4. The text names the claim, and nothing of its value."""

    def __init__(self, code: Code, said: str) -> None:
        self.code: Code = code
        super().__init__(said)


class Named(Struct, frozen=True, kw_only=True):
    """Whom an event is about: a person at the issuer by `subject`, or by `email`; `sid` narrows it to one session there."""

    subject: str | None = None
    email: str | None = None
    sid: str | None = None


class Received(Struct, frozen=True, kw_only=True):
    """A checked event. `kind` is the last part of its URI, `at` when it happened (seconds). `ends`: whether sessions end, those of `whom`;
    None where nobody is named in a way that is understood."""

    jti: str
    kind: str
    at: int
    until: int
    ends: bool
    verification: bool
    whom: Named | None


def received(
    claims: Mapping[str, Any], *, issuer: str, audience: Collection[str], apple: bool, now: int
) -> Received:
    """What a token says, if it is for this server. Raises `BadEvent`."""
    if str(claims.get("iss")).rstrip("/") != issuer.rstrip("/"):
        raise BadEvent("invalid_issuer", "iss is another issuer")
    given: object = claims.get("aud")
    if not any(
        one in audience for one in (cast("list[object]", given) if isinstance(given, list) else [given])
    ):
        raise BadEvent("invalid_audience", "aud is not this server")
    if "nonce" in claims or "at_hash" in claims:
        raise BadEvent("invalid_request", "it is an ID token")
    jti, issued = _text(claims.get("jti")), _time(claims.get("iat"))
    if jti is None or issued is None:
        raise BadEvent("invalid_request", "jti or iat is missing")
    if issued > now + SKEW:
        raise BadEvent("invalid_request", "iat lies ahead")
    if issued <= now - OLDEST:
        raise BadEvent("invalid_request", "iat is too long ago")
    uri, payload = _event(claims.get("events"), apple=apple)
    kind = uri.rsplit("/", 1)[-1]
    at = _time(payload.get("event_timestamp", payload.get("event_time", claims.get("toe")))) or issued
    return Received(
        jti=jti,
        kind=kind,
        # a time ahead of its own token would end sessions that do not exist yet
        at=min(at, issued),
        until=issued + OLDEST,
        ends=kind in _ENDING,
        verification=kind == _VERIFICATION,
        whom=_whom(claims, payload, issuer=issuer, apple=apple),
    )


def _event(events: object, *, apple: bool) -> tuple[str, Mapping[str, Any]]:
    if apple and isinstance(events, str):
        # JSON in a text, with the type inside
        try:
            events = json.loads(events)
        except (ValueError, RecursionError):
            raise BadEvent("invalid_request", "events is no JSON") from None
        said = cast("dict[str, Any]", events) if isinstance(events, dict) else {}
        kind = _text(said.get("type"))
        if kind is None:
            raise BadEvent("invalid_request", "events has no type")
        return kind, said
    found = cast("dict[str, object]", events) if isinstance(events, dict) else {}
    # one event a token (SSF 1.0 §4.1.5); with several the order of their effects would be open
    if len(found) != 1:
        raise BadEvent("invalid_request", "events has not exactly one event")
    uri, payload = next(iter(found.items()))
    if not isinstance(payload, dict):
        raise BadEvent("invalid_request", "the event is no object")
    return uri, cast("dict[str, Any]", payload)


def _whom(claims: Mapping[str, Any], payload: Mapping[str, Any], *, issuer: str, apple: bool) -> Named | None:
    if apple:
        subject = _text(payload.get("sub"))
        return None if subject is None else Named(subject=subject)
    given: object = claims.get("sub_id", payload.get("subject"))
    return _named(cast("dict[str, Any]", given), issuer=issuer) if isinstance(given, dict) else None


def _named(given: Mapping[str, Any], *, issuer: str) -> Named | None:
    """A subject identifier (RFC 9493 §3.2), also as drafts spelt it (`subject_type`, `iss-sub`)."""
    spelt: object = given.get("format", given.get("subject_type"))
    match spelt.replace("-", "_") if isinstance(spelt, str) else None:
        case "iss_sub" | "id_token_claims":
            # about people of other issuers it has nothing to say
            if str(given.get("iss")).rstrip("/") != issuer.rstrip("/"):
                return None
            subject = _text(given.get("sub"))
            return None if subject is None else Named(subject=subject)
        case "email":
            email = _text(given.get("email"))
            return None if email is None else Named(email=email)
        case "opaque":
            subject = _text(given.get("id"))
            return None if subject is None else Named(subject=subject)
        case "complex":
            user, session = given.get("user"), given.get("session")
            person = _named(cast("dict[str, Any]", user), issuer=issuer) if isinstance(user, dict) else None
            one = cast("dict[str, Any]", session) if isinstance(session, dict) else {}
            sid = _text(one.get("id", one.get("sub")))
            if person is None or sid is None:
                return person
            return Named(subject=person.subject, email=person.email, sid=sid)
        case _:
            return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and "\x00" not in value else None


def _time(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value) // 1000 if value >= _MILLISECONDS else int(value)
