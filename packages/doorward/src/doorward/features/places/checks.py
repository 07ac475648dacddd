"""Check of the files about addresses. Part of `doctor`; changes nothing."""

from __future__ import annotations

import asyncio
from typing import Final

from doorward.core.model.finding import Finding, failed, passed
from doorward.features.feature import Examined
from doorward.features.places.build import local_places
from doorward.features.places.settings import PlacePolicy

_OLD: Final = 400 * 86_400


async def files(examined: Examined) -> Finding | None:
    """Whether the files can be read, and how old the database is. None when the settings name no file."""
    policy = examined.sections.of(PlacePolicy)
    if policy == PlacePolicy():
        return None
    found = local_places(examined.sections)
    await asyncio.to_thread(found.refresh)
    if found.problems:
        fix = "Correct the file, or take it out of [places]. Until then sign-ins are judged without it."
        return failed(". ".join(found.problems), fix)
    said = [f"{size:,} ranges of {name}" for name, size in found.sizes.items()]
    if found.built is None:
        return passed(", ".join(said))
    days = max(examined.now - found.built, 0) // 86_400
    said.insert(0, f"the database was built {days} days ago")
    old = examined.now - found.built > _OLD
    return passed(", ".join(said), "Get a newer place database: networks move." if old else "")
