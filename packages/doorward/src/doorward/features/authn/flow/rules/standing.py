"""Marks of factors: what a proof keeps of the one that it was made with, so that it ends with that one (R94)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits


def mark(row: EnrolledFactor) -> int:
    """A digest of the factor's id, as `Proof.against`. It is stored: it never changes."""
    return int.from_bytes(hashlib.sha256(row.id.encode()).digest()[:6], "big")


def shown_with(
    factor: FactorTraits, row: EnrolledFactor, at: int, *, phishing_resistant: bool = False
) -> Proof:
    """The proof of a factor that the account has set up, shown at `at` (seconds)."""
    return Proof(factor.kind, at, factor.amr, phishing_resistant, mark(row))


def stands_by(proof: Proof, rows: Sequence[EnrolledFactor], kind: str) -> bool:
    """Whether a proof still counts: the factor that it was made with is there. What a session vouches for carries no mark: a factor of
    `kind` that was set up since is another one than was shown."""
    if proof.against is not None:
        return any(mark(row) == proof.against for row in rows)
    return any(row.kind == kind and row.created_at <= proof.at for row in rows)
