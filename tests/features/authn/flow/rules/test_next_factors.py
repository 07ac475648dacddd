"""Next factors, for every combination of proofs and enrolled factors."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

import pytest

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.password.rules import proof as password
from doorward.features.authn.factors.recovery_codes import rules as recovery_codes
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.next_factors import next_factors
from doorward.features.authn.flow.rules.policy import StepDemand

BUILT_IN = (password.TRAITS, totp.TRAITS, recovery_codes.TRAITS)
TOY = FactorTraits(kind="toy", amr=("toy",), counts_for=frozenset({"held"}))
PROVIDER = FactorTraits(kind="provider", amr=("fed",), counts_for=frozenset({"known"}), comes_first=True)
PASSWORD = Proof("password", 100, ("pwd",))
TOTP = Proof("totp", 110, ("otp",))
RECOVERY = Proof("recovery_code", 110, ("rc",))
CODES = ["totp", "recovery_code"]


def demanded(factors: tuple[FactorTraits, ...], enrolled: Collection[str], wanted: str | None) -> StepDemand:
    """The demand where only enrolled factors and the app demand something."""
    asked = any(one.always_asked and one.kind in enrolled for one in factors)
    return StepDemand(steps=2 if asked else 1, acr=wanted)


def acceptable(
    *proofs: Proof,
    enrolled: set[str],
    wanted: str | None = None,
    fresh_after: int | None = None,
    factors: tuple[FactorTraits, ...] = BUILT_IN,
) -> list[str]:
    found = next_factors(
        factors,
        proofs=proofs,
        enrolled=frozenset(enrolled),
        demand=demanded(factors, enrolled, wanted),
        fresh_after=fresh_after,
    )
    return [one.kind for one in found]


@pytest.mark.requirement(85)
@pytest.mark.parametrize(
    ("proofs", "enrolled", "expected"),
    [
        ((), set(), ["password"]),
        ((), {"totp"}, ["password"]),
        ((PASSWORD,), set(), []),
        ((PASSWORD,), {"totp", "recovery_code"}, CODES),
        ((PASSWORD,), {"totp"}, ["totp"]),
        ((PASSWORD, TOTP), {"totp"}, []),
        ((PASSWORD, RECOVERY), {"totp", "recovery_code"}, []),
        ((TOTP,), {"totp"}, ["password"]),
        ((RECOVERY,), {"totp", "recovery_code"}, ["password"]),
        # leftover codes replace an app that no longer exists: they require nothing
        ((PASSWORD,), {"recovery_code"}, []),
    ],
)
def test_enrolled_factors_are_required_whatever_the_app_requests(
    proofs: tuple[Proof, ...], enrolled: set[str], expected: list[str]
) -> None:
    for wanted in (None, AAL1, AAL2, "urn:somebody:else"):
        assert acceptable(*proofs, enrolled=enrolled | {"password"}, wanted=wanted) == expected


@pytest.mark.requirement(85)
def test_no_order_or_level_of_proofs_bypasses_an_enrolled_second_factor() -> None:
    others = [PASSWORD, Proof("password", 120, ("pwd",))]
    for count, wanted in product(range(3), (None, AAL1)):
        assert acceptable(*others[:count], enrolled={"totp"}, wanted=wanted)


def test_a_proof_from_before_the_bound_does_not_count() -> None:
    both, enrolled = (PASSWORD, TOTP), {"totp"}
    assert acceptable(*both, enrolled=enrolled, fresh_after=100) == []
    assert acceptable(*both, enrolled=enrolled, fresh_after=101) == ["password"]
    assert acceptable(Proof("password", 130, ("pwd",)), TOTP, enrolled=enrolled, fresh_after=120) == ["totp"]


@pytest.mark.requirement(38)
def test_an_optional_factor_is_required_when_an_app_requests_a_higher_level() -> None:
    factors, enrolled = (*BUILT_IN, TOY), {"password", "toy", "recovery_code"}
    assert acceptable(PASSWORD, enrolled=enrolled, factors=factors) == []
    assert acceptable(PASSWORD, enrolled=enrolled, factors=factors, wanted=AAL1) == []
    assert acceptable(PASSWORD, enrolled=enrolled, factors=factors, wanted="urn:somebody:else") == []
    # its backup may be shown instead, after it
    assert acceptable(PASSWORD, enrolled=enrolled, factors=factors, wanted=AAL2) == ["toy", "recovery_code"]


def test_a_provider_can_come_first_and_counts_as_much_as_a_password() -> None:
    factors, enrolled = (*BUILT_IN, PROVIDER), {"password", "provider", "totp"}
    assert acceptable(enrolled=enrolled, factors=factors) == ["password", "provider"]
    came = Proof("provider", 100, ("fed",))
    assert acceptable(came, enrolled=enrolled, factors=factors) == ["totp"]
    # a password belongs to the same category: it would add nothing
    assert acceptable(came, enrolled=enrolled - {"totp"}, factors=factors, wanted=AAL2) == []
