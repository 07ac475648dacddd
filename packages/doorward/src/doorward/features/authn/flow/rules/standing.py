"""Marks of factors: a proof stores the mark of its factor, so that it ends with the factor (R94)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits


def mark(row: EnrolledFactor) -> int:
    """A digest of the factor's id, for `Proof.against`. It is stored, so it never changes."""
    return int.from_bytes(hashlib.sha256(row.id.encode()).digest()[:6], "big")


def shown_with(
    factor: FactorTraits, row: EnrolledFactor, at: int, *, phishing_resistant: bool = False
) -> Proof:
    """The proof by a factor of the account, made at `at` (seconds)."""
    return Proof(factor.kind, at, factor.amr, phishing_resistant, mark(row))


def stands_by(proof: Proof, rows: Sequence[EnrolledFactor], kinds: Collection[str]) -> bool:
    """Whether a proof still counts: its factor must still exist. Most proofs from a session have no mark; for them a factor of one of
    these kinds must exist that is not newer than the proof."""
    if proof.against is not None:
        return any(mark(row) == proof.against for row in rows)
    return any(row.kind in kinds and row.created_at <= proof.at for row in rows)
