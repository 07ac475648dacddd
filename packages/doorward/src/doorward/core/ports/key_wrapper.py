"""The key-encryption key: what the server's own keys are wrapped under, wherever it lives. It is used here, and never seen."""

from __future__ import annotations

from typing import Protocol


class KeyWrapper(Protocol):
    """Wraps short secrets (a key of 32 bytes; at most 4 KB) under a key that is kept apart from the database.

    Both methods may ask a program or a device and take seconds: they run at a start, in a command and for a backup, and never
    inside a request.
    """

    @property
    def id(self) -> str:
        """Which key this is, in text that may be shown and stored: `key:<fingerprint>`, `command:…`, `pkcs11:<token>/<label>`.
        Two nodes with one key have one id; the fingerprint tells nothing of the key."""
        ...

    async def wrap(self, context: str, key: bytes) -> bytes:
        """The key in a form that only `unwrap` with the same `context` opens. The context is authenticated and not stored: the id
        of what is wrapped, so that it cannot take the place of something else. Raises `KeyProblem`."""
        ...

    async def unwrap(self, context: str, wrapped: bytes) -> bytes:
        """What was wrapped. Raises `WrongKey` when it was wrapped under another key or for another context or is damaged, and
        `KeyProblem` when the key cannot be reached."""
        ...


class KeyProblem(Exception):
    """A key cannot be had. `error` says what is wrong and `fix` what to do; neither holds any of a key."""

    def __init__(self, error: str, fix: str = "") -> None:
        self.error = error
        self.fix = fix
        super().__init__(f"{error} Fix: {fix}" if fix else error)


class WrongKey(KeyProblem):
    """This key opens that value not: it was wrapped under another one, for another use, or is damaged."""
