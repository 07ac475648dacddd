"""What each use of a passkey is worth."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.levels import AAL1, AAL2
from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.rules.proof import (
    PASSKEY,
    SECURITY_KEY,
    methods,
    shown,
    suggested_as_second,
)
from doorward.features.authn.flow.rules.assurance import achieved

ROW = EnrolledFactor(id="fac_1", account_id="usr_1", kind="passkey", created_at=1)


def passkey(**members: Any) -> Passkey:
    made = {
        "factor_id": "fac_1",
        "account_id": "usr_1",
        "credential_id": b"c",
        "public_key": b"k",
        "alg": -7,
        "sign_count": 0,
        "aaguid": "",
        "name": "",
    }
    return Passkey(**{**made, **members})


@pytest.mark.requirement(86)
def test_with_user_verification_a_passkey_is_two_factors_and_resists_phishing() -> None:
    proof = shown(passkey(), ROW, user_verified=True, at=9)
    assert (proof.kind, proof.at, proof.phishing_resistant) == ("passkey", 9, True)
    assert achieved([proof], [PASSKEY, SECURITY_KEY]).acr == AAL2


def test_without_it_is_one_factor_that_never_comes_first() -> None:
    proof = shown(passkey(), ROW, user_verified=False, at=9)
    assert proof.kind == "security_key"
    assert achieved([proof], [PASSKEY, SECURITY_KEY]).acr == AAL1
    assert PASSKEY.comes_first
    assert not SECURITY_KEY.comes_first


def test_methods_say_where_the_key_is() -> None:
    assert methods(passkey(backup_eligible=True, attestation="verified")) == ("swk", "user")
    assert methods(passkey(backed_up=True)) == ("swk", "user")
    assert methods(passkey(attestation="verified")) == ("hwk", "user")
    assert methods(passkey(attestation="unverified")) == ("pop", "user")
    assert methods(passkey()) == ("pop", "user")


@pytest.mark.parametrize(
    ("discoverable", "user_verified", "transports", "suggested"),
    [
        (True, True, ("internal", "hybrid"), False),
        (True, True, ("nfc", "usb"), True),
        (True, False, ("internal",), True),
        (False, True, ("internal",), True),
        (True, True, (), False),
    ],
)
def test_keys_that_are_carried_along_are_asked_for_after_the_password(
    discoverable: bool, user_verified: bool, transports: tuple[str, ...], suggested: bool
) -> None:
    found = suggested_as_second(discoverable=discoverable, user_verified=user_verified, transports=transports)
    assert found is suggested
