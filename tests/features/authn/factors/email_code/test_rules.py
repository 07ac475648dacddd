"""When does a mailed code or link prove the mail box?"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from doorward.core.model.message import Ticket
from doorward.features.authn.factors.email_code import rules as rule
from doorward.features.authn.factors.email_code.rules import Missed, Proven

BROWSER, OTHER = b"b" * 32, b"o" * 32
TICKET = Ticket(
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


def code(ticket: Ticket | None = TICKET, **changes: Any) -> Proven | Missed:
    values: dict[str, Any] = {"kind": "reset", "browser_hash": BROWSER, "max_tries": 5, "now": 1100}
    given = changes.pop("given", b"code")
    return rule.by_code(ticket, given, **{**values, **changes})


def test_the_right_code_in_the_right_browser_in_time() -> None:
    assert code() == Proven()
    assert rule.by_link(TICKET, kind="reset", browser_hash=BROWSER, now=1599) == Proven()


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
def test_everything_else_is_a_miss(ticket: Ticket | None, changes: dict[str, Any], why: str) -> None:
    assert code(ticket, **changes) == Missed(why)  # type: ignore[arg-type]


def test_the_last_allowed_guess_is_still_looked_at() -> None:
    assert code(structs.replace(TICKET, tries=5)) == Proven()


def test_a_link_does_not_open_in_another_browser() -> None:
    assert rule.by_link(TICKET, kind="reset", browser_hash=OTHER, now=1100) == Missed("browser")


def test_what_was_proven_may_be_acted_on_once_and_for_a_while() -> None:
    proven = structs.replace(TICKET, proven_at=1500)

    def usable(ticket: Ticket | None, now: int = 1600, browser: bytes = BROWSER) -> bool:
        return rule.usable(ticket, kind="reset", browser_hash=browser, ttl=600, now=now)

    assert usable(proven)
    assert usable(proven, 2099)
    assert not usable(proven, 2100)
    assert not usable(TICKET)
    assert not usable(None)
    assert not usable(proven, browser=OTHER)
    assert not usable(structs.replace(proven, used_at=1550))
    assert not usable(structs.replace(proven, kind="sign_up"))
