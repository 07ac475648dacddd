"""Assurance level of a sign-in from its proofs (OpenID Connect Core §2: acr, amr, auth_time; RFC 8176; NIST SP 800-63B-4 §2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.signin import Proof

Category = Literal["known", "held", "inherent"]
"""Something the person knows, has, or is."""

MULTI_FACTOR: Final = "mfa"
"""The authentication method reference for factors of different categories (RFC 8176 §2)."""


class FactorTraits(Struct, frozen=True, kw_only=True):
    """Properties of a factor that the rules need.

    `kind` is stored with every proof and never changes; `amr` are its method references. `counts_for`: two factors of one category
    count as one factor. `comes_first`: it identifies the person, so that a sign-in may begin with it. `always_asked`: once it is
    set up, every sign-in requires AAL2, whatever the app requests; another factor may reach that too. `backup`: it stands in for other
    factors that are set up, and is never required by itself. `restricted`: it is a step of a sign-in, and raises no level
    (NIST SP 800-63B-4 §3.1.3 allows no mailbox). `phishing_resistant`: it proves itself to this origin only (§3.2.5).
    """

    kind: str
    amr: tuple[str, ...]
    counts_for: frozenset[Category]
    comes_first: bool = False
    always_asked: bool = False
    backup: bool = False
    restricted: bool = False
    phishing_resistant: bool = False


class Achieved(Struct, frozen=True):
    """The result for session and tokens. `auth_time` in seconds: the time of the last active proof."""

    acr: str
    amr: tuple[str, ...]
    auth_time: int


def counting(proofs: Sequence[Proof], fresh_after: int | None) -> tuple[Proof, ...]:
    """The proofs that are recent enough (prompt=login, max_age: OpenID Connect Core §3.1.2.1)."""
    return tuple(proof for proof in proofs if fresh_after is None or proof.at >= fresh_after)


def categories(kinds: Collection[str], factors: Iterable[FactorTraits]) -> frozenset[Category]:
    """The categories of proofs of these kinds. A kind without a factor has none."""
    return frozenset(category for one in factors if one.kind in kinds for category in one.counts_for)


def steps(
    kinds: Collection[str], factors: Sequence[FactorTraits], enrolled: Collection[str]
) -> frozenset[str]:
    """What tells the steps of a sign-in apart: the categories of proofs of these kinds, and one more for all restricted ones.

    A restricted proof with which a sign-in began is a step only beside a second factor, or if its factor is enrolled as one: whoever
    has the mailbox can also set the password, so the two together must not replace the second factor of the person.
    """
    shown = [one for one in factors if one.kind in kinds]
    beside = any(not one.comes_first and not one.restricted and one.counts_for for one in shown)
    counted = [one for one in shown if not one.restricted or beside or one.kind in enrolled]
    return frozenset(step for one in counted for step in steps_of(one))


def steps_of(one: FactorTraits) -> frozenset[str]:
    """What the factor adds to a sign-in."""
    return frozenset({"restricted"}) if one.restricted and one.counts_for else frozenset(one.counts_for)


def strong(factors: Iterable[FactorTraits]) -> tuple[FactorTraits, ...]:
    """The factors that can raise a level."""
    return tuple(one for one in factors if not one.restricted)


def level(shown: frozenset[Category]) -> str:
    """The level of these categories: AAL2 for two different ones."""
    return AAL2 if len(shown) > 1 else AAL1


def achieved(proofs: Sequence[Proof], factors: Sequence[FactorTraits]) -> Achieved:
    """The assurance level of the proofs: two different categories are AAL2 and `mfa`; two proofs of one category are one factor. A
    restricted proof counts for neither. A proof whose kind has no factor on this server is ignored.

    Raises ValueError if no proof is left, so that no sign-in succeeds without one.
    """
    kinds = {one.kind for one in factors}
    known = [proof for proof in proofs if proof.kind in kinds]
    shown = {proof.kind for proof in known}
    if not categories(shown, factors):
        raise ValueError("no proofs, no assurance")
    methods = dict.fromkeys(method for proof in known for method in proof.amr)
    reached = level(categories(shown, strong(factors)))
    if reached != AAL1:
        methods[MULTI_FACTOR] = None
    return Achieved(reached, tuple(methods), max(proof.at for proof in known))
