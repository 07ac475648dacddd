"""Icons of the pages: strokes on a 24 × 24 field, in the colour of the surrounding text."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

_STROKES: Final = {
    "door": '<path d="M5 21V5.5A2.5 2.5 0 0 1 7.5 3h9A2.5 2.5 0 0 1 19 5.5V21M2.5 21h19M15 11.5v2"/>',
    "lock": '<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/>',
    "key": '<circle cx="8" cy="15" r="4.5"/><path d="m11.5 11.5 8-8M16 7l3 3"/>',
    "passkey": '<circle cx="9" cy="7.5" r="4"/><path d="M2.5 20.5c.8-4 3.3-6 6.5-6 1.3 0 2.5.3 3.5.9"/>'
    '<circle cx="18" cy="12" r="2.75"/><path d="M18 14.75V21l-1.75-1.5M18 17.5h2"/>',
    "device": '<rect x="3" y="4.5" width="18" height="12" rx="1.5"/><path d="M8.5 20.5h7M12 16.5v4"/>',
    "phone": '<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M11 18.5h2"/>',
    "apps": '<rect x="4" y="4" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.5"/>'
    '<rect x="4" y="13.5" width="6.5" height="6.5" rx="1.5"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.5"/>',
    "activity": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "alert": '<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5M12 16.4v.1"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3.5 7 8.5 6 8.5-6"/>',
}


def icon(name: str) -> Markup:
    """The icon as inline SVG, hidden from screen readers, since the adjacent text says the same."""
    return framed(_STROKES[name])


def framed(strokes: str) -> Markup:
    """The same for a drawing from elsewhere in this program. `strokes` are trusted, and never come from a person or a service."""
    return Markup(  # noqa: S704 - only our own drawings
        '<svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{strokes}</svg>'
    )
