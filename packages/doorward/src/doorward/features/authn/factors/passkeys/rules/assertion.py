"""Use of a passkey (Level 3 §7.2)."""

from __future__ import annotations

import hmac
from typing import Final

from fido2.webauthn import AuthenticatorData
from msgspec import Struct

from doorward.core.model.passkey import Passkey
from doorward.features.authn.factors.passkeys.rules import client_data, cose
from doorward.features.authn.factors.passkeys.rules.ceremony import (
    BE,
    BS,
    UV,
    Expected,
    PasskeyProblem,
)
from doorward.features.authn.factors.passkeys.rules.challenge import issued_at
from doorward.features.authn.factors.passkeys.rules.cose import MALFORMED
from doorward.features.authn.factors.passkeys.rules.registration import bound, check_tail
from doorward.features.authn.factors.passkeys.rules.response import AssertionResponse

CLOCKS_APART: Final = 5
"""Seconds by which the clocks of two nodes may differ: one makes the challenge, the other notes the use."""


class Assertion(Struct, frozen=True, kw_only=True):
    """A use that passed all checks. `challenge` has to be claimed in the commit that counts it."""

    challenge: bytes
    user_verified: bool
    backed_up: bool
    sign_count: int


class OutOfOrder(Struct, frozen=True):
    """A use that passed all checks but that of the counter, and was asked for before the passkey was last used. Two answers of one
    authenticator that overtake one another look like this (two tabs, two nodes), so it is refused and says nothing about a copy
    (§7.2 step 22). A copy gets no further: its next answer has a newer challenge."""


class CopiedPasskey(Struct, frozen=True):
    """A use that passed all checks but that of the counter, which ran backwards: the key exists twice. `challenge` has to be claimed
    in the commit that notes it, since the same answer sent twice looks like this too."""

    challenge: bytes


def asserted(
    response: AssertionResponse, passkey: Passkey, expected: Expected
) -> Assertion | OutOfOrder | CopiedPasskey | PasskeyProblem:
    """The use, or the first check that failed. `CopiedPasskey` needs a right signature: nobody else can mark a passkey."""
    if not hmac.compare_digest(response.credential_id, passkey.credential_id):
        return PasskeyProblem("credential")
    handle = response.user_handle
    if handle is None and expected.user_handle:
        return PasskeyProblem("user_handle")
    if handle is not None and handle != passkey.account_id.encode():
        return PasskeyProblem("user_handle")
    client = client_data.checked(response.client_data, "webauthn.get", expected)
    if isinstance(client, PasskeyProblem):
        return client
    try:
        check_tail(response.authenticator_data)
        data = AuthenticatorData(response.authenticator_data)
    except MALFORMED:
        return PasskeyProblem("unreadable")
    if (problem := bound(data.rp_id_hash, data.flags, expected)) is not None:
        return problem
    if bool(data.flags & BE) != passkey.backup_eligible:
        return PasskeyProblem("backup_eligibility")
    signed = response.authenticator_data + client.digest
    if not cose.verifies(passkey.public_key, passkey.alg, signed, response.signature):
        return PasskeyProblem("signature")
    if passkey.suspect_at is not None:
        return CopiedPasskey(client.challenge)
    if _runs_back(passkey.sign_count, data.counter):
        overtaken = passkey.last_used_at is not None and issued_at(client.challenge) <= (
            passkey.last_used_at + CLOCKS_APART
        )
        return OutOfOrder() if overtaken else CopiedPasskey(client.challenge)
    return Assertion(
        challenge=client.challenge,
        user_verified=bool(data.flags & UV),
        backed_up=bool(data.flags & BS),
        sign_count=data.counter,
    )


def _runs_back(stored: int, sent: int) -> bool:
    """Whether the counter did not grow (§6.1.1). Both zero: the authenticator does not count."""
    return (stored > 0 or sent > 0) and sent <= stored
