"""Amounts and times in human-readable form."""

from __future__ import annotations

from datetime import UTC, datetime


def size(octets: int) -> str:
    """A number of bytes, in powers of a thousand."""
    if octets < 1000:
        return f"{octets} bytes"
    amount = octets / 1000
    for unit in ("kB", "MB", "GB"):
        # a value that would be rounded up to 1000 is shown in the next unit
        if amount < 999.95:
            return f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def moment(at: int | None) -> str:
    """A time, in UTC."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
