"""Signing key feature: background maintenance of the keys."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from doorward.features.feature import BackgroundJob, Feature, Jobs, Services

TEND_KEYS = 30.0


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import once
    from doorward.features.signing_keys.build import key_rotation

    keys = services.get(key_rotation)

    async def tend() -> None:
        """Maintain keys periodically, and at once after a configuration change: an app just registered for another algorithm must not
        wait for its key."""
        changed = asyncio.Event()
        services.config.on_change(lambda _: changed.set())

        async def round_of_care() -> None:
            changed.clear()
            await keys.maintain()

        while True:
            await once(round_of_care, name="signing keys")
            with suppress(TimeoutError):
                async with asyncio.timeout(TEND_KEYS):
                    await changed.wait()

    return [BackgroundJob(name="signing keys", run=tend)]


SIGNING_KEYS = Feature(name="signing_keys", jobs=_jobs)
