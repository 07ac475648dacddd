"""Start of a sign-in: which proofs of an existing session still count."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.rules.assurance import achieved
from doorward.features.authn.flow.rules.next_factors import next_factors
from doorward.features.authn.flow.rules.policy import StepDemand
from tests.features.authn.flow.rules.test_next_factors import BUILT_IN
from tests.offered import KINDS

NOW = 10_000


def session(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": "ses_1",
        "secret_hash": b"s" * 32,
        "account_id": "usr_1",
        "created_at": NOW - 900,
        "seen_at": NOW - 5,
        "auth_time": NOW - 900,
        "expires_at": NOW + 900,
        "acr": "urn:doorward:aal1",
        "amr": ("pwd",),
    }
    return Session(**{**values, **changes})


def request(**changes: Any) -> AuthRequest:
    values: dict[str, Any] = {
        "client_id": "app_1",
        "redirect_uri": "https://app.example/cb",
        "response_mode": "query",
        "scopes": ("openid",),
        "audience": "https://auth.example",
    }
    return AuthRequest(**{**values, **changes})


def start(asked: AuthRequest | None, held: Session | None) -> Any:
    return begin.sign_in(
        sign_in_id="sin_1",
        now=NOW,
        ttl=1800,
        browser_hash=b"b" * 32,
        request=asked,
        session=held,
        kinds=KINDS,
    )


def test_a_session_provides_its_person_and_earlier_proofs() -> None:
    begun = start(request(), session(amr=("pwd", "otp", "mfa")))
    assert (begun.account_id, begun.session_id, begun.expires_at) == ("usr_1", "ses_1", NOW + 1800)
    assert begun.proofs == (Proof("password", NOW - 900, ("pwd",)), Proof("totp", NOW - 900, ("otp",)))
    assert achieved(begun.proofs, BUILT_IN).auth_time == NOW - 900


def test_a_recovery_code_stays_a_recovery_code() -> None:
    assert start(request(), session(amr=("pwd", "rc", "mfa"))).proofs[1].kind == "recovery_code"


@pytest.mark.requirement(13)
@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": frozenset({"login"})},
        {"prompt": frozenset({"select_account"})},
        {"prompt": frozenset({"create"})},
        {"max_age": 0},
        {"max_age": 899},
        {"hint_subject": "usr_2"},
    ],
)
def test_a_request_for_interaction_is_not_answered_by_a_session(asked: dict[str, Any]) -> None:
    begun = start(request(**asked), session())
    assert (begun.account_id, begun.proofs, begun.session_id) == (None, (), None)


@pytest.mark.requirement(13)
def test_a_recent_enough_session_answers() -> None:
    assert start(request(max_age=900), session()).account_id == "usr_1"
    assert start(request(hint_subject="usr_1"), session()).account_id == "usr_1"
    assert begin.fresh_after(request(max_age=900), NOW) == NOW - 900
    assert begin.fresh_after(request(prompt=frozenset({"login"})), NOW) == NOW
    assert begin.fresh_after(None, NOW) is None


@pytest.mark.requirement(85)
def test_a_session_older_than_the_second_factor_must_prove_it() -> None:
    begun = start(request(), session())
    found = next_factors(
        BUILT_IN,
        proofs=begun.proofs,
        enrolled=frozenset({"totp"}),
        demand=StepDemand(steps=2),
        fresh_after=begun.fresh_after,
    )
    assert [one.kind for one in found] == ["totp"]


def test_without_a_session_there_are_no_proofs() -> None:
    assert start(None, None).proofs == ()
