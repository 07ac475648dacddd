"""Salt of the personal fields of one line."""

from __future__ import annotations

from doorward.core.ports.random import SecureRandom


def new_salt(random: SecureRandom) -> bytes:
    """128 random bits: the hash of an address behind them cannot be found by trying all addresses."""
    return random.token(16).encode()
