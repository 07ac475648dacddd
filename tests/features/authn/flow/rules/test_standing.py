"""Proofs of enrolled factors: they end with the factor that they were made with."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.recovery_codes import rules as recovery_codes
from doorward.features.authn.factors.totp import rules as totp
from doorward.features.authn.flow.rules import standing as rule

pytestmark = pytest.mark.requirement(94)
APP = EnrolledFactor("fac_app", "usr_ada", "totp", 600)
CODES = tuple(EnrolledFactor(f"fac_code{n}", "usr_ada", "recovery_code", 600) for n in range(2))
FACTORS = (APP, *CODES)


def test_a_proof_without_state_is_judged_by_its_time() -> None:
    for held, method in (({totp.TRAITS.kind}, "otp"), (recovery_codes.STANDS_IN_FOR, "rc")):
        seen = Proof("totp" if method == "otp" else "recovery_code", 700, (method,))
        assert rule.stands_by(seen, FACTORS, held)
        assert not rule.stands_by(seen, (replace(APP, id="fac_new", created_at=701), *CODES), held)
        assert not rule.stands_by(seen, (), held)


def test_a_second_factor_proof_ends_when_the_factor_is_removed() -> None:
    shown = rule.shown_with(totp.TRAITS, APP, 1000)
    assert rule.stands_by(shown, FACTORS, {"totp"})
    # another app, set up in the same second as the proof or, by a wrong clock, before it
    for created in (999, 1000, 1001):
        other = replace(APP, id="fac_other", created_at=created)
        assert not rule.stands_by(shown, (other, *CODES), {"totp"})


def test_a_recovery_code_proof_ends_when_new_codes_are_made() -> None:
    shown = rule.shown_with(recovery_codes.TRAITS, CODES[0], 1000)
    spent = (APP, replace(CODES[0], used_at=1000), CODES[1])
    assert rule.stands_by(shown, spent, {"totp"})
    assert not rule.stands_by(shown, (APP, replace(CODES[0], id="fac_new")), {"totp"})


def test_the_stored_mark_of_a_factor_is_a_pinned_value() -> None:
    assert rule.mark(APP) == 0xA78AE4944E51
    assert rule.shown_with(totp.TRAITS, APP, 7) == Proof("totp", 7, ("otp",), against=rule.mark(APP))
    assert rule.stands_by(rule.shown_with(recovery_codes.TRAITS, CODES[0], 7), FACTORS, {"totp"})
