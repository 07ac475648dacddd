"""What do the proofs amount to? (OpenID Connect Core §2: acr, amr, auth_time; RFC 8176; NIST SP 800-63B-4 §2)"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof

SECOND_FACTORS = frozenset({"totp", "recovery_code"})


class Achieved(Struct, frozen=True):
    """What goes into session and tokens. `auth_time` in seconds: when the person last actively proved something."""

    acr: str
    amr: tuple[str, ...]
    auth_time: int


def counting(proofs: Sequence[Proof], fresh_after: int | None) -> tuple[Proof, ...]:
    """The proofs that are new enough (prompt=login, max_age: OpenID Connect Core §3.1.2.1)."""
    return tuple(proof for proof in proofs if fresh_after is None or proof.at >= fresh_after)


def achieved(proofs: Sequence[Proof]) -> Achieved:
    """Two different kinds of factor are AAL2 and `mfa`; two proofs by the same one are still one factor.

    Raises ValueError for no proofs at all: nobody is signed in without having shown something.
    """
    if not proofs:
        raise ValueError("no proofs, no assurance")
    methods = dict.fromkeys(method for proof in proofs for method in proof.amr)
    both = any(proof.kind == "password" for proof in proofs) and any(
        proof.kind in SECOND_FACTORS for proof in proofs
    )
    if both:
        methods["mfa"] = None
    return Achieved(AAL2 if both else AAL1, tuple(methods), max(proof.at for proof in proofs))
