"""Browser sessions, consents and known devices in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from msgspec import structs

from doorward.core.model.session import MOST_DEVICES, MOST_KNOWN, Consent, KnownDevice, Session
from doorward.core.model.signin import Proof
from doorward.storage.sql.noun import DAY, TOKEN_GRACE, Credential, Expiring, SqlNoun
from doorward.storage.sql.revocations import NEXT, NUMBERED
from doorward.storage.sql.rows import found, from_row, to_row, words
from doorward.storage.sql.security_events import SqlSecurityEvents
from doorward.storage.sql.statements import Database, Row, Step, Write, guarded, to_json, write
from doorward.storage.sql.text import ALL, insert, select, update, update_all

MOST_NAMED = 50
"""The most sessions that `only_these` names."""

_COLUMNS = (
    "id, secret_hash, account_id, created_at, seen_at, auth_time, expires_at, acr, amr, user_agent, address,"
    " ended_at, end_reason, proofs, device_hash, name"
)
_GET = select(_COLUMNS, "sessions WHERE id = ?")
_BY_SECRET = select(_COLUMNS, "sessions WHERE secret_hash = ?")
_LIVE_OF = select(
    _COLUMNS,
    "sessions WHERE account_id = ? AND ended_at IS NULL AND expires_at > ? ORDER BY seen_at DESC, id DESC LIMIT ? OFFSET ?",
)
_INSERT = insert("sessions", _COLUMNS)
_REPLACE_SECRET = update(
    "sessions",
    "secret_hash = ?, seen_at = ?, auth_time = ?, expires_at = ?, acr = ?, amr = ?, user_agent = ?, address = ?, proofs = ?",
    "id = ? AND secret_hash = ? AND auth_time = ? AND ended_at IS NULL",
)
# A plain text, which PostgreSQL runs alone and on a snapshot of its own, like those that end sessions.
_PROVE_BEFORE = (
    "UPDATE sessions SET auth_time = ? WHERE account_id = ? AND auth_time > ? AND ended_at IS NULL"
)
_TOUCH = update("sessions", "seen_at = ?", "id = ? AND seen_at < ?")
# A plain text as well: it sees what was committed while the account's row was waited for.
_NOT_THESE = (
    "sessions WHERE account_id = accounts.id AND ended_at IS NULL AND expires_at > ?"
    f" AND secret_hash NOT IN ({', '.join('?' * MOST_NAMED)})"
)
_ONLY_THESE = update_all("accounts", "id = id", f"id = ? AND NOT EXISTS ({select('1', _NOT_THESE)})")
_EXPIRED = select(
    "id, account_id",
    "sessions WHERE expires_at > ? AND expires_at <= ? AND ended_at IS NULL ORDER BY expires_at LIMIT ?",
)
_EXPIRE = update("sessions", "ended_at = expires_at, end_reason = 'expired'", "id = ? AND ended_at IS NULL")
_ALIVE = update("sessions", "ended_at = NULL", "id = ? AND ended_at IS NULL")
_END = update("sessions", "ended_at = ?, end_reason = ?", "id = ? AND ended_at IS NULL")
# Many rows at once, as for grants: the counter is incremented first, which locks it while entries are numbered.
_END_OF_ACCOUNT = (
    "UPDATE sessions SET ended_at = ?, end_reason = ?"
    " WHERE account_id = ? AND ended_at IS NULL AND expires_at > ? AND id <> ?"
)
_ENTER_OF_ACCOUNT = (
    "INSERT INTO revocations (kind, ref, at, expires_at, seq) SELECT 'sid', id, ended_at, CAST(? AS BIGINT),"
    " (SELECT value FROM counters WHERE name = 'revocations') + ROW_NUMBER() OVER (ORDER BY id)"
    " FROM sessions WHERE account_id = ? AND ended_at = ? AND end_reason = ? AND id <> ?"
)
_CLIENTS_IN_ALL = (
    "SELECT DISTINCT grants.session_id, grants.client_id FROM sessions JOIN grants ON grants.session_id = sessions.id"
    " WHERE sessions.account_id = ? AND sessions.ended_at IS NULL AND sessions.expires_at > ?"
    " ORDER BY grants.session_id, grants.client_id"
)
_LIVING_APPS = (
    "SELECT session_id, client_id FROM grants WHERE account_id = ? AND session_id IS NOT NULL AND ended_at IS NULL AND expires_at > ?"
    " GROUP BY session_id, client_id ORDER BY MAX(created_at) DESC, client_id LIMIT ?"
)
_CLIENTS_IN = "SELECT DISTINCT client_id FROM grants WHERE session_id = ? ORDER BY client_id"

_decoder = msgspec.json.Decoder(tuple[Proof, ...])

_CONSENT_COLUMNS = "account_id, client_id, audience, scopes, granted_at"
_CONSENTS_OF = select(_CONSENT_COLUMNS, "consents WHERE account_id = ? ORDER BY client_id, audience")
_CONSENT = select(_CONSENT_COLUMNS, "consents WHERE account_id = ? AND client_id = ? AND audience = ?")
_PUT_CONSENT = insert(
    "consents",
    _CONSENT_COLUMNS,
    "ON CONFLICT (account_id, client_id, audience) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at",
)
_REMOVE_CONSENTS = "DELETE FROM consents WHERE account_id = ?"
_REMOVE_CONSENTS_OF = f"{_REMOVE_CONSENTS} AND client_id = ?"

_REMEMBER = insert(
    "trusted_devices",
    "account_id, device_hash, trusted_at",
    "ON CONFLICT (account_id, device_hash) DO UPDATE SET trusted_at = excluded.trusted_at",
)
# as many places as MOST_DEVICES
_KNOWN = (
    "SELECT device_hash, name FROM trusted_devices"
    " WHERE account_id = ? AND device_hash IN (?, ?, ?, ?, ?, ?) LIMIT 1"
)
_SINCE = (
    "SELECT COUNT(*) FROM"
    " (SELECT 1 FROM trusted_devices WHERE account_id = ? AND trusted_at >= ? LIMIT ?) AS held"
)
# keeps the newest; any of those of the same second
_CROWD_OUT = (
    "DELETE FROM trusted_devices WHERE account_id = ? AND trusted_at <"
    " (SELECT trusted_at FROM trusted_devices WHERE account_id = ? ORDER BY trusted_at DESC LIMIT 1 OFFSET ?)"
)
_FORGET_ONE = "DELETE FROM trusted_devices WHERE account_id = ? AND device_hash = ?"
_NAME_SESSIONS = update_all(
    "sessions", "name = ?", "account_id = ? AND (id = ? OR device_hash = ?) AND ended_at IS NULL"
)
_NAME_DEVICE = update_all("trusted_devices", "name = ?", "account_id = ? AND device_hash = ?")
_FORGET = "DELETE FROM trusted_devices WHERE account_id = ? AND device_hash <> ?"


class SqlSessions(SqlNoun):
    """Browser sessions and consents."""

    credentials: ClassVar = (
        Credential(kind="session", what="the cookie of a signed-in browser", tables=("sessions",)),
        Credential(kind="consent", what="what an app gets without a question", tables=("consents",)),
        Credential(
            kind="known_device",
            what="a browser in which the person signed in before: no mail, and tries of its own",
            tables=("trusted_devices",),
        ),
    )
    expiring: ClassVar = (
        Expiring(table="sessions", keep=TOKEN_GRACE),
        Expiring(table="trusted_devices", key="account_id, device_hash", age="trusted_at", keep=365 * DAY),
    )

    def __init__(self, database: Database, events: SqlSecurityEvents) -> None:
        self._db = database
        self._events = events

    async def by_secret(self, secret_hash: bytes) -> Session | None:
        return await found(self._db, _BY_SECRET, (secret_hash,), _session)

    async def get(self, session_id: str) -> Session | None:
        return await found(self._db, _GET, (session_id,), _session)

    async def live_of(
        self, account_id: str, now: int, limit: int = ALL, skipped: int = 0
    ) -> Sequence[Session]:
        """Last used first; at most `limit`, after the first `skipped`."""
        return [_session(row) for row in await self._db.all(_LIVE_OF, (account_id, now, limit, skipped))]

    async def clients_in(self, session_id: str) -> Sequence[str]:
        """The apps that got a grant in this session (they receive a notice when it ends)."""
        return [row[0] for row in await self._db.all(_CLIENTS_IN, (session_id,))]

    async def clients_in_all(self, account_id: str, now: int) -> Sequence[tuple[str, str]]:
        """(session, app) of all live sessions of an account, without duplicates."""
        return [(row[0], row[1]) for row in await self._db.all(_CLIENTS_IN_ALL, (account_id, now))]

    async def living_apps(self, account_id: str, now: int, limit: int = 1000) -> Sequence[tuple[str, str]]:
        """(session, app) of the living grants of an account that were made in a session, without duplicates, newest first."""
        rows = await self._db.all(_LIVING_APPS, (account_id, now, limit))
        return [(row[0], row[1]) for row in rows]

    async def consents_of(self, account_id: str) -> Sequence[Consent]:
        return [_consent(row) for row in await self._db.all(_CONSENTS_OF, (account_id,))]

    async def consent(self, account_id: str, client_id: str, audience: str) -> Consent | None:
        return await found(self._db, _CONSENT, (account_id, client_id, audience), _consent)

    def insert(self, session: Session) -> Write:
        params = to_row(session, amr=" ".join(session.amr), proofs=_stored(session.proofs))
        return write(_INSERT, *params)

    def replace_secret(self, session: Session, new: Session) -> Write:
        """A new cookie value, auth_time, acr and amr for the same sid (R68). Guarded by the old secret hash and the old
        auth_time: what was read before `prove_before` does not undo it."""
        return guarded(
            _REPLACE_SECRET,
            new.secret_hash,
            new.seen_at,
            new.auth_time,
            new.expires_at,
            new.acr,
            " ".join(new.amr),
            new.user_agent,
            new.address,
            _stored(new.proofs),
            session.id,
            session.secret_hash,
            session.auth_time,
        )

    def prove_before(self, account_id: str, at: int) -> Write:
        """Date each live session of the account that was proven at `at` (seconds) or later, and its proofs, to the second before."""
        return write(_PROVE_BEFORE, at - 1, account_id, at - 1)

    def touch(self, session_id: str, seen_at: int) -> Write:
        return write(_TOUCH, seen_at, session_id, seen_at)

    def alive(self, session_id: str) -> Write:
        """Changes nothing. Guarded: loses when the session has ended."""
        return guarded(_ALIVE, session_id)

    def only_these(self, account_id: str, live: Sequence[Session], now: int) -> Write:
        """Changes nothing. Guarded: loses when the account has a live session, or one with other proofs, that is not among these, at most
        `MOST_NAMED`. In a commit it follows a guard that locks the account's row, as `SqlAccounts.has_only` does."""
        secrets = [one.secret_hash for one in live]
        return guarded(_ONLY_THESE, account_id, now, *secrets, *[b""] * (MOST_NAMED - len(secrets)))

    async def expired(self, since: int, now: int, limit: int) -> Sequence[tuple[str, str]]:
        """(session, account) of sessions that expired after `since` and that nobody ended."""
        return [(row[0], row[1]) for row in await self._db.all(_EXPIRED, (since, now, limit))]

    def expire(self, session_id: str) -> Write:
        """Mark an expired session as ended, at its expiry. Guarded: loses when it has ended. No stream hears of it, since it was not
        revoked."""
        return guarded(_EXPIRE, session_id)

    def end(self, session_id: str, at: int, reason: str) -> Write:
        """Not guarded: ending a session twice has no effect. Streams that ask for it hear of it, here and below."""
        return Write(tuple(self._events.of_session(session_id, at, (_END, (at, reason, session_id), None))))

    def end_first(self, session_id: str, at: int, reason: str) -> Write:
        """Guarded `end`: loses when the session has ended, so that concurrent calls make one entry in the revocation
        view."""
        return Write(tuple(self._events.of_session(session_id, at, (_END, (at, reason, session_id), 1))))

    def end_of_account(self, account_id: str, at: int, reason: str, until: int, *, keep: str | None) -> Write:
        """End all live sessions of an account except `keep`. Each enters the revocation view until `until`. Takes a few
        statements, independent of the number of sessions."""
        kept = keep or ""
        ends: tuple[Step, ...] = (
            NEXT,
            (_END_OF_ACCOUNT, (at, reason, account_id, at, kept), None),
            (_ENTER_OF_ACCOUNT, (until, account_id, at, reason, kept), None),
            NUMBERED,
        )
        return Write(tuple(self._events.of_sessions(account_id, at, *ends)))

    def put_consent(self, consent: Consent) -> Write:
        return write(_PUT_CONSENT, *to_row(consent, scopes=" ".join(consent.scopes)))

    def remove_consents(self, account_id: str, client_id: str | None = None) -> Write:
        """Those to one app, or all."""
        if client_id is None:
            return write(_REMOVE_CONSENTS, account_id)
        return write(_REMOVE_CONSENTS_OF, account_id, client_id)

    def remember_device(self, device_hash: bytes, account_id: str, at: int) -> Write:
        crowd_out = (_CROWD_OUT, (account_id, account_id, MOST_KNOWN - 1), None)
        return Write(((_REMEMBER, (account_id, device_hash, at), None), crowd_out))

    async def devices_since(self, account_id: str, since: int, limit: int) -> int:
        """How many devices became known to the account since `since`; counted up to `limit`."""
        row = await self._db.one(_SINCE, (account_id, since, limit))
        return int(row[0]) if row is not None else 0

    async def known_device(self, devices: Sequence[bytes], account_id: str) -> bytes | None:
        """The first of these devices that the account knows; only the first `MOST_DEVICES` are checked."""
        known = await self.device_of(devices, account_id)
        return None if known is None else known.device_hash

    async def device_of(self, devices: Sequence[bytes], account_id: str) -> KnownDevice | None:
        """The same with its name."""
        asked = (*devices[:MOST_DEVICES], *(b"",) * (MOST_DEVICES - len(devices)))
        row = await self._db.one(_KNOWN, (account_id, *asked))
        return KnownDevice(bytes(row[0]), row[1]) if row is not None else None

    def rename(self, session: Session, name: str | None) -> Write:
        """Name the device of a session: its live sessions, and what its next ones are called."""
        known = session.device_hash or b""
        return Write(
            (
                (_NAME_SESSIONS, (name, session.account_id, session.id, known), None),
                (_NAME_DEVICE, (name, session.account_id, known), None),
            )
        )

    def forget_device(self, account_id: str, device_hash: bytes) -> Write:
        """Remove one known device."""
        return write(_FORGET_ONE, account_id, device_hash)

    def forget_devices(self, account_id: str, *, but: bytes | None) -> Write:
        """Remove all known devices of the account except `but`."""
        return write(_FORGET, account_id, but or b"")


def _session(row: Row) -> Session:
    session = from_row(Session, row, amr=words, proofs=_proofs)
    if all(proof.at <= session.auth_time for proof in session.proofs):
        return session
    # by `prove_before`, which changes the column only
    dated = tuple(structs.replace(one, at=min(one.at, session.auth_time)) for one in session.proofs)
    return structs.replace(session, proofs=dated)


def _stored(proofs: tuple[Proof, ...]) -> str | None:
    return to_json(proofs) if proofs else None


def _proofs(stored: str | None) -> tuple[Proof, ...]:
    if stored is None:
        return ()
    try:
        return _decoder.decode(stored)
    except msgspec.MsgspecError:
        # written by a later version in an unknown form: only `amr` is used
        return ()


def _consent(row: Row) -> Consent:
    return from_row(Consent, row, scopes=words)
