"""Does a proof end with the state that it was made for, and with no other?"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account, Factor
from doorward.core.model.message import Ticket
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules import standing as rule

pytestmark = pytest.mark.requirement(94)
ADA = Account("usr_ada", "ada@example.com", 100, password_hash="x", password_changed_at=500)
APP = Factor("fac_app", ADA.id, "totp", 600)
CODES = tuple(Factor(f"fac_code{n}", ADA.id, "recovery_code", 600) for n in range(2))
FACTORS = (APP, *CODES)


def ticket(account: Account | None = ADA, **changes: Any) -> Ticket:
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
    return Ticket(**{**values, **changes})


def test_a_password_stands_until_another_is_set_even_in_that_second() -> None:
    proof = rule.of_password(ADA, 1000)
    assert rule.standing((proof,), ADA, ()) == (proof,)
    for moment in (999, 1000, 1001):
        assert rule.standing((proof,), replace(ADA, password_changed_at=moment), ()) == ()


def test_what_carries_no_state_is_told_by_its_time() -> None:
    vouched = Proof("password", 1000, ("pwd",))
    assert rule.standing((vouched,), replace(ADA, password_changed_at=1000), ()) == (vouched,)
    assert rule.standing((vouched,), replace(ADA, password_changed_at=1001), ()) == ()
    for kind, method in (("totp", "otp"), ("recovery_code", "rc")):
        seen = Proof(kind, 700, (method,))  # type: ignore[arg-type]
        assert rule.standing((seen,), ADA, FACTORS) == (seen,)
        assert rule.standing((seen,), ADA, (replace(APP, id="fac_new", created_at=701), *CODES)) == ()
        assert rule.standing((seen,), ADA, ()) == ()


def test_a_second_factor_stands_while_it_is_there() -> None:
    shown = rule.of_totp(APP, 1000)
    assert rule.standing((shown,), ADA, FACTORS) == (shown,)
    # another app, set up in the very second of the proof or, by a clock that was wrong, before it
    for created in (999, 1000, 1001):
        other = replace(APP, id="fac_other", created_at=created)
        assert rule.standing((shown,), ADA, (other, *CODES)) == ()


def test_a_recovery_code_stands_until_new_ones_are_made() -> None:
    shown = rule.of_recovery_code(CODES[0], 1000)
    spent = (APP, replace(CODES[0], used_at=1000), CODES[1])
    assert rule.standing((shown,), ADA, spent) == (shown,)
    assert rule.standing((shown,), ADA, (APP, replace(CODES[0], id="fac_new"))) == ()


@pytest.mark.parametrize(
    "changes",
    [{"password_changed_at": 501}, {"email": "other@example.com"}, {"disabled_at": 900}, {"id": "usr_other"}],
)
def test_a_ticket_ends_with_password_address_and_account(changes: dict[str, Any]) -> None:
    assert rule.ticket_stands(ticket(), ADA)
    assert not rule.ticket_stands(ticket(), replace(ADA, **changes))


def test_a_ticket_of_nobody_opens_nothing() -> None:
    assert not rule.ticket_stands(ticket(), None)
    assert not rule.ticket_stands(ticket(None), ADA)


def test_a_ticket_of_the_version_before_ends_with_the_password_too() -> None:
    old = ticket(payload={})
    assert rule.ticket_stands(old, replace(ADA, password_changed_at=999))
    assert rule.ticket_stands(old, replace(ADA, password_changed_at=None))
    for moment in (1000, 1001):
        assert not rule.ticket_stands(old, replace(ADA, password_changed_at=moment))
