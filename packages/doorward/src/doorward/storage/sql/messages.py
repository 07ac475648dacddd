"""E-mail challenges, outgoing mail and logout notices in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import msgspec

from doorward.core.model.message import (
    EmailChallenge,
    LogoutNotice,
    OutgoingMail,
    OwnerMail,
    Undelivered,
    UndeliveredMail,
)
from doorward.storage.sql.noun import DAY, Credential, Expiring, SqlNoun
from doorward.storage.sql.owner_notices import INSERT_LINK, MAIL_COLUMNS
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import (
    MOST_LEFT_OUT,
    Database,
    Param,
    Row,
    Write,
    guarded,
    left_out,
    to_json,
    write,
)
from doorward.storage.sql.text import insert, select, update

_TICKET_COLUMNS = (
    "id, kind, email, code_hash, link_hash, browser_hash, created_at, expires_at, account_id, sign_in_id, payload,"
    " tries, proven_at, used_at"
)
_TICKET = select(_TICKET_COLUMNS, "tickets WHERE id = ?")
_TICKET_BY_LINK = select(_TICKET_COLUMNS, "tickets WHERE link_hash = ?")
_INSERT_TICKET = insert("tickets", _TICKET_COLUMNS)
_REPLACE_TICKET = update(
    "tickets",
    "email = ?, code_hash = ?, link_hash = ?, browser_hash = ?, created_at = ?, expires_at = ?,"
    " account_id = ?, sign_in_id = ?, payload = ?, tries = ?, proven_at = ?, used_at = ?",
    "id = ? AND tries = ? AND COALESCE(proven_at, -1) = ? AND COALESCE(used_at, -1) = ? AND COALESCE(account_id, '') = ?",
)
_DETACH_TICKETS = "UPDATE tickets SET account_id = NULL WHERE account_id = ?"

_DUE_MAIL = select(
    MAIL_COLUMNS,
    "outgoing_mail WHERE sent_at IS NULL AND failed_at IS NULL AND next_try_at <= ?"
    f"{' AND recipient NOT LIKE ?' * MOST_LEFT_OUT} ORDER BY next_try_at, id LIMIT ?",
)
_RECENT_MAIL = select(MAIL_COLUMNS, "outgoing_mail ORDER BY created_at DESC, id DESC LIMIT ?")
_MAIL = select(MAIL_COLUMNS, "outgoing_mail WHERE id = ?")
_INSERT_MAIL = insert("outgoing_mail", MAIL_COLUMNS)
_MOVED = "next_try_at = ?, tries = ?, sent_at = ?, failed_at = ?"
_AS_READ = "id = ? AND next_try_at = ? AND tries = ? AND sent_at IS NULL AND failed_at IS NULL"
_REPLACE_MAIL = update("outgoing_mail", _MOVED, _AS_READ)

_NOTICE_COLUMNS = (
    "id, client_id, account_id, session_id, created_at, next_try_at, tries, sent_at, failed_at, problem"
)
_WAIT = "sent_at IS NULL AND failed_at IS NULL"
_DUE_LOGOUTS = select(
    _NOTICE_COLUMNS,
    f"logout_notices WHERE client_id = ? AND {_WAIT} AND next_try_at <= ? ORDER BY tries, next_try_at, id LIMIT ?",
)
_NEXT_APP = f"logout_notices WHERE {_WAIT} AND client_id >"
# one step through the index for each app, and not for each notice
_APPS_TO_NOTIFY = select(
    "client_id",
    "(WITH RECURSIVE waiting_apps(client_id) AS ("  # noqa: S608 - names from here
    f"SELECT ({select('client_id', _NEXT_APP)} '' ORDER BY client_id LIMIT 1) UNION ALL "
    f"SELECT ({select('client_id', _NEXT_APP)} waiting_apps.client_id ORDER BY client_id LIMIT 1) FROM waiting_apps"
    " WHERE client_id IS NOT NULL) SELECT client_id FROM waiting_apps) AS found WHERE client_id IS NOT NULL",
)
_UNTRIED = select(
    "1",
    "logout_notices WHERE sent_at IS NULL AND failed_at IS NULL AND problem IS NULL AND session_id = ? LIMIT 1",
)
_INSERT_LOGOUT = insert("logout_notices", _NOTICE_COLUMNS)
_REPLACE_LOGOUT = update("logout_notices", f"{_MOVED}, problem = ?", _AS_READ)
_DISCARD_MAIL = "DELETE FROM outgoing_mail WHERE id = ?"
_UNDELIVERED_MAIL = select(
    "COUNT(*), COALESCE(SUM(CASE WHEN failed_at IS NULL THEN 0 ELSE 1 END), 0), MAX(created_at)",
    "outgoing_mail WHERE sent_at IS NULL AND tries > 0",
)
_LAST_PROBLEM = (
    "(SELECT problem FROM logout_notices WHERE client_id = late.client_id AND sent_at IS NULL AND problem IS NOT NULL"
    " ORDER BY created_at DESC, id DESC LIMIT 1)"
)
_UNDELIVERED = select(
    "client_id, SUM(CASE WHEN failed_at IS NULL THEN 1 ELSE 0 END), SUM(CASE WHEN failed_at IS NULL THEN 0 ELSE 1 END),"
    f" MAX(created_at), {_LAST_PROBLEM}",
    "logout_notices AS late WHERE sent_at IS NULL AND problem IS NOT NULL GROUP BY client_id ORDER BY client_id",
)

_payload = msgspec.json.Decoder(dict[str, Any])


class SqlMessages(SqlNoun):
    """E-mail challenges, the mail outbox and logout notices."""

    credentials: ClassVar = (
        Credential(
            kind="mailed_code",
            what="a mailed code or link, sent or already shown: reset, address, sign-in",
            tables=("tickets",),
        ),
    )
    no_credentials: ClassVar = {
        "outgoing_mail": "messages, sealed; the codes in them are those of other kinds",
        "logout_notices": "messages to apps",
    }
    expiring: ClassVar = (
        Expiring(table="tickets"),
        Expiring(table="outgoing_mail", age="created_at", keep=DAY, also="sent_at IS NOT NULL"),
        Expiring(table="outgoing_mail", age="created_at", keep=30 * DAY),
        Expiring(table="logout_notices", age="created_at", keep=DAY, also="sent_at IS NOT NULL"),
        Expiring(table="logout_notices", age="created_at", keep=30 * DAY),
    )
    with_account: ClassVar = ("tickets",)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ticket(self, ticket_id: str) -> EmailChallenge | None:
        return await found(self._db, _TICKET, (ticket_id,), _to_ticket)

    async def ticket_by_link(self, link_hash: bytes) -> EmailChallenge | None:
        return await found(self._db, _TICKET_BY_LINK, (link_hash,), _to_ticket)

    def insert_ticket(self, ticket: EmailChallenge) -> Write:
        return write(_INSERT_TICKET, *_ticket_row(ticket))

    def replace_ticket(self, old: EmailChallenge, new: EmailChallenge) -> Write:
        """Guarded by (tries, proven_at, used_at, account_id) as in `old`, so that every guess is counted and a ticket
        is used once."""
        return guarded(
            _REPLACE_TICKET,
            *_ticket_row(new)[2:],
            old.id,
            old.tries,
            -1 if old.proven_at is None else old.proven_at,
            -1 if old.used_at is None else old.used_at,
            old.account_id or "",
        )

    def detach_tickets(self, account_id: str) -> Write:
        """Detach all tickets from an account: their codes and links become invalid."""
        return write(_DETACH_TICKETS, account_id)

    async def due_mail(
        self, now: int, limit: int = 20, *, but: Collection[str] = ()
    ) -> Sequence[OutgoingMail]:
        """Longest due first, without those to the domains in `but`, at most `MOST_LEFT_OUT`."""
        without = left_out([f"%@{domain}" for domain in but])
        rows = await self._db.all(_DUE_MAIL, (now, *without, limit))
        return [from_row(OutgoingMail, row) for row in rows]

    async def mail(self, mail_id: str) -> OutgoingMail | None:
        return await found(self._db, _MAIL, (mail_id,), _to_mail)

    async def recent_mail(self, limit: int = 50) -> Sequence[OutgoingMail]:
        return [from_row(OutgoingMail, row) for row in await self._db.all(_RECENT_MAIL, (limit,))]

    def discard_mail(self, mail_id: str) -> Write:
        return write(_DISCARD_MAIL, mail_id)

    def insert_mail(self, mail: OutgoingMail | OwnerMail | None) -> Write:
        """A notice comes with its link. Changes nothing for None: a person without an address."""
        if mail is None:
            return Write(())
        if isinstance(mail, OwnerMail):
            return Write(((_INSERT_MAIL, to_row(mail.mail), None), (INSERT_LINK, to_row(mail.link), None)))
        return write(_INSERT_MAIL, *to_row(mail))

    def replace_mail(self, old: OutgoingMail, new: OutgoingMail) -> Write:
        """Guarded by `next_try_at`, so that only one of two workers takes it."""
        return guarded(_REPLACE_MAIL, *_moved(new), *_as_read(old))

    async def due_logouts(
        self, now: int, limit: int = 20, *, but: Collection[str] = ()
    ) -> Sequence[LogoutNotice]:
        """At most `limit` notices of each app, without the apps in `but`; first tries first."""
        apps = [str(app) for (app,) in await self._db.all(_APPS_TO_NOTIFY, ())]
        rows = [
            row
            for app in apps
            if app not in but
            for row in await self._db.all(_DUE_LOGOUTS, (app, now, limit))
        ]
        due = [from_row(LogoutNotice, row) for row in rows]
        return sorted(due, key=lambda one: (one.tries, one.next_try_at, one.id))

    async def untried(self, session_id: str) -> bool:
        """Whether an app was not told yet that this session has ended: no first try has come to its end."""
        return await self._db.one(_UNTRIED, (session_id,)) is not None

    def insert_logout(self, notice: LogoutNotice) -> Write:
        return write(_INSERT_LOGOUT, *to_row(notice))

    def replace_logout(self, old: LogoutNotice, new: LogoutNotice) -> Write:
        return guarded(_REPLACE_LOGOUT, *_moved(new), new.problem, *_as_read(old))

    async def undelivered_mail(self) -> UndeliveredMail | None:
        """Mail that failed at the first try and has not been sent since; None when there is none."""
        row = await self._db.one(_UNDELIVERED_MAIL, ())
        if row is None or not row[0]:
            return None
        return UndeliveredMail(waiting=int(row[0]) - int(row[1]), failed=int(row[1]), last_at=row[2])

    async def undelivered(self) -> Sequence[Undelivered]:
        """For each app whose logout notice failed at the first try: the notices still pending and those given up."""
        return [
            Undelivered(
                client_id=client_id,
                waiting=int(waiting),
                failed=int(failed),
                last_at=last_at,
                problem=problem,
            )
            for client_id, waiting, failed, last_at, problem in await self._db.all(_UNDELIVERED, ())
        ]


def _moved(new: OutgoingMail | LogoutNotice) -> tuple[Param, ...]:
    return new.next_try_at, new.tries, new.sent_at, new.failed_at


def _as_read(old: OutgoingMail | LogoutNotice) -> tuple[Param, ...]:
    return old.id, old.next_try_at, old.tries


def _to_mail(row: Row) -> OutgoingMail:
    return from_row(OutgoingMail, row)


def _to_ticket(row: Row) -> EmailChallenge:
    return from_row(EmailChallenge, row, payload=_payload.decode)


def _ticket_row(ticket: EmailChallenge) -> tuple[Param, ...]:
    return to_row(ticket, payload=to_json(ticket.payload))
