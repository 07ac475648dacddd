"""What do proofs amount to, as acr, amr and auth_time?"""

from __future__ import annotations

import pytest

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import achieved, counting

PASSWORD = Proof("password", 100, ("pwd",))


def test_one_factor_is_the_first_level() -> None:
    reached = achieved([PASSWORD])
    assert (reached.acr, reached.amr, reached.auth_time) == (AAL1, ("pwd",), 100)


@pytest.mark.parametrize(("kind", "method"), [("totp", "otp"), ("recovery_code", "rc")])
def test_a_password_and_a_second_factor_are_two(kind: str, method: str) -> None:
    reached = achieved([PASSWORD, Proof(kind, 140, (method,))])  # type: ignore[arg-type]
    assert (reached.acr, reached.amr, reached.auth_time) == (AAL2, ("pwd", method, "mfa"), 140)


def test_the_same_factor_twice_is_one_factor() -> None:
    assert achieved([PASSWORD, Proof("password", 150, ("pwd",))]).acr == AAL1
    assert achieved([Proof("totp", 1, ("otp",)), Proof("recovery_code", 2, ("rc",))]).acr == AAL1


def test_nothing_shown_is_an_error_and_not_a_level() -> None:
    with pytest.raises(ValueError, match="no proofs"):
        achieved([])


def test_counting_keeps_what_is_new_enough() -> None:
    old, new = Proof("password", 10, ("pwd",)), Proof("totp", 20, ("otp",))
    assert counting([old, new], None) == (old, new)
    assert counting([old, new], 20) == (new,)
    assert counting([old, new], 21) == ()
