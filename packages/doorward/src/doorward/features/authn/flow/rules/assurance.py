"""Assurance of a sign-in: what its proofs amount to (OpenID Connect Core §2: acr, amr, auth_time; RFC 8176; NIST SP 800-63B-4 §2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof

Category = Literal["known", "held", "inherent"]
"""What a person shows: something they know, something they have, something they are."""

MULTI_FACTOR: Final = "mfa"
"""The method reference of a sign-in with factors of different categories (RFC 8176 §2)."""


class FactorTraits(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a factor.

    `kind` is stored with every proof and never changes; `amr` are its method references. `counts_for`: two factors of one category are
    one factor still. `comes_first`: it says who the person is, so that a sign-in may begin with it. `always_asked`: once set up, it is
    asked for at every sign-in, whatever the app wants. `backup`: it stands in for other factors that are set up, and asks for nothing
    by itself.
    """

    kind: str
    amr: tuple[str, ...]
    counts_for: frozenset[Category]
    comes_first: bool = False
    always_asked: bool = False
    backup: bool = False


class Achieved(Struct, frozen=True):
    """What goes into session and tokens. `auth_time` in seconds: when the person last actively proved something."""

    acr: str
    amr: tuple[str, ...]
    auth_time: int


def counting(proofs: Sequence[Proof], fresh_after: int | None) -> tuple[Proof, ...]:
    """The proofs that are new enough (prompt=login, max_age: OpenID Connect Core §3.1.2.1)."""
    return tuple(proof for proof in proofs if fresh_after is None or proof.at >= fresh_after)


def categories(kinds: Collection[str], factors: Iterable[FactorTraits]) -> frozenset[Category]:
    """What proofs of these kinds count for. A kind that no factor has counts for nothing."""
    return frozenset(category for one in factors if one.kind in kinds for category in one.counts_for)


def level(shown: frozenset[Category]) -> str:
    """The level of these categories together: two different ones are the second."""
    return AAL2 if len(shown) > 1 else AAL1


def achieved(proofs: Sequence[Proof], factors: Sequence[FactorTraits]) -> Achieved:
    """Two different categories of factor are AAL2 and `mfa`; two proofs of the same one are still one factor. A proof of a kind that is
    no factor here is passed over: what this program does not know adds nothing.

    Raises ValueError where no proof is left: nobody is signed in without having shown something.
    """
    kinds = {one.kind for one in factors}
    known = [proof for proof in proofs if proof.kind in kinds]
    shown = categories({proof.kind for proof in known}, factors)
    if not shown:
        raise ValueError("no proofs, no assurance")
    methods = dict.fromkeys(method for proof in known for method in proof.amr)
    reached = level(shown)
    if reached != AAL1:
        methods[MULTI_FACTOR] = None
    return Achieved(reached, tuple(methods), max(proof.at for proof in known))
