"""Place feature: reads the operator's files again when they are replaced, and checks them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from doorward.features.feature import BackgroundJob, DoctorCheck, Feature, Jobs, Services

_EVERY: Final = 30.0


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.features.places.build import places

    found = services.get(places)

    async def refresh() -> None:
        await asyncio.to_thread(found.refresh)

    return [BackgroundJob(name="places", run=lambda: every(_EVERY, refresh, name="places"))]


async def _starting(services: Services) -> None:
    from doorward.features.places.build import places

    await asyncio.to_thread(services.get(places).refresh)


def _checks() -> Sequence[DoctorCheck]:
    from doorward.features.places.checks import files

    return [DoctorCheck(name="places", look=files)]


PLACES = Feature(name="places", jobs=_jobs, checks=_checks, starting=_starting)
