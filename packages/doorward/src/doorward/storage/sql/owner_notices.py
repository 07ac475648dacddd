"""Notices to owners in SQL: the bundles in the outbox, and the links "This wasn't me"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from doorward.core.model.message import NoticeAnswer, NoticeLink, OutgoingMail
from doorward.storage.sql.noun import Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row
from doorward.storage.sql.statements import Database, Write, guarded, write
from doorward.storage.sql.text import insert, select, update, update_all

MAIL_COLUMNS = (
    "id, recipient, kind, sealed, created_at, next_try_at, tries, sent_at, failed_at, bundle, weight, in_mail"
)
_LINK_COLUMNS = "hash, account_id, kind, created_at, expires_at, answered_at, answer"
_LINK = select(_LINK_COLUMNS, "notice_links WHERE hash = ?")
INSERT_LINK = insert("notice_links", _LINK_COLUMNS)
_ANSWER = update("notice_links", "answered_at = ?, answer = ?", "hash = ? AND answered_at IS NULL")
_END_LINKS = update_all(
    "notice_links", "answered_at = ?, answer = 'ended'", "account_id = ? AND answered_at IS NULL"
)

_PENDING = "sent_at IS NULL AND failed_at IS NULL"
_TO = "bundle = ? AND recipient = ?"
_GATHER = update_all(
    "outgoing_mail",
    "in_mail = ?, next_try_at = ?",
    f"{_TO} AND {_PENDING} AND (in_mail IS NULL OR in_mail = ? OR next_try_at <= ?)",
)
_POSTPONE = update_all(
    "outgoing_mail", "next_try_at = ?", f"{_TO} AND {_PENDING} AND (in_mail IS NULL OR next_try_at <= ?)"
)
_SETTLE = update_all(
    "outgoing_mail", "next_try_at = ?, sent_at = ?, failed_at = ?", f"in_mail = ? AND {_PENDING}"
)
_GATHERED = select(
    MAIL_COLUMNS,
    f"outgoing_mail WHERE in_mail = ? AND {_PENDING} ORDER BY weight DESC, created_at DESC, id DESC LIMIT ?",
)
_NUMBER = select("COUNT(*)", f"outgoing_mail WHERE in_mail = ? AND {_PENDING}")
_TOLD = select(
    "COUNT(DISTINCT in_mail), COALESCE(MAX(sent_at), 0)", f"outgoing_mail WHERE {_TO} AND sent_at > ?"
)
_TOLD_KINDS = select("kind", f"outgoing_mail WHERE {_TO} AND sent_at > ?")
_NEW_KIND = select(
    "1",
    f"outgoing_mail WHERE {_TO} AND {_PENDING} AND next_try_at <= ? AND kind NOT IN ({_TOLD_KINDS}) LIMIT 1",
)
_WAITING = select("1", f"outgoing_mail WHERE bundle = ? AND kind = ? AND {_PENDING} LIMIT 1")


class ToldNotices(Struct, frozen=True):
    """The mails with notices that one recipient got since some time: how many, when the last one was sent (seconds, 0: none), and whether a
    kind is due of which none told."""

    mails: int
    last_at: int
    new_kind: bool


class SqlOwnerNotices(SqlNoun):
    """Bundles of notices, and their links."""

    expiring: ClassVar = (Expiring(table="notice_links", key="hash"),)
    with_account: ClassVar = ("notice_links",)
    no_credentials: ClassVar = {
        "notice_links": "the hash of a token that ends access, and opens nothing",
    }

    def __init__(self, database: Database) -> None:
        self._db = database

    async def link(self, link_hash: bytes) -> NoticeLink | None:
        return await found(self._db, _LINK, (link_hash,), lambda row: from_row(NoticeLink, row))

    def answer(self, link: NoticeLink, answer: NoticeAnswer, now: int) -> Write:
        """Guarded: a link is answered once."""
        return guarded(_ANSWER, now, answer, link.hash)

    def end_links(self, account_id: str, now: int) -> Write:
        """End the links that were not answered: all that they could end has ended."""
        return write(_END_LINKS, now, account_id)

    async def waiting(self, account_id: str, kind: str) -> bool:
        """Whether a notice of this kind has not been sent yet."""
        return await self._db.one(_WAITING, (account_id, kind)) is not None

    async def told(self, mail: OutgoingMail, *, since: int, now: int) -> ToldNotices:
        """What the recipient of a notice was told of this account."""
        of = (mail.bundle, mail.to)
        row = await self._db.one(_TOLD, (*of, since))
        new = await self._db.one(_NEW_KIND, (*of, now, *of, since))
        mails, last_at = (0, 0) if row is None else (int(row[0]), int(row[1]))
        return ToldNotices(mails, last_at, new is not None)

    def gather(self, mail: OutgoingMail, *, now: int, until: int) -> Write:
        """Put the notices for one recipient into the mail `mail`, which a worker sends until `until`; also those that wait for others, and
        those of a worker that failed."""
        return write(_GATHER, mail.id, until, mail.bundle, mail.to, mail.id, now)

    async def gathered(self, mail_id: str, limit: int) -> tuple[Sequence[OutgoingMail], int]:
        """The notices in a mail, most important and newest first, at most `limit`; and how many there are."""
        rows = await self._db.all(_GATHERED, (mail_id, limit))
        number = await self._db.one(_NUMBER, (mail_id,))
        return [from_row(OutgoingMail, row) for row in rows], 0 if number is None else int(number[0])

    def postpone(self, mail: OutgoingMail, until: int, now: int) -> Write:
        """Let all notices for one recipient wait until `until`."""
        return write(_POSTPONE, until, mail.bundle, mail.to, now)

    def settle(self, mail: OutgoingMail) -> Write:
        """Give all notices in a mail the state of that mail: sent, given up, or to be tried again."""
        return write(_SETTLE, mail.next_try_at, mail.sent_at, mail.failed_at, mail.id)
