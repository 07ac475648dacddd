"""Proofs that still count. A proof ends with the state that it was made for: password, address, factor, account (line 94)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from doorward.core.model.account import Account, Factor
from doorward.core.model.message import Ticket
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import SECOND_FACTORS


def of_password(account: Account, at: int) -> Proof:
    """The proof of the account's password as it is now, shown at `at` (seconds)."""
    return Proof("password", at, ("pwd",), against=_set_at(account))


def of_totp(factor: Factor, at: int) -> Proof:
    """The proof of an authenticator app."""
    return Proof("totp", at, ("otp",), against=_mark(factor))


def of_recovery_code(factor: Factor, at: int) -> Proof:
    """The proof of a recovery code. No registered method reference fits one (RFC 8176 §2); "rc" is ours."""
    return Proof("recovery_code", at, ("rc",), against=_mark(factor))


def standing(proofs: Sequence[Proof], account: Account, factors: Sequence[Factor]) -> tuple[Proof, ...]:
    """The proofs that still count for `account`, whose second factors are `factors`."""
    return tuple(proof for proof in proofs if _stands(proof, account, factors))


def for_ticket(account: Account | None) -> dict[str, Any]:
    """What a ticket that opens an account keeps of its state."""
    return {} if account is None else {"against": _set_at(account)}


def ticket_stands(ticket: Ticket, account: Account | None) -> bool:
    """Whether a ticket still opens the account that it was made for: not once its address or its password is another, and not while
    it is disabled."""
    if account is None or account.disabled_at is not None:
        return False
    if account.id != ticket.account_id or account.email != ticket.email:
        return False
    against = ticket.payload.get("against")
    # one of the version before kept no state: the times have to tell
    return _set_at(account) < ticket.created_at if against is None else against == _set_at(account)


def _stands(proof: Proof, account: Account, factors: Sequence[Factor]) -> bool:
    if proof.kind in SECOND_FACTORS:
        if proof.against is not None:
            return any(_mark(factor) == proof.against for factor in factors)
        # An authenticator app that was set up since is another one, and the codes that stood in for the one before are gone with it.
        return any(factor.kind == "totp" and factor.created_at <= proof.at for factor in factors)
    # with the password its sessions end, unless the owner said otherwise
    return proof.at >= _set_at(account) if proof.against is None else proof.against == _set_at(account)


def _set_at(account: Account) -> int:
    return account.password_changed_at or 0


def _mark(factor: Factor) -> int:
    return int.from_bytes(hashlib.sha256(factor.id.encode()).digest()[:6], "big")
