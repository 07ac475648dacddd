"""Chain of the audit log: committed lines that are not sealed yet, sealed ones with their hashes, and signed heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from doorward.core.model.audit_chain import ChainLink, SealedLine, SignedHead, StoredLine
from doorward.core.model.audit_line import ChainedLine
from doorward.storage.sql.accounts import AT_ONCE, filled
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.statements import Database, Row, Write, guarded, write
from doorward.storage.sql.text import delete, delete_oldest, insert, one_of, qualified, select

_LINE: Final = "id, at, kind, ok, account_id, client_id, session_id, grant_id, request_id, detail, personal"
_BESIDE: Final = "LEFT JOIN audit_personal ON audit_personal.id = "
_OF_LINE: Final = f"{qualified('audit', _LINE)}, audit.address, audit.user_agent"
_QUEUED: Final = select("id", "audit_unsealed ORDER BY id LIMIT ?")
_WAITING: Final = select(
    f"oldest.id, {_OF_LINE}",
    f"({_QUEUED}) AS oldest LEFT JOIN audit ON audit.id = oldest.id ORDER BY oldest.id",
)
_ADD: Final = insert("audit_chain", "seq, id, digest, hash")
# a plain text, which runs alone: it is looked up in every month
_SPLIT: Final = "UPDATE audit SET address = NULL, user_agent = NULL, detail = ?, personal = ? WHERE id = ? AND personal IS NULL"
# a row of such a line that is there already was not written by a server
_PUT_PERSONAL: Final = insert(
    "audit_personal",
    "id, salt, fields",
    "ON CONFLICT (id) DO UPDATE SET salt = excluded.salt, fields = excluded.fields",
)
_UNQUEUE: Final = delete("audit_unsealed", "id = ?")
_LINK: Final = "seq, id, digest, hash"
_LAST: Final = select(_LINK, "audit_chain ORDER BY seq DESC LIMIT 1")
_AT: Final = select(_LINK, "audit_chain WHERE seq = ?")
_FIRST_KEPT: Final = select("seq", "audit_chain WHERE id >= ? ORDER BY seq LIMIT 1")
_FIRST: Final = select("seq", "audit_chain WHERE id < ? ORDER BY seq LIMIT 1")
_NEXT_LINKS: Final = select(_LINK, "audit_chain WHERE seq > ? ORDER BY seq LIMIT ?")
_WHOLE: Final = select(
    f"{qualified('oldest', _LINK)}, {_OF_LINE}, audit_personal.salt, audit_personal.fields",
    f"({_NEXT_LINKS}) AS oldest LEFT JOIN audit ON audit.id = oldest.id {_BESIDE}oldest.id"
    " ORDER BY oldest.seq",
)
# in one statement, so that a line on its way from the queue into the chain is not found
_TWICE: Final = select(
    "id",
    "audit_unsealed WHERE EXISTS (SELECT 1 FROM audit_chain WHERE audit_chain.id = audit_unsealed.id)"
    " ORDER BY id LIMIT ?",
)
_COUNT: Final = "SELECT count(*), min(id) FROM audit_unsealed"
# in one statement, so that a line on its way from the queue into the chain is not missed
_NEITHER: Final = select(
    "id",
    "audit WHERE id >= ? AND NOT EXISTS (SELECT 1 FROM audit_chain WHERE audit_chain.id = audit.id)"
    " AND NOT EXISTS (SELECT 1 FROM audit_unsealed WHERE audit_unsealed.id = audit.id) ORDER BY id LIMIT 1",
)
_ERASURES: Final = one_of(
    "account_id, kind, max(id)",
    "audit",
    "account_id",
    AT_ONCE,
    "AND kind IN ('account.deleted', 'audit.erased') GROUP BY account_id, kind",
)
_HEADS: Final = select("seq, at, jws", "audit_heads WHERE seq > ? ORDER BY seq LIMIT ?")
_NEWEST_HEAD: Final = select("seq, at, jws", "audit_heads ORDER BY seq DESC LIMIT 1")
_PUT_HEAD: Final = insert(
    "audit_heads",
    "seq, at, jws",
    "ON CONFLICT (seq) DO UPDATE SET at = excluded.at, jws = excluded.jws",
)
_PRUNE_CHAIN: Final = delete_oldest("audit_chain", "seq", "seq", "seq <= ?")
_PRUNE_HEADS: Final = delete_oldest("audit_heads", "seq", "seq", "seq < ?")
_PRUNE_PERSONAL: Final = delete_oldest("audit_personal", "id", "id", "id < ?")
FOR_EVER: Final = "b"
"""After every id: lines of deleted accounts are erased whenever they were written."""


class SqlAuditChain(SqlNoun):
    """The chain. Places are numbered from 1 without gaps; the primary key refuses a second sealer that adds the same place."""

    no_credentials: ClassVar = {
        "audit_chain": "what happened: the digest of each line, and the chain's hash",
        "audit_heads": "what happened: signed statements about the chain",
        "audit_unsealed": "lines that are to be sealed",
    }

    def __init__(self, database: Database) -> None:
        self._db = database

    async def waiting(self, limit: int) -> Sequence[tuple[str, StoredLine | None]]:
        """The first lines that are not sealed, by id; None for a line that has gone."""
        rows = await self._db.all(_WAITING, (limit,))
        return [
            (
                row[0],
                None
                if row[1] is None
                else StoredLine(line=ChainedLine(*row[1:12]), address=row[12], user_agent=row[13]),
            )
            for row in rows
        ]

    async def twice(self, limit: int) -> Sequence[str]:
        """The first lines that wait although they are sealed: somebody else put them into the queue."""
        return [row[0] for row in await self._db.all(_TWICE, (limit,))]

    async def backlog(self) -> tuple[int, str | None]:
        """The number of lines that are not sealed, and the first one's id."""
        row = await self._db.one(_COUNT, ())
        return (0, None) if row is None else (row[0], row[1])

    async def last(self) -> ChainLink | None:
        """The newest place."""
        return _link(await self._db.one(_LAST, ()))

    async def at(self, seq: int) -> ChainLink | None:
        """The place with this number."""
        return _link(await self._db.one(_AT, (seq,)))

    async def after(self, seq: int, limit: int = 500) -> Sequence[SealedLine]:
        """The places after `seq`, in order."""
        rows = await self._db.all(_WHOLE, (seq, limit))
        return [
            SealedLine(
                link=ChainLink(*row[:4]),
                line=None if row[4] is None else ChainedLine(*row[4:15]),
                salt=row[17],
                fields=row[18],
            )
            for row in rows
        ]

    async def outside(self, since: str) -> str | None:
        """The first line since an id that is neither sealed nor waits for it."""
        row = await self._db.one(_NEITHER, (since,))
        return None if row is None else row[0]

    async def erasures(self, ids: Sequence[str]) -> Mapping[str, str]:
        """By account, at most `AT_ONCE`: the id before which the personal fields of its lines were erased."""
        if not ids:
            return {}
        rows = await self._db.all(_ERASURES, filled(ids))
        found = {account: until for account, kind, until in rows if kind == "audit.erased"}
        return found | {account: FOR_EVER for account, kind, _ in rows if kind == "account.deleted"}

    def add(self, place: ChainLink) -> Write:
        """Seal a line, which ends its waiting."""
        return write(_ADD, place.seq, place.id, place.digest, place.hash)

    def split(self, line: ChainedLine) -> Write:
        """Take the personal fields out of a line in the form of older programs. Guarded: loses when that was done."""
        return guarded(_SPLIT, line.detail, line.personal, line.id)

    def put_personal(self, line_id: str, salt: bytes, fields: str) -> Write:
        """The personal fields of a line that was split."""
        return write(_PUT_PERSONAL, line_id, salt, fields)

    def give_up(self, line_id: str) -> Write:
        """Wait no longer for a line that has gone."""
        return write(_UNQUEUE, line_id)

    async def heads(self, after: int = -1, limit: int = 500) -> Sequence[SignedHead]:
        """Signed heads behind place `after`, in order."""
        return [SignedHead(*row) for row in await self._db.all(_HEADS, (after, limit))]

    async def newest_head(self) -> SignedHead | None:
        row = await self._db.one(_NEWEST_HEAD, ())
        return None if row is None else SignedHead(*row)

    def put_head(self, head: SignedHead) -> Write:
        """Store a head, in place of an earlier one of the same place."""
        return write(_PUT_HEAD, head.seq, head.at, head.jws)

    async def base(self, before: str) -> ChainLink | None:
        """The last place before which all lines have ids below `before`, but never the newest place. None: nothing is that old."""
        if await self._db.one(_FIRST, (before,)) is None:
            return None
        row = await self._db.one(_FIRST_KEPT, (before,))
        newest = await self.last()
        if newest is None:
            return None
        end = newest.seq if row is None else row[0]
        return await self.at(end - 1)

    async def prune(self, base: int, before: str, limit: int = 500) -> int:
        """Remove a batch of what is older than a signed base: places up to `base`, earlier heads, and personal fields of lines below
        `before`. Returns how many rows."""
        gone = await self._db.apply(((_PRUNE_CHAIN, (base, limit), None),))
        gone += await self._db.apply(((_PRUNE_HEADS, (base, limit), None),))
        return gone + await self._db.apply(((_PRUNE_PERSONAL, (before, limit), None),))


def _link(row: Row | None) -> ChainLink | None:
    return None if row is None else ChainLink(*row)
