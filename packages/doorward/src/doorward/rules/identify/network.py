"""Whose address is this? One subscriber holds a whole /64 of IPv6, so that is what counts as one (RFC 6177)."""

from __future__ import annotations


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, an IPv6 /64, or the text as it is."""
    if ":" not in address:
        return address
    mapped = address.rpartition(":")[2]
    if "." in mapped:
        return mapped
    head, gap, tail = address.partition("%")[0].lower().partition("::")
    front = [part for part in head.split(":") if part]
    back = [part for part in tail.split(":") if part]
    middle = ["0"] * (8 - len(front) - len(back)) if gap else []
    return ":".join(part.lstrip("0") or "0" for part in (front + middle + back)[:4]) + "::/64"
