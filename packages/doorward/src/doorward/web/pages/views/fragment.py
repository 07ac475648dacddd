"""Fragment: a part of a page that another feature than that of the page supplies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from msgspec import Struct

PAGE_SCRIPT: Final = "page.js"
"""The script of pages whose parts need none of their own."""


class Fragment(Struct, frozen=True, kw_only=True):
    """A part of a page. In its template it is `part`, and `view` is the page. `script`: the static script that it needs, which requires
    that of all pages; None if it needs none."""

    template: ClassVar[str]
    script: ClassVar[str | None] = None


def script_of(parts: Iterable[Fragment]) -> str:
    """The script of a page with these parts. A page has one, since each would be another request: raises ValueError if two parts need
    different ones."""
    found = {part.script for part in parts if part.script is not None}
    if len(found) > 1:
        raise ValueError(f"one page, two scripts: {', '.join(sorted(found))}")
    return next(iter(found), PAGE_SCRIPT)
