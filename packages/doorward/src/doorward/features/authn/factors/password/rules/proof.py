"""Proof of a password: it ends when another password is set (R94)."""

from __future__ import annotations

from typing import Final

from doorward.core.model.account import Account
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits

TRAITS: Final = FactorTraits(kind="password", amr=("pwd",), counts_for=frozenset({"known"}), comes_first=True)


def of_password(account: Account, at: int) -> Proof:
    """The proof of the account's password as it is now, shown at `at` (seconds)."""
    return Proof(TRAITS.kind, at, TRAITS.amr, against=_set_at(account))


def stands(proof: Proof, account: Account) -> bool:
    """Whether the proof is of the password that the account has now. With the password its sessions end, unless the owner said
    otherwise; what they vouch for is told by its time."""
    return proof.at >= _set_at(account) if proof.against is None else proof.against == _set_at(account)


def _set_at(account: Account) -> int:
    return account.password_changed_at or 0
