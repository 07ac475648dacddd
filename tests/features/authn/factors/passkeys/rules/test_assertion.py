"""Use of a passkey step by step (Level 3 §7.2)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from msgspec import structs

from doorward.features.authn.factors.passkeys.rules.assertion import (
    CLOCKS_APART,
    Assertion,
    CopiedPasskey,
    OutOfOrder,
)
from doorward.features.authn.factors.passkeys.rules.ceremony import PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.challenge import issued_at
from doorward.features.authn.factors.passkeys.rules.registration import NewPasskey
from tests.authenticator import Authenticator, cose_key
from tests.features.authn.factors.passkeys.ceremonies import CHALLENGE, EXPECTED, register, stored, use


def test_a_passkey_is_registered_and_used() -> None:
    authenticator = Authenticator()
    made = register(authenticator)
    assert isinstance(made, NewPasskey)
    assert (made.alg, made.sign_count, made.transports) == (-7, 0, ("hybrid", "internal"))
    assert (made.discoverable, made.user_verified, made.backup_eligible, made.backed_up) == (True,) * 4
    assert made.attestation == "none"
    used = use(authenticator, stored(authenticator))
    assert used == Assertion(challenge=CHALLENGE, user_verified=True, backed_up=True, sign_count=0)


@pytest.mark.requirement(88)
def test_the_answer_belongs_to_the_account_of_the_passkey() -> None:
    authenticator = Authenticator()
    passkey = stored(authenticator)
    assert use(authenticator, passkey, userHandle=b"usr_2") == PasskeyProblem("user_handle")
    assert isinstance(use(authenticator, passkey, userHandle=None), Assertion)
    first = structs.replace(EXPECTED, user_handle=True)
    assert use(authenticator, passkey, first, userHandle=None) == PasskeyProblem("user_handle")
    assert isinstance(use(authenticator, passkey, first), Assertion)


@pytest.mark.requirement(88)
def test_the_counter_only_grows() -> None:
    authenticator = Authenticator(counts=True)
    passkey = stored(authenticator)
    authenticator.credentials[-1].count = 6
    assert use(authenticator, passkey).sign_count == 7
    passkey = structs.replace(passkey, sign_count=7)
    for sent in (0, 3, 6):
        authenticator.credentials[-1].count = sent
        assert use(authenticator, passkey) == CopiedPasskey(CHALLENGE)
    authenticator.counts = False
    authenticator.credentials[-1].count = 0
    assert use(authenticator, passkey) == CopiedPasskey(CHALLENGE)
    assert isinstance(use(authenticator, structs.replace(passkey, sign_count=0)), Assertion)


@pytest.mark.requirement(88)
def test_an_answer_to_a_challenge_from_before_the_last_use_was_overtaken_and_is_refused() -> None:
    """Web Authentication Level 3 §7.2 step 22: a counter that did not grow is a signal, for one because of answers that arrive in
    another order."""
    authenticator = Authenticator(counts=True)
    passkey = structs.replace(stored(authenticator), sign_count=7)
    made_at = issued_at(CHALLENGE)
    for used_at, expected in (
        (made_at + 30, OutOfOrder()),
        (made_at, OutOfOrder()),
        (made_at - CLOCKS_APART, OutOfOrder()),
        (made_at - CLOCKS_APART - 1, CopiedPasskey(CHALLENGE)),
        (None, CopiedPasskey(CHALLENGE)),
    ):
        authenticator.credentials[-1].count = 5
        assert use(authenticator, structs.replace(passkey, last_used_at=used_at)) == expected
    suspected = structs.replace(passkey, last_used_at=made_at, suspect_at=1)
    assert use(authenticator, suspected) == CopiedPasskey(CHALLENGE)


@pytest.mark.requirement(88)
def test_a_suspected_passkey_stays_refused() -> None:
    authenticator = Authenticator()
    passkey = structs.replace(stored(authenticator), suspect_at=1)
    assert use(authenticator, passkey) == CopiedPasskey(CHALLENGE)


@pytest.mark.requirement(88)
def test_only_a_right_signature_can_say_that_a_passkey_was_copied() -> None:
    authenticator = Authenticator()
    passkey = structs.replace(stored(authenticator), sign_count=9)
    assert use(authenticator, passkey, signature=b"\x30\x00") == PasskeyProblem("signature")


@pytest.mark.requirement(88)
def test_eligibility_for_backup_never_changes_and_the_state_may() -> None:
    authenticator = Authenticator()
    passkey = stored(authenticator)
    authenticator.synced, authenticator.eligible = False, True
    assert not use(authenticator, passkey).backed_up
    authenticator.eligible = False
    assert use(authenticator, passkey) == PasskeyProblem("backup_eligibility")


@pytest.mark.requirement(87)
def test_the_signature_is_that_of_the_stored_key_and_algorithm() -> None:
    authenticator = Authenticator()
    passkey = stored(authenticator)
    other = structs.replace(
        passkey, public_key=cbor.encode(cose_key(ec.generate_private_key(ec.SECP256R1())))
    )
    assert use(authenticator, other) == PasskeyProblem("signature")
    assert use(authenticator, structs.replace(passkey, alg=-8)) == PasskeyProblem("signature")
    assert use(authenticator, structs.replace(passkey, public_key=b"\xff")) == PasskeyProblem("signature")
    assert use(authenticator, structs.replace(passkey, credential_id=b"x" * 32)) == PasskeyProblem(
        "credential"
    )
