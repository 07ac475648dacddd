"""Where a form was sent from, by what the browser says of it (RFC 6454 §7, Fetch Metadata; ASVS 3.5.1, line 70)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_OWN_PAGES: Final = frozenset({None, "same-origin", "none"})


class Sent(StrEnum):
    """The kinds of page that a form can come from."""

    OURS = "ours"
    ELSEWHERE = "elsewhere"
    """A page of ours that was opened under another name or port than the issuer's: its cookies and forms never work there."""
    FOREIGN = "foreign"


def sent_from(origin: str | None, fetch_site: str | None, own: str) -> Sent:
    """`origin` and `fetch_site` are the headers Origin and Sec-Fetch-Site as they came, `own` is our origin as browsers write it.

    `Origin: null` comes from a form of ours when a proxy has added `Referrer-Policy: no-referrer` (Fetch §3.2), and from a sandboxed
    frame of anybody. Sec-Fetch-Site, which no page can set, tells them apart: for the frame it is cross-site. A browser that does not
    send it is not believed.
    """
    if origin == "null":
        return Sent.OURS if fetch_site == "same-origin" else Sent.FOREIGN
    if origin is not None and origin != own:
        # the browser itself says that page and target are of one origin: so it is ours, under a name that is not the issuer's
        return Sent.ELSEWHERE if fetch_site == "same-origin" else Sent.FOREIGN
    return Sent.OURS if fetch_site in _OWN_PAGES else Sent.FOREIGN
