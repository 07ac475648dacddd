"""Security events feature: streams of events for apps, and events from other issuers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from doorward.features.feature import BackgroundJob, DoctorCheck, Feature, Jobs, Routes, Services
from doorward.features.slots import FOLLOWERS

if TYPE_CHECKING:
    from doorward.core.model.audit import AuditEvent
    from doorward.storage.sql.statements import Write

LOOK_AT_STREAMS: Final = 30.0
_INTERVAL: Final = 0.5


def _followers(services: Services) -> Sequence[Callable[[AuditEvent], Write]]:
    from doorward.features.security_events.build import stream_queue

    return (services.get(stream_queue).follow,)


def _routes(services: Services) -> Routes:
    from doorward.features.security_events import routes, source_routes
    from doorward.features.security_events.build import event_receiver, stream_endpoints

    return [
        *routes.routes(services.get(stream_endpoints)),
        *source_routes.routes(services.get(event_receiver)),
    ]


def _jobs(services: Services) -> Jobs:
    from doorward.adapters.background import every
    from doorward.adapters.http_client import GuardedHttp, http_for_documents
    from doorward.features.security_events.build import event_receiver, push_worker, upkeep
    from doorward.features.security_events.pushing import CONNECTIONS, TIMEOUT
    from doorward.features.security_events.settings import EventStreamPolicy
    from doorward.features.security_events.source_polling import INTERVAL, SourcePolling

    hosts = frozenset(services.sections.of(EventStreamPolicy).private_hosts)

    async def push() -> None:
        http = GuardedHttp(
            timeout=TIMEOUT,
            development=services.development,
            ca_file=services.ca_file,
            may_be_private=hosts.__contains__,
            connections=CONNECTIONS,
        )
        try:
            await push_worker(services, http).run(_INTERVAL)
        finally:
            await http.close()

    async def look() -> None:
        await services.get(upkeep).round()

    receiver = services.get(event_receiver)
    fetched = {
        name: urlsplit(one.poll_url).hostname for name, one in receiver.sources.items() if one.poll_url
    }

    async def fetch() -> None:
        http = http_for_documents(
            fetched.values(), timeout=TIMEOUT, development=services.development, ca_file=services.ca_file
        )
        polling = SourcePolling(
            receiver=receiver,
            sources=receiver.sources,
            store=services.store,
            clock=services.clock,
            http=http,
        )
        try:
            # each by itself: a slow one holds no other
            async with asyncio.TaskGroup() as tasks:
                for name in fetched:
                    tasks.create_task(every(INTERVAL, partial(polling.round, name), name="event sources"))
        finally:
            await http.close()

    return [
        BackgroundJob(name="security events", run=push),
        *([BackgroundJob(name="event sources", run=fetch)] if fetched else []),
        BackgroundJob(name="event streams", run=lambda: every(LOOK_AT_STREAMS, look, name="event streams")),
    ]


def _checks() -> Sequence[DoctorCheck]:
    from doorward.features.security_events.checks import event_streams

    return (DoctorCheck(name="event streams", look=event_streams),)


def _closing(services: Services) -> None:
    from doorward.features.security_events.build import polling

    services.get(polling).release()


SECURITY_EVENTS = Feature(
    name="security_events",
    routes=_routes,
    jobs=_jobs,
    adds=(FOLLOWERS.filled_by(_followers),),
    checks=_checks,
    closing=_closing,
)
