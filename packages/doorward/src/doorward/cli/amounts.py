"""How does a person read an amount? In the largest unit of which there is one: "5.6 kB", "12 minutes"."""

from __future__ import annotations


def size(octets: int) -> str:
    """A number of bytes, in powers of a thousand."""
    if octets < 1000:
        return f"{octets} bytes"
    amount = octets / 1000
    for unit in ("kB", "MB", "GB"):
        # what would be rounded up to a thousand of them is one of the next
        if amount < 999.95:
            return f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"
