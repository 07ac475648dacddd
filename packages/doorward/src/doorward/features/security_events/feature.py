"""Security events feature: streams of events for apps, and events from other issuers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from doorward.features.feature import Feature, Services
from doorward.features.slots import FOLLOWERS

if TYPE_CHECKING:
    from doorward.core.model.audit import AuditEvent
    from doorward.storage.sql.statements import Write


def _followers(services: Services) -> Sequence[Callable[[AuditEvent], Write]]:
    from doorward.features.security_events.build import stream_queue

    return (services.get(stream_queue).follow,)


SECURITY_EVENTS = Feature(name="security_events", adds=(FOLLOWERS.filled_by(_followers),))
