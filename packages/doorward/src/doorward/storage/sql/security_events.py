"""Streams of security events in SQL. Which streams hear of an event is decided by one statement in the commit of what happened: an app
hears of people who gave it a grant or a consent, and of sessions in which it got a grant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.security_event import (
    AccountEvent,
    EventKind,
    EventStream,
    SecurityEvent,
    StreamStatus,
)
from doorward.storage.sql.config_objects import RAISE
from doorward.storage.sql.noun import DAY, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Param, Row, Step, Write, guarded, to_json, write
from doorward.storage.sql.text import delete, insert, insert_from, select, update, update_all

KEPT: Final = 30 * DAY
"""Seconds after which an event that nobody accepted is deleted."""
_COLUMNS = (
    "id, client_id, audience, description, delivery, endpoint_url, sealed, events, subject, subject_in_event, status, reason,"
    " created_at, revision, next_try_at, tries, failing_since, problem, accepted_at, verified_at"
)
_GET = select(_COLUMNS, "event_streams WHERE id = ?")
_ALL = select(_COLUMNS, "event_streams ORDER BY id")
_OF_CLIENT = select(_COLUMNS, "event_streams WHERE client_id = ? ORDER BY id")
_DUE = select(
    _COLUMNS,
    "event_streams WHERE delivery = 'push' AND next_try_at <= ? AND EXISTS (SELECT 1 FROM security_events AS q"
    " WHERE q.stream_id = event_streams.id AND (event_streams.status = 'enabled' OR q.kind = 'stream-updated'))"
    " ORDER BY next_try_at, id",
)
_INSERT = insert("event_streams", _COLUMNS)
_WITHIN = update_all(
    "event_streams",
    "revision = revision",
    f"id = ? AND ({select('COUNT(*)', 'event_streams WHERE client_id = ?')}) <= ?",
)
_SETTINGS = "audience = ?, description = ?, delivery = ?, endpoint_url = ?, sealed = ?, events = ?, subject = ?, subject_in_event = ?"
_REPLACE = update(
    "event_streams",
    f"{_SETTINGS}, status = ?, reason = ?, revision = ?, next_try_at = ?, tries = ?, failing_since = ?",
    "id = ? AND revision = ?",
)
_MOVED = update(
    "event_streams",
    "next_try_at = ?, tries = ?, failing_since = ?, problem = ?, accepted_at = ?",
    "id = ? AND revision = ? AND next_try_at = ?",
)
_VERIFIED = update("event_streams", "verified_at = ?", "id = ? AND (verified_at IS NULL OR verified_at <= ?)")
_ACCEPTED = update("event_streams", "accepted_at = ?", "id = ? AND COALESCE(accepted_at, 0) < ?")

_EVENT_COLUMNS = "id, stream_id, account_id, position, at, kind, session_id, email, detail"
# A stream that is not enabled sends one thing, that it is not (SSF 1.0 §8.1.5).
_WAITING = select(
    _EVENT_COLUMNS,
    "security_events WHERE stream_id = ? AND (? = 'enabled' OR kind = 'stream-updated') ORDER BY position, id LIMIT ?",
)
_COUNTS = select("stream_id, COUNT(*), MIN(at)", "security_events GROUP BY stream_id")
_ANY = select("1", "security_events WHERE stream_id = ? LIMIT 1")
_ADD = insert("security_events", _EVENT_COLUMNS)
_DELETE = delete("event_streams", "id = ?")
_EMPTY = delete("security_events", "stream_id = ?")
_EMPTY_OF = delete("security_events", "stream_id = ? AND kind = ?")
_REMOVE = delete("security_events", "id = ? AND stream_id = ?")

# After the last event of the same person that still waits, whatever the clocks of the nodes say.
_POSITION = (
    "(SELECT CASE WHEN COALESCE(MAX(q.position), 0) >= CAST(? AS BIGINT) THEN MAX(q.position) + 1 ELSE CAST(? AS BIGINT) END"
    " FROM security_events AS q WHERE q.account_id = {account})"
)
_ADDRESS = (
    "CASE WHEN s.subject = 'email' THEN"
    " (SELECT a.email FROM accounts AS a WHERE a.id = {account} AND a.email LIKE '%@%') END"
)
_STREAMS = "event_streams AS s ON s.status <> 'disabled' AND s.events LIKE"
"""Those of apps that are registered still."""


def _given(table: str, which: str = "") -> str:
    return (
        f"EXISTS ({select('1', f'{table} AS g WHERE g.account_id = ? AND g.client_id = s.client_id{which}')})"
    )


# The commit that ends an app's access still tells it. That the account itself is gone or back is told also where the person signed out of
# the app earlier, unless they disconnected it.
_GRANTED = _given(
    "grants",
    " AND (g.ended_at IS NULL OR g.ended_at >= CAST(? AS BIGINT)"
    " OR (g.end_reason <> 'disconnected' AND CAST(? AS TEXT) IN ('account-disabled', 'account-enabled', 'account-purged')))",
)

_OF_ACCOUNT = insert_from(
    "security_events",
    _EVENT_COLUMNS,
    select(
        f"CAST(? AS TEXT) || '.' || s.id, s.id, CAST(? AS TEXT), {_POSITION.format(account='?')}, CAST(? AS BIGINT), CAST(? AS TEXT),"
        f" NULL, {_ADDRESS.format(account='?')}, CAST(? AS TEXT)",
        f"clients AS c JOIN {_STREAMS} ? AND s.client_id = c.id WHERE ({_GRANTED} OR {_given('consents')})",
    ),
)
_TAKES_PART = "EXISTS (SELECT 1 FROM grants AS g WHERE g.session_id = {0}.id AND g.client_id = s.client_id)"


def _of_sessions(account: str) -> str:
    # A receiver that is told of a person, and not of a session, ends all sessions of that person: it is told when the last one ended
    # in which its app took part, by the id of the newest of those that ended at this moment.
    others = select(
        "1",
        "sessions AS l WHERE l.account_id = x.account_id AND l.id <> x.id"
        " AND ((l.ended_at IS NULL AND l.expires_at > CAST(? AS BIGINT)) OR (l.ended_at = x.ended_at AND l.id > x.id))"
        f" AND {_TAKES_PART.format('l')}",
    )
    columns = (
        f"x.id || '.' || s.id, s.id, x.account_id, {_POSITION.format(account='x.account_id')}, x.ended_at, 'session-revoked', x.id,"
        f" {_ADDRESS.format(account='x.account_id')}, '{{\"reason\":\"' || x.end_reason || '\"}}'"
    )
    rows = (
        f"sessions AS x JOIN {_STREAMS} '% session-revoked %' JOIN clients AS c ON c.id = s.client_id"
        f" WHERE x.account_id = {account} AND x.ended_at = CAST(? AS BIGINT) AND {_TAKES_PART.format('x')}"
        f" AND (s.subject = 'complex' OR NOT EXISTS ({others}))"
    )
    return insert_from("security_events", _EVENT_COLUMNS, select(columns, rows))


_OWNER = "(SELECT o.account_id FROM sessions AS o WHERE o.id = ?)"
_OF_SESSION_OWNER = _of_sessions(_OWNER)
_OF_SESSIONS_OF_ACCOUNT = _of_sessions("?")
# One after the other for each person: of two sessions that end at once, each commit would see the other session as live, and nobody would be
# the last. It is a statement of its own, since those after it must see what was committed while it waited.
_IN_TURN_BY_SESSION = update_all("accounts", "disabled_at = disabled_at", f"id = {_OWNER}")
_IN_TURN_BY_ACCOUNT = update_all("accounts", "disabled_at = disabled_at", "id = ?")

_detail = msgspec.json.Decoder(dict[str, Any])


class SqlSecurityEvents(SqlNoun):
    """Streams and what waits in them. `wanted` are the kinds that any stream of the newest snapshot asks for; None: not known, and then
    each statement looks for itself. Without a stream nothing is added to any commit."""

    no_credentials: ClassVar = {
        "event_streams": "what a receiver wants to hear; `sealed` is the receiver's own secret, with which it is called",
        "security_events": "messages to apps",
    }

    expiring: ClassVar = (Expiring(table="security_events", age="at", keep=KEPT),)

    def __init__(self, database: Database) -> None:
        self._db = database
        self.wanted: frozenset[str] | None = frozenset()

    def follow(self, snapshot: ConfigSnapshot) -> None:
        """Take what is asked for from the newest snapshot."""
        self.wanted = snapshot.event_kinds

    def wants(self, kind: EventKind) -> bool:
        """Whether a stream may ask for this kind."""
        return self.wanted is None or kind in self.wanted

    async def get(self, stream_id: str) -> EventStream | None:
        return await found(self._db, _GET, (stream_id,), _stream)

    async def all(self) -> Sequence[EventStream]:
        """In the order of their ids."""
        return [_stream(row) for row in await self._db.all(_ALL, ())]

    async def of_client(self, client_id: str) -> Sequence[EventStream]:
        """The streams of an app, oldest first."""
        return [_stream(row) for row in await self._db.all(_OF_CLIENT, (client_id,))]

    async def due(self, now: int) -> Sequence[EventStream]:
        """Streams whose events are pushed, which have some to send and are free."""
        return [_stream(row) for row in await self._db.all(_DUE, (now,))]

    async def waiting(
        self, stream_id: str, limit: int, status: StreamStatus = "enabled"
    ) -> Sequence[SecurityEvent]:
        """The first events of a stream that may be sent in this status, in the order of delivery."""
        return [_event(row) for row in await self._db.all(_WAITING, (stream_id, status, limit))]

    async def any_waiting(self, stream_id: str) -> bool:
        return await self._db.one(_ANY, (stream_id,)) is not None

    async def counts(self) -> dict[str, tuple[int, int]]:
        """For each stream with events, how many wait, and when the oldest happened (seconds)."""
        return {row[0]: (int(row[1]), int(row[2])) for row in await self._db.all(_COUNTS, ())}

    def insert(self, stream: EventStream) -> Write:
        """The configuration snapshot says which kinds are asked for, so that its version grows here and below."""
        return Write(((_INSERT, _stream_row(stream), None), RAISE))

    def insert_below(self, stream: EventStream, most: int) -> Write:
        """`insert`, guarded: loses when its app has `most` streams. The version grows first, which lets one commit after another count."""
        client_id = stream.client_id
        return Write(
            (RAISE, (_INSERT, _stream_row(stream), None), (_WITHIN, (stream.id, client_id, most), 1))
        )

    def replace(self, old: EventStream, new: EventStream) -> Write:
        """The settings and the status. Guarded: loses when it was changed after `old` was read."""
        values = (
            new.audience,
            new.description,
            new.delivery,
            new.endpoint_url,
            new.sealed,
            _names(new.events),
            new.subject,
            int(new.subject_in_event),
            new.status,
            new.reason,
            old.revision + 1,
            new.next_try_at,
            new.tries,
            new.failing_since,
            old.id,
            old.revision,
        )
        return Write(((_REPLACE, values, 1), RAISE))

    def moved(self, old: EventStream, new: EventStream) -> Write:
        """How far delivery is. Guarded by `next_try_at`, so that only one of two processes sends."""
        return guarded(
            _MOVED,
            new.next_try_at,
            new.tries,
            new.failing_since,
            new.problem,
            new.accepted_at,
            old.id,
            old.revision,
            old.next_try_at,
        )

    def accepted(self, stream_id: str, now: int, *, every: int) -> Write:
        """A poller was here; written at most once in `every` seconds."""
        return write(_ACCEPTED, now, stream_id, now - every)

    def verify(self, stream_id: str, now: int, *, every: int) -> Write:
        """Guarded: loses within `every` seconds after the last time (SSF 1.0 §8.1.4.2)."""
        return guarded(_VERIFIED, now, stream_id, now - every)

    def delete(self, stream_id: str) -> Write:
        """The stream, and what waits in it."""
        return Write((*self.empty(stream_id).steps, (_DELETE, (stream_id,), None), RAISE))

    def empty(self, stream_id: str, kind: EventKind | None = None) -> Write:
        """Delete what waits in a stream, or what is of one kind."""
        return write(_EMPTY, stream_id) if kind is None else write(_EMPTY_OF, stream_id, kind)

    def add(self, event: SecurityEvent) -> Write:
        """An event of the stream itself."""
        return write(_ADD, *to_row(event, detail=to_json(event.detail)))

    def remove(self, stream_id: str, ids: Sequence[str]) -> Write:
        """Events that the receiver of this stream accepted; those of another stream stay."""
        return Write(tuple((_REMOVE, (one, stream_id), None) for one in ids))

    def of_account(self, event: AccountEvent) -> Write:
        """An event for the streams of all apps that know the person. Nothing where no stream asks for its kind."""
        if not self.wants(event.kind):
            return Write(())
        who, position = event.account_id, event.at * 1000
        values = (event.id, who, position, position, who, event.at, event.kind, who, to_json(event.detail))
        return write(_OF_ACCOUNT, *values, f"% {event.kind} %", who, event.at, event.kind, who)

    def of_session(self, session_id: str, at: int, end: Step) -> Sequence[Step]:
        """`end`, which ends a session at this time, with what tells streams of it."""
        if not self.wants("session-revoked"):
            return (end,)
        return ((_IN_TURN_BY_SESSION, (session_id,), None), end, _told(_OF_SESSION_OWNER, session_id, at))

    def of_sessions(self, account_id: str, at: int, *ends: Step) -> Sequence[Step]:
        """`ends`, which end sessions of an account at this time, with what tells streams of them."""
        if not self.wants("session-revoked"):
            return ends
        return (
            (_IN_TURN_BY_ACCOUNT, (account_id,), None),
            *ends,
            _told(_OF_SESSIONS_OF_ACCOUNT, account_id, at),
        )


def _told(sql: str, whose: str, at: int) -> Step:
    return (sql, (at * 1000, at * 1000, whose, at, at), None)


def _names(events: Sequence[str]) -> str:
    return f" {' '.join(events)} "


def _stream(row: Row) -> EventStream:
    return from_row(EventStream, row, events=lambda text: tuple(text.split()), subject_in_event=bool)


def _event(row: Row) -> SecurityEvent:
    return from_row(SecurityEvent, row, detail=_detail.decode)


def _stream_row(stream: EventStream) -> tuple[Param, ...]:
    return to_row(stream, events=_names(stream.events), subject_in_event=int(stream.subject_in_event))
