"""Levels that proofs reach, what a server can offer of them, and the factor that is asked for when an app wants one (NIST SP 800-63B-4
§2, OpenID Connect EAP ACR Values 1.0 §4)."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorward.core.model.levels import AAL1, AAL2, AAL3, LEVELS, PHR, PHRH, named
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import (
    FactorTraits,
    achieved,
    attainable,
    levels,
)
from doorward.features.authn.flow.rules.next_factors import next_factors
from doorward.features.authn.flow.rules.policy import StepDemand

PASSWORD = FactorTraits(kind="password", amr=("pwd",), counts_for=frozenset({"known"}), comes_first=True)
TOTP = FactorTraits(kind="totp", amr=("otp",), counts_for=frozenset({"held"}), always_asked=True)
CODES = FactorTraits(kind="recovery_code", amr=("otp",), counts_for=frozenset({"held"}), backup=True)
MAIL = FactorTraits(kind="email_code", amr=("otp",), counts_for=frozenset({"held"}), restricted=True)
PASSKEY = FactorTraits(
    kind="passkey",
    amr=("pop", "user"),
    counts_for=frozenset({"held", "inherent"}),
    comes_first=True,
    phishing_resistant=True,
    hardware=True,
)
KEY = structs.replace(
    PASSKEY, kind="security_key", counts_for=frozenset({"held"}), comes_first=False, always_asked=True
)
ALL = (PASSKEY, PASSWORD, TOTP, KEY, CODES, MAIL)
NOW = 1000


def proof(kind: str, *amr: str, at: int = NOW, new: bool = True) -> Proof:
    """A proof; by a passkey if it has a method of one. `new`: made in this sign-in, not taken from a session."""
    resistant = bool({"swk", "pop", "hwk"} & set(amr))
    return Proof(kind, at, amr, phishing_resistant=resistant, against=7 if new else None)


PWD, OTP, SENT = proof("password", "pwd"), proof("totp", "otp"), proof("email_code", "otp")
SYNCED, BOUND = proof("passkey", "swk", "user"), proof("passkey", "pop", "user")
HARD, TOUCH = proof("passkey", "hwk", "user"), proof("security_key", "hwk", "user")


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("proofs", "best"),
    [
        ([PWD], AAL1),
        ([PWD, SENT], AAL1),
        ([PWD, OTP], AAL2),
        ([PWD, OTP, SENT], AAL2),
        ([SYNCED], PHR),
        ([BOUND], PHR),
        ([PWD, proof("security_key", "swk", "user")], PHR),
        ([PWD, TOUCH], PHRH),
        ([HARD], AAL3),
        ([SYNCED, TOUCH], PHRH),
        # one touch of a key is one factor, however good the key is
        ([TOUCH], AAL1),
        # a code neither weakens a passkey nor gains by it
        ([SYNCED, OTP, SENT], PHR),
    ],
)
def test_proofs_reach_a_level_and_all_below_it(proofs: list[Proof], best: str) -> None:
    reached = levels(proofs, ALL)
    assert reached == frozenset(LEVELS[: LEVELS.index(best) + 1])
    assert achieved(proofs, ALL).levels == reached
    assert achieved(proofs, ALL).acr == (AAL1 if best == AAL1 else AAL2), "what sessions store"


@pytest.mark.requirement(38, 85)
def test_a_claim_of_hardware_counts_only_with_a_phishing_resistant_proof_of_a_known_kind() -> None:
    assert max_of([PWD, Proof("totp", NOW, ("hwk",))]) == AAL2
    assert max_of([PWD, OTP, Proof("unheard_of", NOW, ("hwk",), phishing_resistant=True)]) == AAL2
    assert max_of([PWD, OTP, Proof("email_code", NOW, ("hwk",), phishing_resistant=True)]) == AAL2


def max_of(proofs: list[Proof]) -> str:
    return max(achieved(proofs, ALL).levels, key=LEVELS.index)


PROOFS = st.lists(
    st.sampled_from([PWD, OTP, SENT, SYNCED, BOUND, HARD, TOUCH, proof("recovery_code", "otp")]),
    min_size=1,
    max_size=4,
)


@given(PROOFS, PROOFS)
def test_more_proofs_never_reach_less(some: list[Proof], more: list[Proof]) -> None:
    assert levels(some, ALL) <= levels([*some, *more], ALL)


@given(PROOFS, st.lists(st.sampled_from([*LEVELS, "urn:somebody:else"]), max_size=3), st.booleans())
def test_a_token_names_only_what_was_reached(proofs: list[Proof], asked: list[str], essential: bool) -> None:
    reached = achieved(proofs, ALL)
    name = named(reached.acr, reached.levels, asked, essential=essential)
    assert name in reached.levels
    if not essential:
        assert LEVELS.index(name) >= LEVELS.index(reached.acr)


def test_a_server_offers_the_levels_that_its_factors_reach() -> None:
    soft = structs.replace(PASSKEY, hardware=False)
    soft_key = structs.replace(KEY, hardware=False)
    assert attainable((PASSWORD,)) == (AAL1,)
    assert attainable((PASSWORD, MAIL)) == (AAL1,)
    assert attainable((PASSWORD, TOTP, CODES)) == (AAL1, AAL2)
    assert attainable((PASSWORD, TOTP, soft, soft_key)) == (AAL1, AAL2, PHR)
    assert attainable((PASSWORD, KEY)) == (AAL1, AAL2, PHR, PHRH)
    assert attainable(ALL) == LEVELS


def asked_for(
    proofs: list[Proof], wanted: str | None, enrolled: set[str], *, fresh_after: int | None = None
) -> list[str]:
    found = next_factors(
        ALL,
        proofs=proofs,
        enrolled=frozenset(enrolled),
        demand=StepDemand(acr=wanted),
        fresh_after=fresh_after,
    )
    return [one.kind for one in found]


PASSKEYS = {"passkey"}
BOTH = {"passkey", "security_key"}
OLD_SYNCED = structs.replace(SYNCED, against=None)
OLD_TOUCH = structs.replace(TOUCH, against=None)


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("proofs", "wanted", "enrolled", "expected"),
    [
        # who has a passkey is asked for it, and not first for a code
        ([PWD], PHR, {"totp", "recovery_code", "passkey"}, ["passkey"]),
        ([PWD, OTP], PHR, {"totp", "passkey"}, ["passkey"]),
        ([SYNCED], PHR, PASSKEYS, []),
        ([OLD_SYNCED], PHR, PASSKEYS, []),
        # who has none reaches what they can
        ([PWD], PHR, {"totp", "recovery_code"}, ["totp", "recovery_code"]),
        ([PWD, OTP], PHR, {"totp"}, []),
        ([PWD], PHR, set(), []),
        # another key may be in hardware: asked for once
        ([OLD_SYNCED], PHRH, BOTH, ["passkey", "security_key"]),
        ([SYNCED], PHRH, BOTH, []),
        ([HARD], PHRH, BOTH, []),
        ([PWD, OLD_TOUCH], PHRH, BOTH, []),
        # AAL3 needs a key that verifies its user, too
        ([PWD, OLD_TOUCH], AAL3, BOTH, ["passkey"]),
        ([PWD, TOUCH], AAL3, BOTH, []),
        ([HARD], AAL3, BOTH, []),
    ],
)
def test_a_wanted_level_is_asked_for_as_far_as_the_person_can_reach_it(
    proofs: list[Proof], wanted: str, enrolled: set[str], expected: list[str]
) -> None:
    assert asked_for(proofs, wanted, enrolled) == expected


@pytest.mark.requirement(38)
def test_without_a_verified_attestation_nobody_is_asked_for_another_key() -> None:
    soft = tuple(structs.replace(one, hardware=False) for one in ALL)
    found = next_factors(
        soft, proofs=[OLD_SYNCED], enrolled=frozenset(BOTH), demand=StepDemand(acr=AAL3), fresh_after=None
    )
    assert found == ()


@pytest.mark.requirement(38, 85)
@given(
    st.sampled_from(LEVELS),
    st.sets(st.sampled_from(["totp", "passkey", "security_key", "recovery_code", "email_code"])),
    st.lists(st.sampled_from([PWD, OTP, SYNCED, HARD, TOUCH]), max_size=3),
    st.data(),
)
def test_no_wanted_level_is_asked_for_without_an_end(
    wanted: str, enrolled: set[str], held: list[Proof], data: st.DataObject
) -> None:
    proofs = [structs.replace(one, against=None) for one in held]
    for _ in range(len(ALL) + 2):
        found = asked_for(proofs, wanted, enrolled)
        if not found:
            break
        kind = data.draw(st.sampled_from(found))
        amr = ("swk", "user") if kind in BOTH else ("pwd",)
        proofs = [*(one for one in proofs if one.kind != kind), proof(kind, *amr)]
    else:
        raise AssertionError("a sign-in without an end")


@pytest.mark.requirement(38)
def test_proofs_that_are_too_old_reach_nothing() -> None:
    old = structs.replace(HARD, at=NOW - 100)
    assert asked_for([old], AAL3, BOTH, fresh_after=NOW) == ["passkey", "password"]


def test_levels_are_named_by_no_two_proofs_of_one_category() -> None:
    for pair in combinations([OTP, SENT, TOUCH], 2):
        assert levels(pair, ALL) == {AAL1}
