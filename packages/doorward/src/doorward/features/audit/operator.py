"""Audit event of administration: a change by an operator, or by the server on behalf of its settings."""

from __future__ import annotations

from doorward.core.model.actor import Actor
from doorward.core.model.audit import AuditEvent
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.salt import new_salt
from doorward.storage.sql.store import Store, Write

BY = "operator"
"""Stored in `detail.by` of every such event, whatever the actor: older nodes and the activity page recognise these events by it."""


def operator_event(
    store: Store,
    random: SecureRandom,
    *,
    actor: Actor,
    kind: str,
    now: int,
    account_id: str | None = None,
    client_id: str | None = None,
    **detail: str | list[str],
) -> Write:
    """The audit event, as a write for the caller's own commit."""
    event = event_by(random, actor, kind, now, account_id=account_id, client_id=client_id, **detail)
    return store.audit.append(event, salt=new_salt(random))


def event_by(
    random: SecureRandom,
    actor: Actor,
    kind: str,
    now: int,
    *,
    account_id: str | None = None,
    client_id: str | None = None,
    **detail: str | list[str],
) -> AuditEvent:
    """The event with its actor, which is not written yet."""
    who = {"by": BY, "actor": actor.name}
    if actor.as_user is not None:
        who["as_user"] = actor.as_user
    return AuditEvent(
        id=random.new_id("aud"),
        at=now,
        kind=kind,
        account_id=account_id,
        client_id=client_id,
        detail={**who, **detail},
    )
