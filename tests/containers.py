"""Container for tests: the server's, with a store and a clock of the test."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from msgspec import structs

from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.app import container
from doorward.core.model.policy import PasswordPolicy
from doorward.core.model.secret import Secret
from doorward.settings.tree import KeySettings, Settings

CHEAP_HASHING = PasswordPolicy(threads=2, memory_kib=64, iterations=1)
"""For tests that are not about the strength of a hash: less than the settings accept."""


CHEAP = "CHEAP_HASHING"
"""Variable of a forked server that is to use `cheap_hasher`."""


def hashing() -> dict[str, str]:
    """The variables of a server that hashes as this process does now."""
    return {CHEAP: "1"} if container.Argon2Hasher is cheap_hasher else {}


def cheap_hasher(policy: PasswordPolicy) -> Argon2Hasher:
    """A hasher as the settings say, but with little memory."""
    return Argon2Hasher(
        structs.replace(policy, memory_kib=CHEAP_HASHING.memory_kib, iterations=CHEAP_HASHING.iterations)
    )


def settings(**changes: Any) -> Settings:
    """Settings of a server with a database in memory and a fixed key-encryption key."""
    values: dict[str, Any] = {
        "issuer": "https://auth.example.com",
        "database": ":memory:",
        "keys": KeySettings(secret_key=Secret(b64encode(b"k" * 32).decode())),
    }
    return Settings(**{**values, **changes})
