"""Proofs that a session vouches for: those stored with it, or those derived from its `amr`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import structs

from doorward.core.model.provider import FEDERATED
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import MULTI_FACTOR

FROM_AMR: Final = (("password", "pwd"), ("totp", "otp"), ("recovery_code", "rc"))
"""Kinds derived from `amr`, for sessions without stored proofs. The list is closed: versions that do not store proofs have no other
factors, and they wrote `rc` for a recovery code."""


def from_session(session: Session, kinds: Collection[str]) -> tuple[Proof, ...]:
    """The session's proofs, all with the time of its last proof: stepping up renews the session as a whole, and `auth_time` tells apps
    so (OpenID Connect Core §3.1.2.1).

    `kinds` are those of this server's factors; others are ignored. Stored proofs count only if they match the session's `amr` and
    `auth_time`: a node of the previous version changes those, but not the proofs.
    """
    return tuple(
        Proof(proof.kind, session.auth_time, proof.amr, proof.phishing_resistant, proof.against)
        for proof in of_own_times(session)
        if proof.kind in kinds
    )


def of_own_times(session: Session) -> tuple[Proof, ...]:
    """The session's proofs, each with its own time as far as it is known. Code that sets a new `auth_time` keeps only those that still
    stand at their own time: measured by the new `auth_time`, a removed factor's proof would stand for the factor that replaced it."""
    return session.proofs if adds_up(session) else _from_amr(session)


def adds_up(session: Session) -> bool:
    """Whether the stored proofs match the session's `amr` and `auth_time`."""
    methods = {method for proof in session.proofs for method in proof.amr}
    return (
        bool(session.proofs)
        and methods == set(session.amr) - {MULTI_FACTOR}
        and max(proof.at for proof in session.proofs) == session.auth_time
    )


def to_store(proofs: Sequence[Proof]) -> tuple[Proof, ...]:
    """The proofs of a finished sign-in for storage in its session: without the marks, since they end with the session. One of another
    service keeps its mark: its time is when the person signed in there, which may be long before their account there was connected here."""
    return tuple(one if FEDERATED in one.amr else structs.replace(one, against=None) for one in proofs)


def _from_amr(session: Session) -> tuple[Proof, ...]:
    amr = session.amr
    found = [Proof(kind, session.auth_time, (method,)) for kind, method in FROM_AMR if method in amr]
    # as before: a code of the app, otherwise a recovery code
    return tuple(one for one in found if one.kind != "recovery_code" or "otp" not in amr)
