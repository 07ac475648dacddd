"""A security event from another issuer, and in the dialects of Google and Apple."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.features.security_events.rules.received import OLDEST, SKEW, BadEvent, Named, Received, received
from tests.storage.samples import NOW

ISSUER = "https://id.partner.example"
REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
ADA = {"format": "iss_sub", "iss": ISSUER, "sub": "ada-there"}


def claims(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "https://auth.example.com",
        "jti": "e-1",
        "iat": NOW,
        "sub_id": ADA,
        "events": {REVOKED: {"event_timestamp": NOW - 5}},
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def read(*, apple: bool = False, **changes: Any) -> Received:
    return received(
        claims(**changes), issuer=ISSUER, audience=("https://auth.example.com",), apple=apple, now=NOW
    )


@pytest.mark.requirement(59)
def test_an_ended_session() -> None:
    assert read() == Received(
        jti="e-1",
        kind="session-revoked",
        at=NOW - 5,
        until=NOW + OLDEST,
        ends=True,
        verification=False,
        whom=Named(subject="ada-there"),
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "invalid_issuer"),
        ({"iss": None}, "invalid_issuer"),
        ({"aud": "https://other.example"}, "invalid_audience"),
        ({"aud": ["a", 5]}, "invalid_audience"),
        ({"aud": None}, "invalid_audience"),
        ({"jti": None}, "invalid_request"),
        ({"jti": "x" * 256}, "invalid_request"),
        ({"iat": None}, "invalid_request"),
        ({"iat": "soon"}, "invalid_request"),
        ({"iat": NOW + SKEW + 1}, "invalid_request"),
        ({"iat": NOW - OLDEST}, "invalid_request"),
        ({"nonce": "n"}, "invalid_request"),
        ({"at_hash": "n"}, "invalid_request"),
        ({"events": None}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": {REVOKED: {}, "x": {}}}, "invalid_request"),
        ({"events": {REVOKED: "now"}}, "invalid_request"),
        ({"events": json.dumps({"type": "consent-revoked", "sub": "a"})}, "invalid_request"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BadEvent) as caught:
        read(**changes)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("subject", "whom"),
    [
        ({**ADA, "iss": f"{ISSUER}/"}, Named(subject="ada-there")),
        ({**ADA, "iss": "https://victim.example"}, None),
        ({"format": "email", "email": "ada@example.com"}, Named(email="ada@example.com")),
        ({"format": "opaque", "id": "ada-there"}, Named(subject="ada-there")),
        (
            {"format": "complex", "user": ADA, "session": {"format": "opaque", "id": "s-1"}},
            Named(subject="ada-there", sid="s-1"),
        ),
        ({"format": "complex", "device": ADA}, None),
        ({"format": "phone_number", "phone_number": "+1"}, None),
        ({"format": ["iss_sub"]}, None),
        ("ada", None),
    ],
)
def test_whom_it_is_about(subject: Any, whom: Named | None) -> None:
    """About people of another issuer it says nothing."""
    assert read(sub_id=subject).whom == whom


def test_googles_dialect() -> None:
    """Cross-Account Protection: the subject inside the event, under its older name."""
    event = "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked"
    subject = {"subject_type": "iss-sub", "iss": f"{ISSUER}/", "sub": "ada-there"}
    said = read(iss=f"{ISSUER}/", sub_id=None, events={event: {"subject": subject}})
    assert (said.kind, said.ends, said.whom, said.at) == (
        "sessions-revoked",
        True,
        Named(subject="ada-there"),
        NOW,
    )
    hello = "https://schemas.openid.net/secevent/risc/event-type/verification"
    said = read(sub_id=None, events={hello: {"state": "s"}})
    assert (said.verification, said.ends) == (True, False)


def test_apples_dialect() -> None:
    """The event as JSON in a text, with its time in milliseconds."""
    event = {"type": "account-delete", "sub": "ada-there", "event_time": (NOW - 9) * 1000}
    said = read(apple=True, sub_id=None, events=json.dumps(event))
    assert (said.kind, said.ends, said.at, said.whom) == (
        "account-delete",
        True,
        NOW - 9,
        Named(subject="ada-there"),
    )
    assert not read(apple=True, events=json.dumps({"type": "email-disabled", "sub": "a"})).ends
    for bad in ("no json", "[1]", "{}", "[" * 100_000):
        with pytest.raises(BadEvent):
            read(apple=True, events=bad)


def test_a_time_ahead_of_the_token_is_that_of_the_token() -> None:
    assert read(events={REVOKED: {"event_timestamp": NOW + 10**6}}).at == NOW
    assert read(events={REVOKED: {"event_timestamp": "x"}}, toe=NOW - 3).at == NOW
    assert read(events={REVOKED: {}}, toe=NOW - 3).at == NOW - 3


def test_events_that_mean_nothing_here_are_accepted() -> None:
    said = read(events={"https://example.com/secevent/lunch": {}})
    assert (said.ends, said.verification) == (False, False)
