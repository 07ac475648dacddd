"""Browser session: when it has ended, and when its proof is recent."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.account import Account
from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session
from doorward.features.sessions.rules import session as rule

NOW = 1_000_000
POLICY = SessionPolicy()
ADA = Account(id="usr_1", email="ada@example.com", created_at=1)


def session(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": "ses_1",
        "secret_hash": b"s" * 32,
        "account_id": "usr_1",
        "created_at": NOW,
        "seen_at": NOW,
        "auth_time": NOW,
        "expires_at": NOW + POLICY.absolute,
        "acr": AAL1,
        "amr": ("pwd",),
    }
    return Session(**{**values, **changes})


@pytest.mark.requirement(71)
def test_idle_and_absolute_limits_end_a_session_to_the_second() -> None:
    assert rule.over(session(), ADA, POLICY, NOW + POLICY.idle - 1) is None
    assert rule.over(session(), ADA, POLICY, NOW + POLICY.idle) == "idle"
    end = NOW + POLICY.absolute
    assert rule.over(session(seen_at=end - 1), ADA, POLICY, end - 1) is None
    assert rule.over(session(seen_at=end - 1), ADA, POLICY, end) == "absolute"


@pytest.mark.requirement(71)
def test_the_second_level_has_an_hour_and_a_day_if_the_operator_enables_it() -> None:
    assert rule.limits(POLICY, AAL2) == (POLICY.idle, POLICY.absolute)
    nist = SessionPolicy(aal2_limits=True)
    assert rule.limits(nist, AAL2) == (3600, 86_400)
    assert rule.limits(nist, AAL1) == (nist.idle, nist.absolute)
    strong = session(acr=AAL2, expires_at=NOW + 10**6)
    assert rule.over(strong, ADA, nist, NOW + 3600) == "idle"
    busy = session(acr=AAL2, expires_at=NOW + 10**6, seen_at=NOW + 86_399)
    assert rule.over(busy, ADA, nist, NOW + 86_400) == "absolute"
    short = SessionPolicy(idle=600, absolute=1200, aal2_limits=True)
    assert rule.limits(short, AAL2) == (600, 1200)


@pytest.mark.requirement(72)
def test_a_session_without_its_person_has_ended() -> None:
    disabled = Account(id="usr_1", email="ada@example.com", created_at=1, disabled_at=NOW)
    other = Account(id="usr_2", email="eve@example.com", created_at=1)
    for account in (None, disabled, other):
        assert rule.over(session(), account, POLICY, NOW) == "account"
    assert rule.over(session(ended_at=NOW), ADA, POLICY, NOW) == "ended"


@pytest.mark.requirement(73)
def test_recent_means_within_ten_minutes_of_the_last_proof() -> None:
    assert rule.recent(session(), ADA, POLICY, NOW + 600)
    assert not rule.recent(session(), ADA, POLICY, NOW + 601)


@pytest.mark.requirement(71)
def test_a_late_step_up_gets_the_full_time_of_its_new_level() -> None:
    nist = SessionPolicy(aal2_limits=True)
    third_day = NOW + 3 * 86_400
    stepped = session(acr=AAL2, auth_time=third_day, seen_at=third_day)
    assert rule.over(stepped, ADA, nist, third_day) is None
    assert rule.absolute_end(stepped, nist) == third_day + 86_400
    assert rule.over(session(acr=AAL2, seen_at=third_day), ADA, nist, third_day) == "absolute"
    # a proof never moves the absolute end set at the start of the session
    last = session(auth_time=NOW + POLICY.absolute - 10)
    assert rule.absolute_end(last, POLICY) == NOW + POLICY.absolute


@pytest.mark.requirement(94)
def test_a_proof_from_before_a_reset_is_not_recent() -> None:
    for changed, recent in ((NOW - 1, True), (NOW, True), (NOW + 1, False)):
        account = Account(id="usr_1", email="ada@example.com", created_at=1, password_changed_at=changed)
        assert rule.recent(session(), account, POLICY, NOW + 2) is recent
