"""Proofs of a session: the stored ones where they match the session's own claims, else those that `amr` implies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.core.model.session import Session
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules import vouching

KINDS = ("password", "totp", "recovery_code", "toy")
PASSWORD, TOTP, TOY = (
    Proof("password", 100, ("pwd",)),
    Proof("totp", 200, ("otp",)),
    Proof("toy", 200, ("toy",)),
)
METHODS = ["pwd", "otp", "rc", "toy", "mfa", "otherwise"]


def session(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": "ses_1",
        "secret_hash": b"s" * 32,
        "account_id": "usr_1",
        "created_at": 100,
        "seen_at": 200,
        "auth_time": 200,
        "expires_at": 90_000,
        "acr": "urn:doorward:aal2",
        "amr": ("pwd", "otp", "mfa"),
    }
    return Session(**{**values, **changes})


def test_a_session_keeps_a_factor_that_amr_alone_does_not_imply() -> None:
    held = session(amr=("pwd", "toy", "mfa"), proofs=(PASSWORD, TOY))
    assert [one.kind for one in vouching.from_session(held, KINDS)] == ["password", "toy"]
    # a server without that factor ignores it
    assert [one.kind for one in vouching.from_session(held, KINDS[:3])] == ["password"]


def test_all_proofs_of_a_session_count_from_its_last_proof() -> None:
    found = vouching.from_session(session(proofs=(PASSWORD, TOTP)), KINDS)
    assert found == (Proof("password", 200, ("pwd",)), Proof("totp", 200, ("otp",)))
    assert found == vouching.from_session(session(), KINDS)


@pytest.mark.parametrize("method", ["rc", "otp"])
def test_a_recovery_code_counts_under_its_old_and_its_new_method_reference(method: str) -> None:
    shown = Proof("recovery_code", 200, (method,))
    held = session(amr=("pwd", method, "mfa"), proofs=(PASSWORD, shown))
    assert vouching.adds_up(held)
    assert vouching.from_session(held, KINDS) == (replace(PASSWORD, at=200), shown)
    assert vouching.to_store((PASSWORD, shown)) == (PASSWORD, shown)


@pytest.mark.parametrize(
    "changes",
    [
        {"auth_time": 201},
        {"auth_time": 199},
        {"amr": ("pwd",)},
        {"amr": ("pwd", "rc", "mfa")},
        {"amr": ("pwd", "otp", "toy", "mfa")},
    ],
)
def test_proofs_of_another_state_of_the_session_are_ignored(changes: dict[str, Any]) -> None:
    stale = session(proofs=(PASSWORD, TOTP), **changes)
    assert not vouching.adds_up(stale)
    assert vouching.from_session(stale, KINDS) == vouching.from_session(session(**changes), KINDS)


@pytest.mark.requirement(85)
@given(
    st.lists(
        st.builds(
            lambda kind, at, amr: Proof(kind, at, tuple(amr)),
            st.sampled_from((*KINDS, "unheard_of")),
            st.integers(198, 202),
            st.lists(st.sampled_from(METHODS), max_size=2),
        ),
        max_size=3,
    ),
    st.lists(st.sampled_from(METHODS), unique=True),
    st.integers(199, 201),
)
def test_stored_proofs_never_claim_more_than_the_session(
    proofs: list[Proof], amr: list[str], auth_time: int
) -> None:
    held = session(proofs=tuple(proofs), amr=tuple(amr), auth_time=auth_time)
    found = vouching.from_session(held, KINDS)
    bare = vouching.from_session(replace(held, proofs=()), KINDS)
    for one in found:
        assert one.kind in KINDS
        assert one.at == auth_time
        assert one.against is None
        assert set(one.amr) <= set(amr)
    if {m for one in proofs for m in one.amr} != set(amr) - {"mfa"} or max(
        (one.at for one in proofs), default=None
    ) != auth_time:
        assert found == bare


def test_proofs_stored_in_a_session_carry_no_factor_state() -> None:
    shown = replace(TOTP, against=77, phishing_resistant=True)
    assert vouching.to_store((PASSWORD, shown)) == (PASSWORD, replace(TOTP, phishing_resistant=True))


def test_a_proof_is_never_newer_than_when_it_was_shown() -> None:
    """docs/incidents/0057-a-password-change-that-revived-an-old-proof.md"""
    assert vouching.of_own_times(session(proofs=(PASSWORD, TOTP))) == (PASSWORD, TOTP)
    # of a session without stored proofs only its last time is known
    assert vouching.of_own_times(session()) == (replace(PASSWORD, at=200), TOTP)
    assert vouching.of_own_times(session(proofs=(PASSWORD, TOTP), auth_time=300)) == (
        replace(PASSWORD, at=300),
        replace(TOTP, at=300),
    )


def test_a_proof_of_an_account_elsewhere_keeps_its_mark_and_no_other_does() -> None:
    there = Proof("provider", 50, ("fed",), against=7)
    kept = vouching.to_store((replace(PASSWORD, against=5), there))
    assert kept == (PASSWORD, there)
    held = session(auth_time=100, amr=("pwd", "fed"), proofs=kept)
    assert vouching.from_session(held, (*KINDS, "provider")) == (PASSWORD, replace(there, at=100))
