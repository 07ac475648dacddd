"""What a receiver asks for its stream (SSF 1.0 §8.1.1): parsed, checked, and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict, cast
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.model.security_event import OF_PEOPLE, URIS, EventKind, EventStream, StreamStatus
from doorward.core.web_origin import loopback

PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
STATUSES: Final[tuple[StreamStatus, ...]] = ("enabled", "paused", "disabled")
SUPPORTED: Final = tuple(URIS[kind] for kind in OF_PEOPLE)
_KIND_OF: Final[Mapping[str, EventKind]] = {uri: kind for kind, uri in URIS.items() if kind in OF_PEOPLE}
_MAX_EVENTS: Final = 100
_MAX_TEXT: Final = 500
_MAX_URL: Final = 2000
_MAX_HEADER: Final = 4000
MAX_STATE: Final = 1000


class DeliveryDocument(TypedDict, total=False):
    """How events are delivered (SSF 1.0 §6.1). The header of a push is not repeated to anybody."""

    method: str
    endpoint_url: str


class StreamDocument(TypedDict, total=False):
    """A stream as its receiver sees it (SSF 1.0 §8.1.1)."""

    stream_id: str
    iss: str
    aud: str
    description: str
    delivery: DeliveryDocument
    events_supported: list[str]
    events_requested: list[str]
    events_delivered: list[str]
    min_verification_interval: int


class BadStream(ValueError):
    """The request is refused. The text is for the receiver's developer, and repeats no secret."""


class Wishes(Struct, frozen=True, kw_only=True):
    """What a receiver may decide. None: not said. `authorization` is the whole header with which it wants to be called."""

    push_to: str | None = None
    authorization: str | None = None
    delivery: bool = False
    events: tuple[EventKind, ...] | None = None
    description: str | None = None


def wishes(document: Mapping[str, Any], *, development: bool) -> Wishes:
    """The wishes in a request to create, update or replace a stream. Raises `BadStream`."""
    push_to, authorization = None, None
    given: object = document.get("delivery")
    if given is not None:
        push_to, authorization = _delivery(given, development=development)
    return Wishes(
        push_to=push_to,
        authorization=authorization,
        delivery=given is not None,
        events=_events(document.get("events_requested")),
        description=_text(document, "description", _MAX_TEXT),
    )


def check_unchanged(document: Mapping[str, Any], current: StreamDocument) -> None:
    """Refuse another value of a member that the receiver does not decide (§8.1.1.3). Raises `BadStream`."""
    for member in ("iss", "aud", "events_supported", "events_delivered", "min_verification_interval"):
        if member in document and document[member] != current.get(member):
            raise BadStream(f"{member} is decided by this server; leave it out, or send what it says.")


def document(
    stream: EventStream, *, issuer: str, poll_url: str, verification_interval: int
) -> StreamDocument:
    """The stream for its receiver."""
    push = stream.delivery == "push"
    said: StreamDocument = {
        "stream_id": stream.id,
        "iss": issuer,
        "aud": stream.audience,
        "delivery": {
            "method": PUSH if push else POLL,
            "endpoint_url": stream.endpoint_url if push else poll_url,
        },
        "events_supported": list(SUPPORTED),
        "events_requested": [URIS[kind] for kind in stream.events],
        "events_delivered": [URIS[kind] for kind in stream.events],
        "min_verification_interval": verification_interval,
    }
    if stream.description:
        said["description"] = stream.description
    return said


def status_wish(document: Mapping[str, Any]) -> tuple[StreamStatus, str | None]:
    """The status that a receiver asks for, and its reason (§8.1.2.2). Raises `BadStream`."""
    status: object = document.get("status")
    for known in STATUSES:
        if status == known:
            return known, _text(document, "reason", _MAX_TEXT)
    raise BadStream(f"status is one of {', '.join(STATUSES)}.")


def state_wish(document: Mapping[str, Any]) -> str | None:
    """The `state` of a verification (§8.1.4.2). Raises `BadStream`."""
    return _text(document, "state", MAX_STATE)


def push_problem(url: str, *, development: bool) -> str | None:
    """What is wrong with the address of a receiver."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if not url.isascii() or any(one <= " " or one == "#" for one in url) or len(url) > _MAX_URL:
        return f"is no address of at most {_MAX_URL} ASCII characters without a fragment"
    local = development and parts.scheme == "http" and loopback(host or "")
    if not host or not (parts.scheme == "https" or local):
        return "does not begin with https://"
    return "has a user part; send authorization_header instead" if "@" in parts.netloc else None


def _delivery(given: object, *, development: bool) -> tuple[str | None, str | None]:
    if not isinstance(given, dict):
        raise BadStream("delivery is an object with a method.")
    said = cast("dict[str, Any]", given)
    method, url = said.get("method"), said.get("endpoint_url")
    if method == POLL:
        # the address is this server's own
        return None, None
    if method != PUSH:
        raise BadStream(f"delivery.method is {PUSH} (push) or {POLL} (poll).")
    if not isinstance(url, str):
        raise BadStream("delivery.endpoint_url is missing: where events are to be pushed.")
    if (problem := push_problem(url, development=development)) is not None:
        raise BadStream(f"delivery.endpoint_url {problem}.")
    header: object = said.get("authorization_header")
    if header is not None and not (isinstance(header, str) and header_fits(header)):
        raise BadStream(
            f"delivery.authorization_header is at most {_MAX_HEADER} visible ASCII characters, as in Bearer TOKEN."
        )
    return url, header


def header_fits(header: str) -> bool:
    """Whether a text can be the value of an Authorization header: no line break could add another header."""
    return 0 < len(header) <= _MAX_HEADER and all(" " <= one <= "~" for one in header)


def _events(given: object) -> tuple[EventKind, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(cast("list[object]", given)) > _MAX_EVENTS:
        raise BadStream(f"events_requested is a list of at most {_MAX_EVENTS} event types.")
    asked = cast("Sequence[object]", given)
    if not all(isinstance(one, str) for one in asked):
        raise BadStream("events_requested is a list of event types.")
    # those that this server does not know are left out (§8.1.1)
    return tuple(kind for uri, kind in _KIND_OF.items() if uri in asked)


def _text(document: Mapping[str, Any], member: str, most: int) -> str | None:
    value: object = document.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise BadStream(f"{member} is a text of at most {most} characters.")
    return value
