"""The relying party id: the name to which passkeys are bound (Level 3 §5.1.2, §5.11)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def default_rp_id(issuer: str) -> str | None:
    """The issuer's host; None for an IP address, to which no browser binds a passkey (§5.1.3 step 8: the effective domain must be a
    domain)."""
    host = urlsplit(issuer).hostname
    if host is None:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def usable_rp_id(rp_id: str, issuer: str) -> bool:
    """Whether pages of the issuer may use passkeys of this id: its host, or a suffix of it that is nobody's public suffix."""
    # imported only here: it reads the list of public suffixes
    from fido2.rpid import verify_rp_id

    return default_rp_id(issuer) is not None and verify_rp_id(rp_id, issuer)
