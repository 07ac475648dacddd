"""Proofs by a directory."""

from __future__ import annotations

from msgspec import structs

from doorward.core.model.account import EnrolledFactor
from doorward.features.authn.directories.rules.proof import (
    KIND,
    TRAITS,
    directory_mark,
    proof_of,
    rows_of,
    suspended,
)
from doorward.features.authn.flow.rules.standing import stands_by

ROW = EnrolledFactor("fac_1", "usr_1", KIND, 5, code_hash=directory_mark("corp"))


def test_a_proof_ends_with_its_connection() -> None:
    proof = proof_of(ROW, 9)
    assert (proof.kind, proof.amr) == (KIND, ("pwd",))
    assert stands_by(proof, [ROW], {KIND})
    assert not stands_by(proof, [structs.replace(ROW, id="fac_2")], {KIND})


def test_a_directory_that_left_the_settings_counts_no_more() -> None:
    assert rows_of([ROW], {"corp"}) == [ROW]
    assert rows_of([ROW], {"other"}) == []
    assert rows_of([structs.replace(ROW, kind="totp")], {"corp"}) == []


def test_it_is_one_factor_of_knowledge_and_may_be_suspended() -> None:
    assert TRAITS.counts_for == {"known"}
    assert not suspended(ROW)
    assert suspended(structs.replace(ROW, used_at=7))
