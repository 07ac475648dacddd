"""Demands on a sign-in, for every combination of settings, roles, apps, operators and enrolled factors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Role
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.levels import AAL1, AAL2, PHR
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits, achieved
from doorward.features.authn.flow.rules.next_factors import met, next_factors
from doorward.features.authn.flow.rules.policy import StepDemand, demand
from tests.features.authn.flow.rules.test_next_factors import BUILT_IN, PASSWORD, TOTP
from tests.features.authn.flow.rules.test_next_factors_at_random import (
    BOUNDS,
    ENROLLED,
    PROOFS,
    WISHES,
    servers,
)

NOW = 1_800_000_000
DAY = 86_400
OPTIONAL = SecondFactorPolicy()
REQUIRED = SecondFactorPolicy(require="required")
SHOP = Client(id="app_shop", name="Shop", auth_method="none", created_at=NOW)
STRICT = Client(id="app_bank", name="Bank", auth_method="none", created_at=NOW, second_factor="required")
AUDITOR = Role("rol_a", "auditor", {}, NOW, second_factor=True)
BUYER = Role("rol_b", "buyer", {}, NOW)
MAIL = FactorTraits(
    kind="email_code",
    amr=("otp",),
    counts_for=frozenset({"held"}),
    comes_first=True,
    always_asked=True,
    restricted=True,
)
PASSKEY = FactorTraits(
    kind="passkey",
    amr=("swk", "user"),
    counts_for=frozenset({"held", "inherent"}),
    comes_first=True,
    phishing_resistant=True,
)
FACTORS = (*BUILT_IN, MAIL, PASSKEY)
MAILED = Proof("email_code", 110, ("otp",))


def asked(policy: SecondFactorPolicy = OPTIONAL, **changes: Any) -> StepDemand:
    """The demand on a sign-in to the shop, by a buyer without second factor."""
    values: dict[str, Any] = {
        "roles": (BUYER,),
        "client": SHOP,
        "row": None,
        "enrolled": False,
        "acr": None,
        "prompted": False,
        "now": NOW,
    }
    return demand(policy, **values | changes)


@pytest.mark.requirement(85)
@pytest.mark.parametrize(
    ("policy", "changes", "because"),
    [
        (OPTIONAL, {}, None),
        (OPTIONAL, {"enrolled": True}, "enrolled"),
        (SecondFactorPolicy(require="off"), {"enrolled": True}, "enrolled"),
        (REQUIRED, {}, "policy"),
        (OPTIONAL, {"roles": (BUYER, AUDITOR)}, "role"),
        (OPTIONAL, {"client": STRICT}, "app"),
        (OPTIONAL, {"row": FactorDemand(account_id="a", required_at=NOW - DAY)}, "operator"),
        (OPTIONAL, {"row": FactorDemand(account_id="a", asked_at=NOW - DAY)}, None),
    ],
)
def test_each_reason_alone_demands_two_steps(
    policy: SecondFactorPolicy, changes: dict[str, Any], because: str | None
) -> None:
    found = asked(policy, **changes)
    assert found.because == because
    assert found.steps == (1 if because is None else 2)
    assert found.grace_until is None


def test_what_may_be_set_up_is_a_setting() -> None:
    assert asked().kinds == {"passkey", "totp"}
    assert asked(SecondFactorPolicy(kinds=("sms",))).kinds == {"sms"}
    assert asked(SecondFactorPolicy(require="off")).kinds == frozenset()


def test_the_grace_period_begins_when_it_is_first_asked_for_and_ends() -> None:
    policy = SecondFactorPolicy(require="required", grace=7 * DAY)
    assert asked(policy).grace_until == NOW + 7 * DAY
    earlier = FactorDemand(account_id="a", asked_at=NOW - 6 * DAY)
    assert asked(policy, row=earlier).grace_until == NOW + DAY
    assert asked(policy, row=FactorDemand(account_id="a", asked_at=NOW - 7 * DAY)).grace_until is None
    # an operator's demand has an end of its own, and the earliest one counts
    operator = FactorDemand(account_id="a", required_at=NOW - DAY, grace_until=NOW + 60)
    assert asked(policy, row=operator).grace_until == NOW + 60
    assert asked(policy, row=FactorDemand(account_id="a", required_at=NOW - DAY)).grace_until is None
    # an enrolled factor is never put off
    assert asked(policy, enrolled=True).grace_until is None


def test_a_remembered_device_lowers_a_demand_only_where_nobody_asks_for_more() -> None:
    assert asked(enrolled=True).rememberable
    assert asked(enrolled=True).lowered().steps == 1
    assert asked(REQUIRED).rememberable
    assert asked(enrolled=True, acr=AAL1).rememberable
    old = FactorDemand(account_id="a", required_at=NOW - DAY)
    assert asked(enrolled=True, row=old).rememberable
    more: tuple[dict[str, Any], ...] = (
        {"acr": AAL2},
        {"acr": PHR},
        {"prompted": True},
        {"row": FactorDemand(account_id="a", required_at=NOW - 60)},
    )
    for changes in more:
        found = asked(enrolled=True, **changes)
        assert not found.rememberable
        assert found.lowered() == found
    assert not asked(SecondFactorPolicy(ask="each_sign_in"), enrolled=True).rememberable


SETTINGS = st.builds(
    SecondFactorPolicy,
    require=st.sampled_from(["off", "optional", "required"]),
    ask=st.sampled_from(["each_sign_in", "remembered"]),
    grace=st.integers(0, 90 * DAY),
)
ROWS = st.none() | st.builds(
    FactorDemand,
    account_id=st.just("usr_a"),
    asked_at=st.none() | st.integers(NOW - 99 * DAY, NOW),
    required_at=st.none() | st.integers(NOW - 99 * DAY, NOW),
    grace_until=st.none() | st.integers(NOW - 99 * DAY, NOW + 99 * DAY),
)


@pytest.mark.requirement(38, 85)
@given(SETTINGS, ROWS, st.booleans(), st.booleans(), WISHES, st.booleans())
def test_an_app_never_lowers_a_demand(
    policy: SecondFactorPolicy,
    row: FactorDemand | None,
    enrolled: bool,
    auditor: bool,
    acr: str | None,
    prompted: bool,
) -> None:
    held = {"row": row, "enrolled": enrolled, "roles": (AUDITOR,) if auditor else ()}
    usual = asked(policy, client=None, **held)
    for client in (SHOP, STRICT):
        found = asked(policy, client=client, acr=acr, prompted=prompted, **held)
        assert found.steps >= usual.steps
        assert found.lowered().steps >= usual.lowered().steps
        if usual.steps == 2:
            # it can only shorten the time in which a person may put the enrolment off
            assert (found.grace_until or 0) <= (usual.grace_until or 0)


@pytest.mark.requirement(85)
@given(servers(), PROOFS, ENROLLED, WISHES, BOUNDS, st.sampled_from([1, 2]))
def test_where_nothing_may_be_shown_next_the_steps_are_met_or_none_can_be_added(
    factors: tuple[FactorTraits, ...],
    proofs: tuple[Proof, ...],
    enrolled: frozenset[str],
    wish: str | None,
    fresh_after: int | None,
    steps: Any,
) -> None:
    wanted = StepDemand(steps=steps, acr=wish)
    found = next_factors(factors, proofs=proofs, enrolled=enrolled, demand=wanted, fresh_after=fresh_after)
    done = met(factors, proofs=proofs, enrolled=enrolled, demand=wanted, fresh_after=fresh_after)
    if not found and not done and any(one.comes_first and one.counts_for for one in factors):
        shown = {proof.kind for proof in proofs if fresh_after is None or proof.at >= fresh_after}
        have = {category for one in factors if one.kind in shown for category in one.counts_for}
        assert not any(one.counts_for - have for one in factors if one.kind in enrolled and not one.backup)


def acceptable(*proofs: Proof, enrolled: set[str], **wanted: Any) -> list[str]:
    found = next_factors(
        FACTORS, proofs=proofs, enrolled=frozenset(enrolled), demand=StepDemand(**wanted), fresh_after=None
    )
    return [one.kind for one in found]


def complete(*proofs: Proof, enrolled: set[str]) -> bool:
    return met(
        FACTORS, proofs=proofs, enrolled=frozenset(enrolled), demand=StepDemand(steps=2), fresh_after=None
    )


@pytest.mark.requirement(38)
def test_a_mailed_code_is_a_step_and_no_level() -> None:
    assert acceptable(PASSWORD, enrolled={"email_code"}, steps=2) == ["email_code"]
    both = (PASSWORD, MAILED)
    assert acceptable(*both, enrolled={"email_code"}, steps=2) == []
    assert complete(*both, enrolled={"email_code"})
    assert achieved(both, FACTORS).acr == AAL1
    assert "mfa" not in achieved(both, FACTORS).amr
    # an app that requests two factors gets the app's code, too
    assert acceptable(*both, enrolled={"email_code", "totp"}, acr=AAL2, steps=2) == ["totp"]
    assert acceptable(PASSWORD, enrolled={"email_code", "totp"}, acr=AAL2, steps=2) == ["totp"]
    assert acceptable(PASSWORD, enrolled={"email_code", "totp"}, steps=2) == ["totp", "email_code"]
    # recovery codes stand in for it, and raise nothing
    assert acceptable(PASSWORD, enrolled={"email_code", "recovery_code"}, acr=AAL2, steps=2) == [
        "email_code",
        "recovery_code",
    ]


@pytest.mark.requirement(85)
def test_who_signs_in_by_a_mailed_code_still_shows_the_second_factor() -> None:
    enrolled = {"password", "totp", "recovery_code"}
    # what completes the sign-in comes before what does not
    assert acceptable(MAILED, enrolled=enrolled, steps=2) == ["totp", "password", "recovery_code"]
    assert not complete(MAILED, enrolled=enrolled)
    assert acceptable(MAILED, TOTP, enrolled=enrolled, steps=2) == []
    assert complete(MAILED, TOTP, enrolled=enrolled)
    assert achieved((MAILED, TOTP), FACTORS).acr == AAL1
    # whoever has the mailbox can choose a new password: the two do not replace the authenticator app
    assert acceptable(MAILED, PASSWORD, enrolled=enrolled, steps=2) == ["totp", "recovery_code"]
    assert not complete(MAILED, PASSWORD, enrolled=enrolled)
    # where nothing is demanded, the code alone is enough
    assert acceptable(MAILED, enrolled={"password"}) == []


@pytest.mark.requirement(86)
def test_a_passkey_that_knows_its_user_is_two_steps_alone() -> None:
    passkey = Proof("passkey", 100, ("swk", "user"), phishing_resistant=True)
    assert acceptable(passkey, enrolled={"passkey", "password", "totp"}, steps=2, acr=AAL2) == []
    assert achieved((passkey,), FACTORS).acr == AAL2


def test_an_app_that_requests_phishing_resistance_gets_it_where_the_person_can() -> None:
    both = (PASSWORD, TOTP)
    assert acceptable(*both, enrolled={"totp", "passkey"}, acr=PHR, steps=2) == ["passkey"]
    assert acceptable(*both, enrolled={"totp"}, acr=PHR, steps=2) == []
