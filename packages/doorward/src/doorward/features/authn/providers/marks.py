"""Marks of services on their buttons: own drawings, one file each in `services/marks/`, as inline SVG under the strict policy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from doorward.features.authn.providers.services.service import ProviderService
from doorward.web.pages.icons import framed

_MARKS: Final = Path(__file__).parent / "services" / "marks"


def mark_of(service: ProviderService) -> Markup | None:
    """The mark of a service; None for one without, as any provider of an operator's own is."""
    return _drawn(service.name)


@cache
def _drawn(name: str) -> Markup | None:
    file = _MARKS / f"{name}.svg"
    if not file.is_file():
        return None
    return framed(file.read_text("utf-8").partition(">")[2].rpartition("</svg>")[0])
