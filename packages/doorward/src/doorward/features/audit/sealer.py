"""Sealer of the audit log: chains lines after their commit, signs heads, and notices a chain that changes behind its back.

Of the nodes of one server one at a time seals, for as long as its lease. No commit of a line waits for it: triggers of the database queue
each line in the line's own transaction, so that one that commits late is found when it is there, whatever its id.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final, final

import msgspec
from msgspec import structs

from doorward.adapters.logs import logger
from doorward.core.errors import StoreConflict
from doorward.core.model.actor import SERVER
from doorward.core.model.audit_chain import ChainLink, SignedHead, StoredLine
from doorward.core.model.audit_line import (
    FIRST,
    NOTHING,
    ChainedLine,
    Personal,
    commitment,
    digest,
    link,
    split,
    text_of,
)
from doorward.core.ports.clock import Clock
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.head_reader import BadHead, HeadReader
from doorward.features.audit.operator import operator_event
from doorward.features.audit.rules.heads import TYP, Base, claims, is_due
from doorward.features.audit.salt import new_salt
from doorward.storage.sql.audit_end import KEPT_FROM
from doorward.storage.sql.store import Store, Write

HEAD_EVERY: Final = 600
"""Seconds between two heads of a log that grows."""
LEASE: Final = 2
"""Seconds for which one process seals alone. If one takes longer, the key of the chain's places refuses the second one's."""
BATCH: Final = 200
"""Lines in a transaction, which bounds how long other writers of an SQLite file wait; also the most accounts that one statement looks up."""
_BATCHES: Final = 5
_log = logger("audit")


@final
class AuditSealer:
    """Seals, signs, and removes the chain of lines that are too old."""

    def __init__(
        self,
        *,
        store: Store,
        random: SecureRandom,
        clock: Clock,
        signer: TokenSigner,
        reader: HeadReader,
    ) -> None:
        self._store = store
        self._random = random
        self._clock = clock
        self._signer = signer
        self._reader = reader
        self._seen: ChainLink | None = None

    async def round(self) -> int:
        """One turn of the background job: seal what waits, if no other process does so now, and sign a head if one is due. Returns how
        many lines were sealed. Raises `StoreUnavailable`."""
        await self._look_back()
        if not await self._store.audit_chain.waiting(1):
            await self._sign_if_due()
            return 0
        now = self._clock.now()
        if not await self._store.commit(
            self._store.replay_cache.claim("audit", "sealer", now + LEASE, now=now)
        ):
            return 0
        sealed = await self.catch_up(BATCH * _BATCHES)
        await self._sign_if_due()
        return sealed

    async def catch_up(self, most: int = 1_000_000) -> int:
        """Seal what waits, at most about `most` lines. Returns how many. Raises `StoreUnavailable`."""
        sealed = 0
        while sealed < most:
            waiting = await self._store.audit_chain.waiting(BATCH)
            if not waiting:
                break
            try:
                done = await self._seal(waiting)
            except StoreConflict:
                done = False
            if done:
                sealed += len(waiting)
            elif not await self._dropped():
                # another process sealed at the same moment, and this transaction did nothing
                _log.warning("audit.seal_conflict", line=waiting[0][0], lines=len(waiting))
                break
        self._seen = await self._store.audit_chain.last()
        return sealed

    async def sign(self, base: Base | None = None) -> SignedHead | None:
        """A new head for the newest place of the chain, stored and logged; None if the chain is empty or the server has no key yet. `base`
        is where the chain begins, if that changes."""
        last = await self._store.audit_chain.last()
        if last is None:
            return None
        now = self._clock.now()
        if base is None:
            base = await self._base()
        try:
            jws = self._signer.sign(claims(self._reader.issuer, now, last, base), typ=TYP)
        except KeyError:
            return None
        head = SignedHead(last.seq, now, jws)
        await self._store.commit(self._store.audit_chain.put_head(head))
        # whoever collects the log elsewhere holds an anchor; the log hides signed texts
        _log.info("audit.head", seq=last.seq, hash=last.hash.hex())
        return head

    async def prune(self, now: int, keep: int, limit: int = 500) -> int:
        """Remove a batch of the chain, of heads and of personal fields of lines older than `keep` seconds. Before that, and before the lines
        may go, a signed head says where the chain begins from then on. Returns how many rows were removed."""
        chain = self._store.audit_chain
        before = await self._store.audit.kept_from(now, keep)
        base = await self._base()
        if base.before < before:
            found = await chain.base(before)
            if found is None:
                return 0
            base = Base(seq=found.seq, hash=found.hash.hex(), before=before)
            if await self.sign(base) is None:
                return 0
        return await chain.prune(base.seq, base.before, limit)

    async def _base(self) -> Base:
        newest = await self._store.audit_chain.newest_head()
        try:
            return Base() if newest is None else self._reader.read(newest.jws).base
        except BadHead as problem:
            _log.error("audit.head_refused", reason=str(problem))
            return Base()

    async def _sign_if_due(self) -> None:
        last, newest = self._seen, await self._store.audit_chain.newest_head()
        seq, at = (0, 0) if newest is None else (newest.seq, newest.at)
        if is_due(self._clock.now(), last, seq, at, HEAD_EVERY):
            await self.sign()

    async def _look_back(self) -> None:
        """Compare the chain with what this process saw last: a shorter or another one was changed behind the server's back. This is the
        only proof of what happens to lines between two heads."""
        chain, seen = self._store.audit_chain, self._seen
        same = seen is None or await chain.at(seen.seq) == seen
        self._seen = await chain.last()
        if seen is None or same:
            return
        _log.error("audit.chain_broken", seq=seen.seq, line=seen.id, hash=seen.hash.hex())
        now = self._clock.now()
        await self._store.commit(
            self._store.replay_cache.claim(
                "audit", f"broken {seen.seq} {seen.hash.hex()}", now + LEASE * 1800
            ),
            self._said("audit.chain_broken", now, line=seen.id, seq=str(seen.seq), hash=seen.hash.hex()),
        )

    async def _seal(self, waiting: Sequence[tuple[str, StoredLine | None]]) -> bool:
        store = self._store
        last = await store.audit_chain.last()
        seq, chained = (0, FIRST) if last is None else (last.seq, last.hash)
        accounts = sorted({one.line.account_id for _, one in waiting if one and one.line.account_id})
        deleted = await store.audit.deleted_accounts(accounts)
        writes: list[Write] = []
        for line_id, stored in waiting:
            if stored is None:
                writes += await self._gone(line_id)
                continue
            line = stored.line
            if line.personal is None:
                line, more = self._moved_apart(stored, deleted)
                writes += more
            seq += 1
            of_line = digest(line)
            chained = link(chained, seq, line.id, of_line)
            writes.append(store.audit_chain.add(ChainLink(seq, line.id, of_line, chained)))
        if deleted:
            # what was written in the moment of the deletion, and after it
            writes.append(store.audit.erase_of(sorted(deleted)))
        return await store.commit(*writes)

    def _moved_apart(self, stored: StoredLine, deleted: Set[str]) -> tuple[ChainedLine, list[Write]]:
        """A line in the form of older programs in today's form, and the writes that make it so. Nothing personal is kept for an account
        that was deleted."""
        chain, line = self._store.audit_chain, stored.line
        plain, own = split(msgspec.json.decode(line.detail))
        personal = Personal(address=stored.address, user_agent=stored.user_agent, detail=own)
        fields = None if personal == Personal() else text_of(personal)
        salt = new_salt(self._random)
        hashed = NOTHING if fields is None else commitment(salt, fields)
        line = structs.replace(line, detail=text_of(plain), personal=hashed)
        writes = [chain.split(line)]
        if fields is not None and line.account_id not in deleted:
            writes.append(chain.put_personal(line.id, salt, fields))
        return line, writes

    async def _gone(self, line_id: str) -> list[Write]:
        """A line that was removed before it was sealed: by its age, or by somebody who should not have been able to."""
        writes = [self._store.audit_chain.give_up(line_id)]
        if line_id >= (await self._store.meta(KEPT_FROM) or ""):
            _log.error("audit.line_gone", line=line_id)
            writes.append(self._said("audit.chain_broken", self._clock.now(), line=line_id))
        return writes

    async def _dropped(self) -> bool:
        """Whether lines waited that the chain has already, which no server queues: while they wait, no batch can be sealed. They wait no
        longer."""
        twice = await self._store.audit_chain.twice(BATCH)
        if not twice:
            return False
        _log.error("audit.line_queued_again", line=twice[0], lines=len(twice))
        return await self._store.commit(*(self._store.audit_chain.give_up(one) for one in twice))

    def _said(self, kind: str, now: int, **detail: str) -> Write:
        return operator_event(self._store, self._random, actor=SERVER, kind=kind, now=now, **detail)
