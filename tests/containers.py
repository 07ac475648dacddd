"""Container for tests: the server's, with a store and a clock of the test."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from doorward.settings.tree import KeySettings, Settings

CHEAP_HASHING = PasswordPolicy(threads=2, memory_kib=64, iterations=1)
"""For tests that are not about the strength of a hash: less than the settings accept."""


def settings(**changes: Any) -> Settings:
    """Settings of a server with a database in memory and a fixed key-encryption key."""
    values: dict[str, Any] = {
        "issuer": "https://auth.example.com",
        "database": ":memory:",
        "keys": KeySettings(secret_key=Secret(b64encode(b"k" * 32).decode())),
    }
    return Settings(**{**values, **changes})
