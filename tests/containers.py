"""A container for tests: the same one as the server's, on a store and under a clock of the test."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from doorward.core.model.secret import Secret
from doorward.settings.tree import KeySettings, Settings


def settings(**changes: Any) -> Settings:
    """Those of a server on a database in memory, whose key-encryption key is always the same."""
    values: dict[str, Any] = {
        "issuer": "https://auth.example.com",
        "database": ":memory:",
        "keys": KeySettings(secret_key=Secret(b64encode(b"k" * 32).decode())),
    }
    return Settings(**{**values, **changes})
