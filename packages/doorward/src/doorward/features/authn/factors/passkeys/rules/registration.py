"""Registration of a passkey (Level 3 §7.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from fido2.webauthn import AttestationObject
from msgspec import Struct

from doorward.core.model.passkey import AttestationResult
from doorward.features.authn.factors.passkeys.rules import cbor, client_data, cose
from doorward.features.authn.factors.passkeys.rules.attestation import AttestationPolicy, attested
from doorward.features.authn.factors.passkeys.rules.ceremony import (
    AT,
    BE,
    BS,
    ED,
    OFFERED,
    UP,
    UV,
    Expected,
    PasskeyProblem,
)
from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED
from doorward.features.authn.factors.passkeys.rules.response import MAX_CREDENTIAL_ID, RegistrationResponse

_FLAGS: Final = 32
_TAIL: Final = 37
_AAGUID: Final = 16


class NewPasskey(Struct, frozen=True, kw_only=True):
    """A credential that passed all checks. `challenge` has to be claimed in the commit that stores it."""

    challenge: bytes
    credential_id: bytes
    public_key: bytes
    alg: int
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    discoverable: bool
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    attestation: AttestationResult


def registered(
    response: RegistrationResponse,
    expected: Expected,
    *,
    algorithms: Sequence[int] = OFFERED,
    attest: AttestationPolicy,
) -> NewPasskey | PasskeyProblem:
    """The new credential, or the first check that failed. Whether its id is new is for the store to say (§7.1 step 26)."""
    client = client_data.checked(response.client_data, "webauthn.create", expected)
    if isinstance(client, PasskeyProblem):
        return client
    try:
        if cbor.items(response.attestation_object) != 1:
            return PasskeyProblem("unreadable")
        made = AttestationObject(response.attestation_object)
        data = made.auth_data
        credential = data.credential_data
        check_tail(bytes(data))
    except MALFORMED:
        return PasskeyProblem("unreadable")
    if credential is None:
        return PasskeyProblem("unreadable")
    if (problem := bound(data.rp_id_hash, data.flags, expected)) is not None:
        return problem
    key = credential.public_key
    if key.ALGORITHM not in algorithms:
        return PasskeyProblem("algorithm")
    if not cose.usable(key):
        return PasskeyProblem("key")
    if not 1 <= len(credential.credential_id) <= MAX_CREDENTIAL_ID:
        return PasskeyProblem("credential")
    if credential.credential_id != response.credential_id:
        return PasskeyProblem("credential")
    worth = attested(made, client.digest, attest)
    if isinstance(worth, PasskeyProblem):
        return worth
    return NewPasskey(
        challenge=client.challenge,
        credential_id=bytes(credential.credential_id),
        public_key=cose.encoded(key),
        alg=key.ALGORITHM,
        sign_count=data.counter,
        aaguid=str(credential.aaguid),
        transports=response.transports,
        discoverable=bool(response.discoverable),
        user_verified=bool(data.flags & UV),
        backup_eligible=bool(data.flags & BE),
        backed_up=bool(data.flags & BS),
        attestation=worth,
    )


def bound(rp_id_hash: bytes, flags: int, expected: Expected) -> PasskeyProblem | None:
    """The checks of the authenticator data that both ceremonies share (§7.1 steps 14-18, §7.2 steps 15-19)."""
    if rp_id_hash != hashlib.sha256(expected.rp_id.encode()).digest():
        return PasskeyProblem("rp_id")
    if expected.user_presence and not flags & UP:
        return PasskeyProblem("user_presence")
    if expected.user_verification and not flags & UV:
        return PasskeyProblem("user_verification")
    if flags & BS and not flags & BE:
        return PasskeyProblem("backup_state")
    return None


def check_tail(data: bytes) -> None:
    """Check what follows the counter in authenticator data (§6.1): the credential, if there is one, and the extensions, if there are
    any. Raises ValueError or IndexError."""
    at, flags = _TAIL, data[_FLAGS]
    if flags & AT:
        at += _AAGUID + 2 + int.from_bytes(data[_TAIL + _AAGUID : _TAIL + _AAGUID + 2], "big")
    if at > len(data) or cbor.items(data[at:]) != bool(flags & AT) + bool(flags & ED):
        raise ValueError("authenticator data")
