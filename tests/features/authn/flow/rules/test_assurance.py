"""Assurance: the acr, amr and auth_time that follow from proofs."""

from __future__ import annotations

import pytest

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import achieved, categories, counting, level
from tests.features.authn.flow.rules.test_next_factors import BUILT_IN

PASSWORD = Proof("password", 100, ("pwd",))


def test_one_factor_is_the_first_level() -> None:
    reached = achieved([PASSWORD], BUILT_IN)
    assert (reached.acr, reached.amr, reached.auth_time) == (AAL1, ("pwd",), 100)


@pytest.mark.parametrize(
    ("kind", "method"), [("totp", "otp"), ("recovery_code", "otp"), ("recovery_code", "rc")]
)
def test_a_password_and_a_second_factor_are_the_second_level(kind: str, method: str) -> None:
    reached = achieved([PASSWORD, Proof(kind, 140, (method,))], BUILT_IN)
    assert (reached.acr, reached.amr, reached.auth_time) == (AAL2, ("pwd", method, "mfa"), 140)


def test_two_factors_with_one_method_reference_name_it_once() -> None:
    reached = achieved([PASSWORD, Proof("totp", 1, ("otp",)), Proof("recovery_code", 2, ("otp",))], BUILT_IN)
    assert (reached.acr, reached.amr) == (AAL2, ("pwd", "otp", "mfa"))


def test_the_same_factor_twice_is_one_factor() -> None:
    assert achieved([PASSWORD, Proof("password", 150, ("pwd",))], BUILT_IN).acr == AAL1
    assert achieved([Proof("totp", 1, ("otp",)), Proof("recovery_code", 2, ("rc",))], BUILT_IN).acr == AAL1


def test_no_proof_is_an_error() -> None:
    with pytest.raises(ValueError, match="no proofs"):
        achieved([], BUILT_IN)


def test_only_sufficiently_recent_proofs_are_kept() -> None:
    old, new = Proof("password", 10, ("pwd",)), Proof("totp", 20, ("otp",))
    assert counting([old, new], None) == (old, new)
    assert counting([old, new], 20) == (new,)
    assert counting([old, new], 21) == ()


@pytest.mark.requirement(85)
def test_a_proof_of_an_unknown_kind_adds_neither_level_nor_method_nor_time() -> None:
    unknown = Proof("unheard_of", 900, ("hwk",), phishing_resistant=True)
    assert achieved([PASSWORD, unknown], BUILT_IN) == achieved([PASSWORD], BUILT_IN)
    with pytest.raises(ValueError, match="no proofs"):
        achieved([unknown], BUILT_IN)


def test_categories_are_counted_instead_of_kinds() -> None:
    assert categories({"totp", "recovery_code", "unheard_of"}, BUILT_IN) == {"held"}
    assert (level(frozenset({"held"})), level(frozenset({"held", "known"}))) == (AAL1, AAL2)
