"""Security events of an account, from lines of the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.audit import AuditEvent
from doorward.features.security_events.rules.account_events import account_events

TYPES = {
    "totp": "app",
    "sms": "phone-sms",
    "email_code": "email",
    "passkey": "fido2-platform",
    "security_key": "fido2-roaming",
}


def line(kind: str, /, **changes: Any) -> AuditEvent:
    return AuditEvent(id="aud_one", at=1_700_000_000, kind=kind, **{"account_id": "usr_ada", **changes})


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("password.changed", {}, [("password", "update", "user")]),
        ("password.changed", {"by": "operator"}, [("password", "update", "admin")]),
        ("password.reset", {}, [("password", "update", "user")]),
        ("second_factor.added", {"method": "totp"}, [("app", "create", "user")]),
        ("second_factor.removed", {"method": "sms"}, [("phone-sms", "delete", "user")]),
        ("second_factor.added", {"method": "email_code"}, [("email", "create", "user")]),
        ("second_factor.added", {"method": "unheard_of"}, []),
        ("passkey.added", {"method": "security_key"}, [("fido2-roaming", "create", "user")]),
        ("passkey.removed", {"factor": "fac_1"}, [("fido2-platform", "delete", "user")]),
        ("passkey.copied", {}, [("fido2-platform", "revoke", "system")]),
        (
            "second_factor.reset",
            {"by": "operator", "methods": ["totp", "totp", "google", "passkey"], "password": "forgotten"},
            [
                ("app", "delete", "admin"),
                ("fido2-platform", "delete", "admin"),
                ("password", "revoke", "admin"),
            ],
        ),
        ("second_factor.reset", {"methods": "sms", "password": "kept"}, [("phone-sms", "delete", "user")]),
        ("passkey.renamed", {}, []),
        ("sign_in.succeeded", {}, []),
    ],
)
def test_changed_credentials(kind: str, detail: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = account_events(line(kind, detail=detail), TYPES)
    assert [(one.kind, *one.detail.values()) for one in found] == [
        ("credential-change", *each) for each in expected
    ]
    assert [one.id for one in found] == [f"aud_one.{number}" for number in range(len(found))]


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("account.disabled", "account-disabled"),
        ("account.enabled", "account-enabled"),
        ("account.deleted", "account-purged"),
    ],
)
def test_the_state_of_an_account(kind: str, event: str) -> None:
    (only,) = account_events(line(kind), TYPES)
    assert (only.kind, only.account_id, only.at, only.detail) == (event, "usr_ada", 1_700_000_000, {})


@pytest.mark.parametrize("changes", [{"ok": False}, {"account_id": None}])
def test_attempts_and_lines_of_nobody_say_nothing(changes: dict[str, Any]) -> None:
    assert account_events(line("password.changed", **changes), TYPES) == ()
