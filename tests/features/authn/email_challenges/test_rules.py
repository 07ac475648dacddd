"""Mailed codes and links: when they prove control of the mailbox."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.account import Account
from doorward.core.model.message import EmailChallenge
from doorward.features.authn.email_challenges import rules as rule
from doorward.features.authn.email_challenges.rules import Missed, Proven

BROWSER, OTHER = b"b" * 32, b"o" * 32
TICKET = EmailChallenge(
    id="tkt_1",
    kind="reset",
    email="ada@example.com",
    code_hash=b"code",
    link_hash=b"link",
    browser_hash=BROWSER,
    created_at=1000,
    expires_at=1600,
    account_id="usr_1",
    tries=1,
)


def code(ticket: EmailChallenge | None = TICKET, **changes: Any) -> Proven | Missed:
    values: dict[str, Any] = {"kind": "reset", "browser_hash": BROWSER, "max_tries": 5, "now": 1100}
    given = changes.pop("given", b"code")
    return rule.by_code(ticket, given, **{**values, **changes})


def test_the_right_code_in_the_right_browser_in_time_is_accepted() -> None:
    assert code() == Proven(TICKET)
    assert rule.by_link(TICKET, kind="reset", browser_hash=BROWSER, now=1599) == Proven(TICKET)


@pytest.mark.parametrize(
    ("ticket", "changes", "why"),
    [
        (None, {}, "unknown"),
        (TICKET, {"kind": "sign_up"}, "unknown"),
        (TICKET, {"browser_hash": OTHER}, "browser"),
        (TICKET, {"now": 1600}, "expired"),
        (structs.replace(TICKET, used_at=1050), {}, "used"),
        (structs.replace(TICKET, proven_at=1050), {}, "used"),
        (structs.replace(TICKET, tries=6), {}, "spent"),
        (TICKET, {"given": b"else"}, "code"),
    ],
)
def test_everything_else_is_a_miss_with_its_reason(
    ticket: EmailChallenge | None, changes: dict[str, Any], why: str
) -> None:
    assert code(ticket, **changes) == Missed(why)  # type: ignore[arg-type]


def test_the_last_allowed_guess_is_still_checked() -> None:
    last = structs.replace(TICKET, tries=5)
    assert code(last) == Proven(last)


def test_a_link_does_not_open_in_another_browser() -> None:
    assert rule.by_link(TICKET, kind="reset", browser_hash=OTHER, now=1100) == Missed("browser")


def test_a_proven_ticket_can_be_used_once_and_for_a_limited_time() -> None:
    proven = structs.replace(TICKET, proven_at=1500)

    def usable(ticket: EmailChallenge | None, now: int = 1600, browser: bytes = BROWSER) -> bool:
        return rule.usable(ticket, kind="reset", browser_hash=browser, ttl=600, now=now)

    assert usable(proven)
    assert usable(proven, 2099)
    assert not usable(proven, 2100)
    assert not usable(TICKET)
    assert not usable(None)
    assert not usable(proven, browser=OTHER)
    assert not usable(structs.replace(proven, used_at=1550))
    assert not usable(structs.replace(proven, kind="sign_up"))


ADA = Account("usr_ada", "ada@example.com", 100, password_hash="x", password_changed_at=500)


def ticket(account: Account | None = ADA, **changes: Any) -> EmailChallenge:
    values: dict[str, Any] = {
        "id": "tkt_1",
        "kind": "reset",
        "email": ADA.email,
        "code_hash": b"c",
        "link_hash": b"l",
        "browser_hash": b"b",
        "created_at": 1000,
        "expires_at": 1600,
        "account_id": account.id if account else None,
        "payload": rule.for_ticket(account),
    }
    return EmailChallenge(**{**values, **changes})


@pytest.mark.requirement(94)
@pytest.mark.parametrize(
    "changes",
    [{"password_changed_at": 501}, {"email": "other@example.com"}, {"disabled_at": 900}, {"id": "usr_other"}],
)
def test_a_ticket_ends_when_password_address_or_account_changes(changes: dict[str, Any]) -> None:
    assert rule.ticket_stands(ticket(), ADA)
    assert not rule.ticket_stands(ticket(), structs.replace(ADA, **changes))


@pytest.mark.requirement(94)
def test_a_ticket_ends_with_the_password_also_in_its_second() -> None:
    assert not rule.ticket_stands(ticket(), ADA.with_password("y", ADA.password_changed_at))


@pytest.mark.requirement(94)
def test_a_ticket_without_an_account_opens_nothing() -> None:
    assert not rule.ticket_stands(ticket(), None)
    assert not rule.ticket_stands(ticket(None), ADA)


@pytest.mark.requirement(94)
def test_a_ticket_of_the_previous_version_also_ends_with_the_password() -> None:
    old = ticket(payload={})
    assert rule.ticket_stands(old, structs.replace(ADA, password_changed_at=999))
    assert rule.ticket_stands(old, structs.replace(ADA, password_changed_at=None))
    for moment in (1000, 1001):
        assert not rule.ticket_stands(old, structs.replace(ADA, password_changed_at=moment))
