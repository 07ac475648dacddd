"""Streams of security events (OpenID Shared Signals Framework 1.0), and the events that wait in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

STREAM_PREFIX: Final = "ssm"
AUTHORIZATION_PURPOSE: Final = "event-stream"
"""The sealing purpose of a receiver's Authorization header."""

Delivery = Literal["push", "poll"]
StreamStatus = Literal["enabled", "paused", "disabled"]
"""SSF 1.0 §8.1.2: while paused events are held, while disabled they are not."""

SubjectFormat = Literal["iss_sub", "email", "opaque", "complex"]
"""How events name a person (RFC 9493): the issuer and the app's `sub`; the mail address; the `sub` alone; or user and session, which only
receivers outside the interoperability profile of CAEP read."""

EventKind = Literal[
    "session-revoked",
    "credential-change",
    "account-disabled",
    "account-enabled",
    "account-purged",
    "verification",
    "stream-updated",
]
"""The last part of the event's URI (`URIS`)."""

_CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
_RISC: Final = "https://schemas.openid.net/secevent/risc/event-type/"
_SSF: Final = "https://schemas.openid.net/secevent/ssf/event-type/"
URIS: Final[Mapping[EventKind, str]] = {
    "session-revoked": f"{_CAEP}session-revoked",
    "credential-change": f"{_CAEP}credential-change",
    "account-disabled": f"{_RISC}account-disabled",
    "account-enabled": f"{_RISC}account-enabled",
    "account-purged": f"{_RISC}account-purged",
    "verification": f"{_SSF}verification",
    "stream-updated": f"{_SSF}stream-updated",
}
OF_THE_STREAM: Final[frozenset[EventKind]] = frozenset({"verification", "stream-updated"})
"""Events about a stream itself, which no receiver has to ask for (SSF 1.0 §8.1.4, §8.1.5)."""
OF_PEOPLE: Final[tuple[EventKind, ...]] = tuple(one for one in URIS if one not in OF_THE_STREAM)


class EventStream(Struct, frozen=True, kw_only=True):
    """A stream of one app. Times are in seconds.

    `audience` is the `aud` of its events. `endpoint_url` is where events are pushed, empty for polling; `sealed` the Authorization header
    of a push (sealed for `AUTHORIZATION_PURPOSE` under the stream's id). `events` are those that the receiver asked for. `subject_in_event`:
    the subject is repeated as `subject` inside the event, for receivers written to a draft.

    `tries` and `failing_since` count since the receiver last accepted something, at `accepted_at`; `problem` is the last failure. While a
    process sends, `next_try_at` lies in the future, so that no other one does. `verified_at`: when a receiver last asked for a
    verification event.
    """

    id: str
    client_id: str
    audience: str
    description: str
    delivery: Delivery
    endpoint_url: str
    sealed: bytes | None
    events: tuple[EventKind, ...]
    subject: SubjectFormat
    subject_in_event: bool
    status: StreamStatus
    reason: str | None
    created_at: int
    revision: int = 0
    next_try_at: int = 0
    tries: int = 0
    failing_since: int | None = None
    problem: str | None = None
    accepted_at: int | None = None
    verified_at: int | None = None


class SecurityEvent(Struct, frozen=True, kw_only=True):
    """An event that waits in a stream; `id` is its `jti`, the same at each try.

    Events of one person are delivered by `position`. `at` (seconds) is when it happened. `session_id` is the session that ended, `email`
    the person's address if the stream names people by it, `detail` what the kind needs besides.
    """

    id: str
    stream_id: str
    account_id: str | None
    position: int
    at: int
    kind: EventKind
    session_id: str | None
    email: str | None
    detail: dict[str, Any]


class AccountEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to an account, before it is known which streams hear of it."""

    id: str
    kind: EventKind
    account_id: str
    at: int
    detail: dict[str, Any]
