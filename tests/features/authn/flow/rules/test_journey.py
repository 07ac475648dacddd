"""What is asked next, for every combination of what was shown and what is set up?"""

from __future__ import annotations

from itertools import product

import pytest

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.journey import next_step

PASSWORD = Proof("password", 100, ("pwd",))
TOTP = Proof("totp", 110, ("otp",))
RECOVERY = Proof("recovery_code", 110, ("rc",))


@pytest.mark.requirement(85)
@pytest.mark.parametrize(
    ("proofs", "enrolled", "step"),
    [
        ((), set(), "password"),
        ((), {"totp"}, "password"),
        ((PASSWORD,), set(), None),
        ((PASSWORD,), {"totp", "recovery_code"}, "second_factor"),
        ((PASSWORD, TOTP), {"totp"}, None),
        ((PASSWORD, RECOVERY), {"totp", "recovery_code"}, None),
        ((TOTP,), {"totp"}, "password"),
        ((RECOVERY,), {"totp", "recovery_code"}, "password"),
        # codes that were left behind stand in for an app that is no longer there: they ask for nothing
        ((PASSWORD,), {"recovery_code"}, None),
    ],
)
def test_what_is_set_up_is_always_asked_for_whatever_the_app_wants(
    proofs: tuple[Proof, ...], enrolled: set[str], step: str | None
) -> None:
    for wanted in (None, AAL1, AAL2, "urn:somebody:else"):
        found = next_step(proofs=proofs, enrolled=frozenset(enrolled), wanted_acr=wanted, fresh_after=None)
        assert found == step


@pytest.mark.requirement(85)
def test_no_order_and_no_level_of_proofs_gets_past_a_second_factor_that_is_set_up() -> None:
    others = [PASSWORD, Proof("password", 120, ("pwd",))]
    for count, wanted in product(range(3), (None, AAL1)):
        step = next_step(
            proofs=tuple(others[:count]), enrolled=frozenset({"totp"}), wanted_acr=wanted, fresh_after=None
        )
        assert step is not None


def test_a_proof_from_before_the_bound_does_not_count() -> None:
    both = (PASSWORD, TOTP)
    enrolled = frozenset({"totp"})
    assert next_step(proofs=both, enrolled=enrolled, wanted_acr=None, fresh_after=100) is None
    assert next_step(proofs=both, enrolled=enrolled, wanted_acr=None, fresh_after=101) == "password"
    newer = (Proof("password", 130, ("pwd",)), TOTP)
    assert next_step(proofs=newer, enrolled=enrolled, wanted_acr=None, fresh_after=120) == "second_factor"
