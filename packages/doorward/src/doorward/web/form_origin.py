"""Origin of a submitted form, according to the browser (RFC 6454 §7, Fetch Metadata; ASVS 3.5.1, R70)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_OWN_PAGES: Final = frozenset({None, "same-origin", "none"})


class Sent(StrEnum):
    """The kinds of page that can send a form."""

    OURS = "ours"
    ELSEWHERE = "elsewhere"
    """A page of this server under another name or port than the issuer's, where its cookies and forms never work."""
    FOREIGN = "foreign"


def sent_from(origin: str | None, fetch_site: str | None, own: str) -> Sent:
    """`origin` and `fetch_site` are the headers Origin and Sec-Fetch-Site as received, `own` is the server's origin as browsers send
    it.

    `Origin: null` comes from a form of this server when a proxy has added `Referrer-Policy: no-referrer` (Fetch §3.2), and from any
    sandboxed frame. Sec-Fetch-Site, which no page can set, distinguishes them: for the frame it is cross-site. Without that header
    the form is refused.
    """
    if origin == "null":
        return Sent.OURS if fetch_site == "same-origin" else Sent.FOREIGN
    if origin is not None and origin != own:
        # the browser reports page and target as the same origin, so the page is ours, under another name than the issuer's
        return Sent.ELSEWHERE if fetch_site == "same-origin" else Sent.FOREIGN
    return Sent.OURS if fetch_site in _OWN_PAGES else Sent.FOREIGN
