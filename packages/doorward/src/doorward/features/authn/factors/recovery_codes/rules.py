"""Recovery codes: spelling, hashing and matching (NIST SP 800-63B-4 §3.1.2, ASVS 6.4.3, 6.5.2: R84)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from doorward.core.model.account import EnrolledFactor
from doorward.core.model.policy import SECOND_FACTORS
from doorward.core.text import code
from doorward.features.authn.flow.rules.assurance import FactorTraits

# One-time passwords in the sense of RFC 8176 §2 ("otp"). Earlier programs stored the private value "rc", which
# `flow/rules/vouching.py` still reads.
TRAITS: Final = FactorTraits(kind="recovery_code", amr=("otp",), counts_for=frozenset({"held"}), backup=True)
STANDS_IN_FOR: Final = SECOND_FACTORS
"""The second factors that a recovery code replaces. Proofs by recovery code that a session vouches for end with the last of them."""
COUNT: Final = 10
LENGTH: Final = 24
GROUP: Final = 4
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32, without I, L, O and U. 24 characters are 120 bits, enough to be stored as a plain hash (ASVS 6.5.2)."""

_READ: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})


def spell(numbers: Sequence[int]) -> str:
    """A code from `LENGTH` uniform numbers below 32, in groups: "7K2M-…". Raises ValueError for another count."""
    if len(numbers) != LENGTH:
        raise ValueError(f"a recovery code is made of {LENGTH} numbers")
    text = "".join(ALPHABET[number] for number in numbers)
    return "-".join(text[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def digest(typed: str) -> bytes | None:
    """The SHA-256 under which the code is stored; None when it cannot be one. Case, spaces and hyphens do not matter."""
    text = "".join(char for char in code(typed).upper() if char.isalnum()).translate(_READ)
    if len(text) != LENGTH or any(char not in ALPHABET for char in text):
        return None
    return hashlib.sha256(text.encode("ascii")).digest()


def match(factors: Sequence[EnrolledFactor], typed: str) -> EnrolledFactor | None:
    """The unused recovery code that was typed, or None. Every code is compared, in constant time."""
    given = digest(typed)
    if given is None:
        return None
    found: EnrolledFactor | None = None
    for factor in factors:
        if factor.kind == TRAITS.kind and factor.code_hash is not None:
            same = hmac.compare_digest(factor.code_hash, given)
            if same and factor.used_at is None:
                found = factor
    return found


def made(factors: Sequence[EnrolledFactor]) -> int:
    """The number of codes that were made together, used ones included."""
    return sum(1 for factor in factors if factor.kind == TRAITS.kind)


def left(factors: Sequence[EnrolledFactor]) -> int:
    """The number of unused codes."""
    return sum(1 for factor in factors if factor.kind == TRAITS.kind and factor.used_at is None)
