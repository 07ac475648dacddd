"""Password hashing: outside the event loop, bounded, at a lower priority than everything else."""

from __future__ import annotations

from typing import Protocol

from doorward.core.model.secret import Secret


class PasswordHasher(Protocol):
    """Argon2id (OWASP: 19 MiB, t=2, p=1); also verifies older and imported hashes."""

    async def hash(self, password: Secret) -> str:
        """A PHC string. Raises `HashingBusy` when too many are waiting."""
        ...

    async def verify(self, stored: str | None, password: Secret, *, typed: Secret | None = None) -> bool:
        """Whether the password matches. With None (no such person, no password) the same work is done against a decoy
        and the answer is False (R80). `typed` is the password before it was normalised, which other systems hash."""
        ...

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than the current ones and should be replaced at this sign-in."""
        ...
