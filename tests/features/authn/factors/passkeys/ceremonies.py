"""Ceremonies of the tests: what the server asks, and an authenticator's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.rules.assertion import asserted
from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy
from doorward.features.authn.factors.passkeys.rules.ceremony import ChallengeState, Expected
from doorward.features.authn.factors.passkeys.rules.registration import NewPasskey, registered
from doorward.features.authn.factors.passkeys.rules.response import (
    assertion_response,
    padless,
    registration_response,
)
from tests.authenticator import ORIGIN, Authenticator

RP_ID = "auth.example"
ACCOUNT = "usr_1"
CHALLENGE = b"c" * 40


def state(sent: bytes) -> ChallengeState:
    return {CHALLENGE: "valid", b"old": "expired"}.get(sent, "foreign")  # pyright: ignore[reportReturnType]


EXPECTED = Expected(challenge=state, origins=(ORIGIN,), rp_id=RP_ID, user_verification=True)
OPTIONS = {
    "rp": {"id": RP_ID},
    "user": {"id": padless(ACCOUNT.encode())},
    "challenge": padless(CHALLENGE),
}
REQUEST = {"rpId": RP_ID, "challenge": padless(CHALLENGE)}


def register(
    authenticator: Authenticator, expected: Expected = EXPECTED, policy: AttestationPolicy | None = None
) -> Any:
    read = registration_response(authenticator.create(OPTIONS))
    assert read is not None
    return registered(read, expected, attest=policy or AttestationPolicy())


def stored(authenticator: Authenticator) -> Passkey:
    made = register(authenticator)
    assert isinstance(made, NewPasskey)
    return Passkey(
        factor_id="fac_1",
        account_id=ACCOUNT,
        credential_id=made.credential_id,
        public_key=made.public_key,
        alg=made.alg,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        name="",
        backup_eligible=made.backup_eligible,
    )


def use(
    authenticator: Authenticator,
    passkey: Passkey,
    expected: Expected = EXPECTED,
    request: Mapping[str, Any] = REQUEST,
    **changes: Any,
) -> Any:
    read = assertion_response(authenticator.get(request, **changes))
    assert read is not None
    return asserted(read, passkey, expected)
