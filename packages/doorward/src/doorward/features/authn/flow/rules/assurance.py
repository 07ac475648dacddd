"""Assurance level of a sign-in from its proofs (OpenID Connect Core §2: acr, amr, auth_time; RFC 8176; NIST SP 800-63B-4 §2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.levels import AAL1, AAL2, AAL3, LEVELS, PHR, PHRH
from doorward.core.model.signin import Proof

Category = Literal["known", "held", "inherent"]
"""Something the person knows, has, or is."""

MULTI_FACTOR: Final = "mfa"
"""The authentication method reference for factors of different categories (RFC 8176 §2)."""

HARDWARE: Final = "hwk"
"""The method reference of a key that hardware protects (RFC 8176 §2); a proof has it only if a verified attestation says so."""


class FactorTraits(Struct, frozen=True, kw_only=True):
    """Properties of a factor that the rules need.

    `kind` is stored with every proof and never changes; `amr` are its method references. `counts_for`: two factors of one category
    count as one factor. `comes_first`: it identifies the person, so that a sign-in may begin with it. `always_asked`: once it is
    set up, every sign-in requires AAL2, whatever the app requests; another factor may reach that too. `backup`: it stands in for other
    factors that are set up, and is never required by itself. `restricted`: it is a step of a sign-in, and raises no level
    (NIST SP 800-63B-4 §3.1.3 allows no mailbox). `phishing_resistant`: it proves itself to this origin only (§3.2.5).
    `hardware`: the server can verify that hardware protects its key; a proof then has the method `hwk`.
    """

    kind: str
    amr: tuple[str, ...]
    counts_for: frozenset[Category]
    comes_first: bool = False
    always_asked: bool = False
    backup: bool = False
    restricted: bool = False
    phishing_resistant: bool = False
    hardware: bool = False


class Achieved(Struct, frozen=True):
    """The result for session and tokens. `auth_time` in seconds: the time of the last active proof.

    `acr` is AAL1 or AAL2, which sessions store: programs of before compare with these. `levels` are all that were reached, of which a
    token names the one that its app asked for.
    """

    acr: str
    amr: tuple[str, ...]
    auth_time: int
    levels: frozenset[str] = frozenset()


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


def levels(proofs: Sequence[Proof], factors: Sequence[FactorTraits]) -> frozenset[str]:
    """All levels that the proofs reach (NIST SP 800-63B-4 §2). Two different categories are AAL2; with a phishing-resistant proof among
    them they are `phr`, and by a key in hardware `phrh`; if that key itself also verified its user, AAL3."""
    counts = {one.kind: one.counts_for for one in strong(factors)}
    reached = level(categories({proof.kind for proof in proofs}, strong(factors)))
    if reached == AAL2:
        resistant = [proof for proof in proofs if proof.phishing_resistant and proof.kind in counts]
        hardware = [proof for proof in resistant if HARDWARE in proof.amr]
        if any(len(counts[proof.kind]) > 1 for proof in hardware):
            reached = AAL3
        elif hardware:
            reached = PHRH
        elif resistant:
            reached = PHR
    return frozenset(LEVELS[: LEVELS.index(reached) + 1])


def attainable(factors: Sequence[FactorTraits]) -> tuple[str, ...]:
    """The levels that people can reach with these factors, weakest first."""
    best = [
        Proof(
            one.kind,
            0,
            (HARDWARE,) if one.hardware else one.amr,
            phishing_resistant=one.phishing_resistant,
        )
        for one in factors
    ]
    reached = levels(best, factors)
    return tuple(value for value in LEVELS if value in reached)


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
    at = max(proof.at for proof in known)
    return Achieved(reached, tuple(methods), at, levels(known, factors))
