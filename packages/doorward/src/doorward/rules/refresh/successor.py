"""How can a lost refresh response be given again when only hashes are stored? By sealing the successor to its parent.

The key is derived from the parent token itself, which the database does not hold: whoever steals the database can neither
use the hash nor open the successor; whoever presents the parent can.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_LABEL: Final = b"doorward refresh successor"
# A parent has one successor that is ever stored, so its key seals once and the nonce may be constant (NIST SP 800-38D §8.2).
_NONCE: Final = bytes(12)


def seal(parent: str, secret: str) -> bytes:
    """The successor's secret, encrypted so that only the raw parent opens it."""
    raw = parent.encode()
    return AESGCM(hmac.digest(raw, _LABEL, "sha256")).encrypt(_NONCE, secret.encode(), sha256(raw).digest())


def unseal(parent: str, sealed: bytes) -> str:
    """The successor's secret. Raises ValueError when it was not sealed to this parent."""
    raw = parent.encode()
    try:
        return (
            AESGCM(hmac.digest(raw, _LABEL, "sha256")).decrypt(_NONCE, sealed, sha256(raw).digest()).decode()
        )
    except InvalidTag:
        raise ValueError("the successor is not sealed to this token") from None
