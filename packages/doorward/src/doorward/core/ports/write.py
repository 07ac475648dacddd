"""A change as a value, built by a noun of the store and committed with others."""

from __future__ import annotations

from typing import Protocol


class Write(Protocol):
    """One change, not yet made. Opaque to everyone but the store that built it; it may carry a guard."""
