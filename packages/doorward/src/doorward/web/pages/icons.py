"""Icons of the pages: strokes on a 24 × 24 field, in the colour of the surrounding text. Each is a file of the folder `icons`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from markupsafe import Markup

_DRAWING: Final = re.compile(r"<svg[^>]*>(.*)</svg>\s*", re.DOTALL)


def _strokes(text: str) -> str:
    """What the file draws, without its outer element: on a page that has another size."""
    found = _DRAWING.fullmatch(text)
    if found is None:
        raise ValueError("not an SVG drawing")
    return found[1]


_STROKES: Final = {
    path.stem: _strokes(path.read_text("utf-8")) for path in (Path(__file__).parent / "icons").glob("*.svg")
}


def icon(name: str) -> Markup:
    """The icon as inline SVG, hidden from screen readers, since the adjacent text says the same. Raises KeyError for an unknown one."""
    return framed(_STROKES[name])


def framed(strokes: str) -> Markup:
    """The same for a drawing from elsewhere in this program. `strokes` are trusted, and never come from a person or a service."""
    return Markup(  # noqa: S704 - only our own drawings
        '<svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{strokes}</svg>'
    )
