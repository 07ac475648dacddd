"""Mail sender as written in the settings: an address, or a name and an address (RFC 5322 §3.4)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from email.headerregistry import Address

_NAMED: Final = re.compile(r"(.*?)\s*<([^<>]*)>")
_ADDRESS: Final = re.compile(r"[^\s\"(),:;<>@\[\]\\]+@[^\s\"(),:;<>@\[\]\\]+")


def sender_of(text: str) -> Address:
    """`no-reply@example.com` or `Acme, Inc. <no-reply@example.com>`; quotes around the name are optional.

    A domain in another script is converted to ASCII. Raises ValueError; its text completes "is "…", and ".
    """
    # imported here: its tables are large, and many servers send no mail
    from email.headerregistry import Address

    written = text.strip()
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in written):
        raise ValueError("that holds a line break or another character that nobody sees")
    named = _NAMED.fullmatch(written)
    name, address = (named[1], named[2].strip()) if named else ("", written)
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not _ADDRESS.fullmatch(address):
        raise ValueError(
            'that is no address; write "no-reply@example.com" or "Example, Inc. <no-reply@example.com>"'
        )
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("the part before the @ has letters beyond ASCII, which many mail servers refuse")
    try:
        return Address(display_name=name, username=local, domain=_ascii(domain))
    except (ValueError, IndexError):
        raise ValueError(f"{address} is no address that mail can come from") from None


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    # imported only here: its tables are large and most domains never need them
    import idna

    return idna.encode(domain, uts46=True, transitional=False).decode("ascii")
