"""Key-encryption key: wraps the server's own keys, wherever it is stored. It can be used but not read."""

from __future__ import annotations

from typing import Protocol

from doorward.core.errors import OperatorError


class KeyWrapper(Protocol):
    """Wraps short secrets (a key of 32 bytes; at most 4 KB) under a key that is stored separately from the database.

    Both methods may call a program or a device and take seconds: they run at startup, in a command and for a backup,
    and never inside a request.
    """

    @property
    def id(self) -> str:
        """The identity of the key, in text that may be shown and stored: `key:<fingerprint>`, `command:…`,
        `pkcs11:<token>/<label>`. Two nodes with one key have one id; the fingerprint reveals nothing about the key."""
        ...

    async def wrap(self, context: str, key: bytes) -> bytes:
        """The key in a form that only `unwrap` with the same `context` opens. The context is authenticated and not
        stored: the id of the wrapped key, so that it cannot be exchanged for another. Raises `KeyProblem`."""
        ...

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """The wrapped key. Raises `WrongKey` when it was wrapped under another key or for another context or is
        damaged, and `KeyProblem` when the key-encryption key cannot be reached."""
        ...


class KeyProblem(OperatorError):
    """A key is not available. Neither text contains any part of a key."""

    def __str__(self) -> str:
        return f"{self.error} Fix: {self.fix}" if self.fix else self.error


class WrongKey(KeyProblem):
    """This key cannot open the value: it was wrapped under another key, for another use, or is damaged."""
