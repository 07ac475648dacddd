"""Proof of a password: it ends when another password is set (R94)."""

from __future__ import annotations

from typing import Final

from doorward.core.model.account import Account
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits

TRAITS: Final = FactorTraits(kind="password", amr=("pwd",), counts_for=frozenset({"known"}), comes_first=True)


def of_password(account: Account, at: int) -> Proof:
    """The proof of the account's current password, made at `at` (seconds)."""
    return Proof(TRAITS.kind, at, TRAITS.amr, against=account.password_state)


def stands(proof: Proof, account: Account) -> bool:
    """Whether the proof is of the account's current password. A change of password normally ends the sessions, unless the owner keeps
    them; proofs that a session vouches for are then compared by time."""
    if proof.against is None:
        return proof.at >= (account.password_changed_at or 0)
    return proof.against == account.password_state
