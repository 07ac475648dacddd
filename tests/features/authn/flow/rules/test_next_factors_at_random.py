"""Next factors and assurance: invariants for every combination of factors, proofs, enrolments and requested levels."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doorward.core.model.levels import AAL1, AAL2, at_least
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits, achieved, categories, counting
from doorward.features.authn.flow.rules.next_factors import next_factors
from tests.features.authn.flow.rules.test_next_factors import demanded

KINDS = tuple(f"kind_{number}" for number in range(6))
UNKNOWN = "unheard_of"
NOW = 20
WISHES = st.sampled_from([None, AAL1, AAL2, "urn:somebody:else"])
ENROLLED = st.frozensets(st.sampled_from((*KINDS, UNKNOWN)))
BOUNDS = st.none() | st.integers(0, NOW)
PROOFS = st.lists(
    st.builds(
        lambda kind, at: Proof(kind, at, (kind,)), st.sampled_from((*KINDS, UNKNOWN)), st.integers(0, NOW)
    ),
    max_size=5,
).map(tuple)


@st.composite
def servers(draw: st.DrawFn) -> tuple[FactorTraits, ...]:
    """The factors of any server. A backup neither comes first nor is required by itself."""
    found: list[FactorTraits] = []
    for kind in draw(st.lists(st.sampled_from(KINDS), unique=True)):
        backup = draw(st.booleans())
        counts_for = draw(st.frozensets(st.sampled_from(["known", "held", "inherent"]), max_size=2))
        found.append(
            FactorTraits(
                kind=kind,
                amr=(kind,),
                counts_for=counts_for,  # type: ignore[arg-type]
                comes_first=not backup and draw(st.booleans()),
                always_asked=not backup and draw(st.booleans()),
                backup=backup,
            )
        )
    return tuple(found)


def begun(factors: tuple[FactorTraits, ...], kinds: set[str]) -> bool:
    """Whether the person is identified."""
    return any(one.comes_first and one.counts_for and one.kind in kinds for one in factors)


@pytest.mark.requirement(85)
@given(servers(), PROOFS, ENROLLED, WISHES, BOUNDS)
def test_only_factors_that_add_something_and_are_enrolled_are_asked_for(
    factors: tuple[FactorTraits, ...],
    proofs: tuple[Proof, ...],
    enrolled: frozenset[str],
    wish: str | None,
    fresh_after: int | None,
) -> None:
    found = next_factors(
        factors,
        proofs=proofs,
        enrolled=enrolled,
        demand=demanded(factors, enrolled, wish),
        fresh_after=fresh_after,
    )
    kinds = {proof.kind for proof in counting(proofs, fresh_after)}
    for one in found:
        if begun(factors, kinds):
            assert one.kind in enrolled
            assert one.counts_for - categories(kinds, factors)
        else:
            assert one.comes_first
            assert one.counts_for


@pytest.mark.requirement(38, 85)
@given(servers(), PROOFS, ENROLLED, WISHES, BOUNDS, st.data())
def test_a_sign_in_always_ends_and_reaches_the_requested_level_exactly_if_the_person_can(
    factors: tuple[FactorTraits, ...],
    proofs: tuple[Proof, ...],
    enrolled: frozenset[str],
    wish: str | None,
    fresh_after: int | None,
    data: st.DataObject,
) -> None:
    assume(any(one.comes_first and one.counts_for for one in factors))
    for _ in range(len(factors) + 1):
        found = next_factors(
            factors,
            proofs=proofs,
            enrolled=enrolled,
            demand=demanded(factors, enrolled, wish),
            fresh_after=fresh_after,
        )
        if not found:
            break
        chosen = data.draw(st.sampled_from(found))
        proofs = (*proofs, Proof(chosen.kind, NOW, chosen.amr))
    else:
        raise AssertionError("a sign-in without an end")
    shown = counting(proofs, fresh_after)
    reached = achieved(shown, factors)
    have = categories({proof.kind for proof in shown}, factors)
    could = have | categories(
        {one.kind for one in factors if one.kind in enrolled and not one.backup}, factors
    )
    if wish in (AAL1, AAL2):
        assert at_least(reached.acr, wish) == (wish == AAL1 or len(could) > 1)
    if any(one.always_asked and one.kind in enrolled for one in factors):
        assert (reached.acr == AAL2) == (len(could) > 1)


@pytest.mark.requirement(85)
@given(servers(), PROOFS, ENROLLED, WISHES, BOUNDS)
def test_a_proof_of_an_unknown_kind_changes_nothing(
    factors: tuple[FactorTraits, ...],
    proofs: tuple[Proof, ...],
    enrolled: frozenset[str],
    wish: str | None,
    fresh_after: int | None,
) -> None:
    kinds = {one.kind for one in factors}
    known = tuple(proof for proof in proofs if proof.kind in kinds)
    assert next_factors(
        factors,
        proofs=proofs,
        enrolled=enrolled,
        demand=demanded(factors, enrolled, wish),
        fresh_after=fresh_after,
    ) == next_factors(
        factors,
        proofs=known,
        enrolled=enrolled & kinds,
        demand=demanded(factors, enrolled, wish),
        fresh_after=fresh_after,
    )
    if categories({proof.kind for proof in known}, factors):
        assert achieved(proofs, factors) == achieved(known, factors)
    else:
        with pytest.raises(ValueError, match="no proofs"):
            achieved(proofs, factors)


@given(servers(), PROOFS, ENROLLED, BOUNDS)
def test_a_request_for_a_lower_level_asks_for_no_less(
    factors: tuple[FactorTraits, ...],
    proofs: tuple[Proof, ...],
    enrolled: frozenset[str],
    fresh_after: int | None,
) -> None:
    usual, less = (
        next_factors(
            factors,
            proofs=proofs,
            enrolled=enrolled,
            demand=demanded(factors, enrolled, wish),
            fresh_after=fresh_after,
        )
        for wish in (None, AAL1)
    )
    assert usual == less
