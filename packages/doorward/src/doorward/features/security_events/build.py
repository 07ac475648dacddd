"""Construction of the services of security events."""

from __future__ import annotations

from functools import cache

from doorward.features.security_events.queue import StreamQueue
from doorward.features.services import Services
from doorward.features.slots import CREDENTIAL_TYPES


def stream_queue(services: Services) -> StreamQueue:
    """What the audit log writes into streams."""

    @cache
    def types() -> dict[str, str]:
        return dict(services.added(CREDENTIAL_TYPES))

    return StreamQueue(store=services.store, credential_types=types)
