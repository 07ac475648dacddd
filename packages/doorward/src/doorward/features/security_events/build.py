"""Construction of the services of security events."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from doorward.features.audit.build import audit_log
from doorward.features.security_events.queue import StreamQueue
from doorward.features.security_events.settings import EventStreamPolicy
from doorward.features.security_events.source_settings import EventSourcePolicies
from doorward.features.security_events.streams import Streams
from doorward.features.services import Services
from doorward.features.slots import CREDENTIAL_TYPES

if TYPE_CHECKING:
    from doorward.features.security_events.polling import Polling
    from doorward.features.security_events.pushing import Posts, PushWorker
    from doorward.features.security_events.receiving import EventReceiver
    from doorward.features.security_events.routes import StreamEndpoints
    from doorward.features.security_events.tokens import EventTokens
    from doorward.features.security_events.upkeep import StreamUpkeep


def stream_queue(services: Services) -> StreamQueue:
    """What the audit log writes into streams."""

    @cache
    def types() -> dict[str, str]:
        return dict(services.added(CREDENTIAL_TYPES))

    return StreamQueue(store=services.store, credential_types=types)


def streams(services: Services) -> Streams:
    """The streams of apps."""
    return Streams(
        store=services.store,
        config=services.config,
        random=services.random,
        clock=services.clock,
        sealer=services.sealer,
        audit_log=services.get(audit_log),
        policy=services.sections.of(EventStreamPolicy),
    )


def event_tokens(services: Services) -> EventTokens:
    """The signer of events."""
    from doorward.features.security_events.tokens import EventTokens

    return EventTokens(signer=services.signer, issuer=services.issuer)


def polling(services: Services) -> Polling:
    """Delivery by polling."""
    from doorward.features.security_events.polling import Polling

    return Polling(
        store=services.store,
        tokens=services.get(event_tokens),
        clock=services.clock,
        metrics=services.metrics,
    )


def push_worker(services: Services, http: Posts) -> PushWorker:
    """Delivery by push, over the given client."""
    from doorward.features.security_events.pushing import PushWorker

    return PushWorker(
        store=services.store,
        http=http,
        tokens=services.get(event_tokens),
        sealer=services.sealer,
        clock=services.clock,
        metrics=services.metrics,
        audit_log=services.get(audit_log),
        streams=services.get(streams),
        policy=services.sections.of(EventStreamPolicy),
    )


def upkeep(services: Services) -> StreamUpkeep:
    """The upkeep of streams."""
    from doorward.features.security_events.upkeep import StreamUpkeep

    return StreamUpkeep(
        store=services.store,
        config=services.config,
        clock=services.clock,
        audit_log=services.get(audit_log),
        streams=services.get(streams),
        policy=services.sections.of(EventStreamPolicy),
    )


def event_receiver(services: Services) -> EventReceiver:
    """Events of other issuers."""
    from doorward.features.oauth.index import keys_of_issuers
    from doorward.features.security_events.receiving import EventReceiver
    from doorward.features.sessions.build import revoker

    return EventReceiver(
        store=services.store,
        sources=services.sections.of(EventSourcePolicies).by_name,
        keys=keys_of_issuers(services),
        revoker=services.get(revoker),
        audit_log=services.get(audit_log),
        clock=services.clock,
        metrics=services.metrics,
    )


def stream_endpoints(services: Services) -> StreamEndpoints:
    """The endpoints for apps."""
    from doorward.features.clients.build import client_directory
    from doorward.features.revocations.build import revocation_view
    from doorward.features.security_events.access import StreamAccess
    from doorward.features.security_events.routes import StreamEndpoints

    return StreamEndpoints(
        streams=services.get(streams),
        polling=services.get(polling),
        access=StreamAccess(
            clients=services.get(client_directory),
            signer=services.signer,
            view=services.get(revocation_view),
            clock=services.clock,
            issuer=services.issuer,
        ),
        issuer=services.issuer,
        development=services.development,
    )
