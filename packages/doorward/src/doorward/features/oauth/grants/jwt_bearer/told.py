"""Memory of audited uses of assertions: a workload that presents one every second makes one audit event in a quarter of an hour."""

from __future__ import annotations

from typing import Final, final

EVERY: Final = 900
"""Seconds between two audit events about one subject, app and issuer, in each process (R93)."""
MOST: Final = 4096

Use = tuple[str, str, str]
"""The issuer's `grant_id`, the assertion's subject and the app."""


@final
class Told:
    """Bounded; beyond `MOST` uses the oldest is told again."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[Use, int] = {}

    def due(self, use: Use, now: int) -> bool:
        """Whether this use is to be audited."""
        until = self._until.get(use)
        return until is None or not now < until <= now + EVERY

    def note(self, use: Use, now: int) -> None:
        """It was audited."""
        self._until.pop(use, None)
        if len(self._until) >= MOST:
            del self._until[next(iter(self._until))]
        self._until[use] = now + EVERY
