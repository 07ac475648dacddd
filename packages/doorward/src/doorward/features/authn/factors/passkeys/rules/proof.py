"""Proofs by passkeys: what each use of one is worth (NIST SP 800-63B-4 §3.1.7, §3.2; RFC 8176 §2)."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.passkey import Passkey
from doorward.core.model.signin import Proof
from doorward.features.authn.flow.rules.assurance import FactorTraits
from doorward.features.authn.flow.rules.standing import shown_with

PASSKEY: Final = FactorTraits(
    kind="passkey",
    amr=("pop", "user"),
    counts_for=frozenset({"held", "inherent"}),
    comes_first=True,
    phishing_resistant=True,
)
"""A use with user verification: the device, and what unlocks it. It signs in alone, and counts as two factors."""
SECURITY_KEY: Final = FactorTraits(
    kind="security_key",
    amr=("pop", "user"),
    counts_for=frozenset({"held"}),
    always_asked=True,
    phishing_resistant=True,
)
"""A use without user verification, after another factor: the device alone. Whoever has a row of this kind is asked for it."""
KINDS: Final = (PASSKEY.kind, SECURITY_KEY.kind)
"""Kinds of the rows in `factors`. Rows of both give proofs of both kinds; a `security_key` is also asked for after a password."""
MOST: Final = 20
"""Passkeys of one person."""
MAX_NAME: Final = 40
_ATTACHED: Final = frozenset({"usb", "nfc", "ble", "smart-card"})


def methods(passkey: Passkey) -> tuple[str, ...]:
    """The method references of a use: `swk` where copies of the key may exist, `hwk` where the maker has attested that none can,
    else only proof of possession."""
    if passkey.backup_eligible or passkey.backed_up:
        return ("swk", "user")
    return ("hwk", "user") if passkey.attestation == "verified" else ("pop", "user")


def shown(passkey: Passkey, row: EnrolledFactor, *, user_verified: bool, at: int) -> Proof:
    """The proof by a use of the passkey."""
    traits = structs.replace(PASSKEY if user_verified else SECURITY_KEY, amr=methods(passkey))
    return shown_with(traits, row, at, phishing_resistant=True)


def suggested_as_second(*, discoverable: bool, user_verified: bool, transports: tuple[str, ...]) -> bool:
    """Whether "Ask for it after my password, too" is on at first: for keys that are carried along, and for those that cannot come
    first. Off for what a password manager keeps: it may be missing on another device of its owner."""
    return not discoverable or not user_verified or bool(_ATTACHED.intersection(transports))
