"""Claims of a security event token."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.security_event import EventKind, SecurityEvent
from doorward.features.security_events.rules.event_token import claims
from tests.storage.samples import NOW
from tests.storage.test_security_events import stream

ISSUER = "https://auth.example.com"
PERSON = {"format": "iss_sub", "iss": ISSUER, "sub": "usr_ada"}


def event(kind: EventKind = "session-revoked", /, **changes: Any) -> SecurityEvent:
    values: dict[str, Any] = {
        "id": "ses_one.ssm_shop",
        "stream_id": "ssm_shop",
        "account_id": "usr_ada",
        "position": 1,
        "at": NOW,
        "kind": kind,
        "session_id": "ses_one",
        "email": None,
        "detail": {"reason": "signed_out"},
    }
    return SecurityEvent(**values | changes)


@pytest.mark.requirement(59)
def test_the_token_of_an_ended_session() -> None:
    assert claims(event(), stream(), issuer=ISSUER) == {
        "iss": ISSUER,
        "aud": "https://shop.example",
        "jti": "ses_one.ssm_shop",
        "iat": NOW,
        "toe": NOW,
        "txn": "ses_one",
        "sub_id": PERSON,
        "events": {
            "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
                "event_timestamp": NOW,
                "initiating_entity": "user",
                "reason_admin": {"en": "signed out"},
            }
        },
    }


@pytest.mark.parametrize(
    ("subject", "email", "expected"),
    [
        ("iss_sub", None, PERSON),
        ("email", "ada@example.com", {"format": "email", "email": "ada@example.com"}),
        ("email", None, PERSON),
        ("opaque", None, {"format": "opaque", "id": "usr_ada"}),
        (
            "complex",
            None,
            {"format": "complex", "user": PERSON, "session": {"format": "opaque", "id": "ses_one"}},
        ),
    ],
)
def test_how_a_stream_names_people(subject: Any, email: str | None, expected: dict[str, Any]) -> None:
    """Simple subjects only in the interoperability profile: a complex one is the operator's choice for a stream."""
    said = claims(event(email=email), stream(subject=subject), issuer=ISSUER)
    assert said["sub_id"] == expected


def test_a_complex_subject_without_a_session_is_the_person() -> None:
    said = claims(
        event("account-disabled", session_id=None, detail={}), stream(subject="complex"), issuer=ISSUER
    )
    assert said["sub_id"] == {"format": "complex", "user": PERSON}
    assert list(said["events"].values()) == [{}]


def test_the_subject_is_in_the_event_only_where_a_stream_says_so() -> None:
    """For receivers that need it (keycloak#50793)."""
    (plain,) = claims(event(), stream(), issuer=ISSUER)["events"].values()
    (older,) = claims(event(), stream(subject_in_event=True), issuer=ISSUER)["events"].values()
    assert "subject" not in plain
    assert older == {"subject": PERSON, **plain}


def test_an_event_of_the_stream_names_the_stream() -> None:
    said = claims(
        event("verification", account_id=None, detail={"state": "s"}), stream(subject="email"), issuer=ISSUER
    )
    assert said["sub_id"] == {"format": "opaque", "id": "ssm_shop"}
    assert said["events"] == {
        "https://schemas.openid.net/secevent/ssf/event-type/verification": {"state": "s"}
    }


@pytest.mark.parametrize(
    ("reason", "entity"),
    [
        ("signed_out", "user"),
        ("password_reset", "user"),
        ("account_disabled", "admin"),
        ("refresh_token_replayed", "policy"),
        ("signed_out_by_provider", "system"),
        ("unheard_of", "system"),
    ],
)
def test_who_ended_a_session(reason: str, entity: str) -> None:
    (said,) = claims(event(detail={"reason": reason}), stream(), issuer=ISSUER)["events"].values()
    assert said["initiating_entity"] == entity
