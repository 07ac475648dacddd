"""Password proof: it ends when another password is set."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from doorward.core.model.account import Account
from doorward.core.model.signin import Proof
from doorward.features.authn.factors.password.rules import proof as rule

pytestmark = pytest.mark.requirement(94)
ADA = Account("usr_ada", "ada@example.com", 100, password_hash="x", password_changed_at=500)


def test_a_password_proof_ends_when_another_is_set_even_in_the_same_second() -> None:
    proof = rule.of_password(ADA, 1000)
    assert rule.stands(proof, ADA)
    for moment in (999, 1000, 1001):
        assert not rule.stands(proof, replace(ADA, password_changed_at=moment))
    # another password of the same second, and no password
    for other in ("y", None):
        assert not rule.stands(proof, ADA.with_password(other, ADA.password_changed_at))


def test_a_proof_stands_while_the_hash_of_the_password_is_made_anew() -> None:
    assert rule.stands(rule.of_password(ADA, 1000), replace(ADA, password_hash="y"))


def test_a_proof_without_state_is_judged_by_its_time() -> None:
    vouched = Proof("password", 1000, ("pwd",))
    assert rule.stands(vouched, replace(ADA, password_changed_at=1000))
    assert not rule.stands(vouched, replace(ADA, password_changed_at=1001))
