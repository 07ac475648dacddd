"""The SQL store for both engines: reads, and writes as values that `commit` applies together or not at all.

A service loads, applies the rules, builds its writes, and commits them in one short transaction. When a guarded write
(compare-and-swap) loses, `commit` returns False and nothing is written: load again, decide again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.sql.accounts import SqlAccounts
from doorward.storage.sql.api_keys import SqlApiKeys
from doorward.storage.sql.attempts import SqlAttempts
from doorward.storage.sql.audit import ERASE, SqlAudit
from doorward.storage.sql.audit_chain import SqlAuditChain
from doorward.storage.sql.audit_end import End, Kept, by_this_clock, line_by_line
from doorward.storage.sql.client_documents import SqlClientDocuments
from doorward.storage.sql.config_objects import RAISE, SqlRegistry
from doorward.storage.sql.database_state import ADD_META, CHANGE_META, DROP_META, MARKS, PUT_META, why_not
from doorward.storage.sql.device_authorizations import SqlDeviceAuthorizations
from doorward.storage.sql.exchanges import SqlExchanges
from doorward.storage.sql.external_identities import SqlExternalIdentities
from doorward.storage.sql.factor_demands import SqlFactorDemands
from doorward.storage.sql.factor_failures import SqlFactorFailures
from doorward.storage.sql.grants import SqlGrants
from doorward.storage.sql.messages import SqlMessages
from doorward.storage.sql.migrate import APPLIED, READABLE, SAY_NEEDS, SAY_READABLE, Migration, may_use
from doorward.storage.sql.nodes import SqlNodes
from doorward.storage.sql.noun import SqlNoun
from doorward.storage.sql.outgoing_sms import SqlOutgoingSms
from doorward.storage.sql.owner_notices import SqlOwnerNotices
from doorward.storage.sql.passkeys import SqlPasskeys
from doorward.storage.sql.posts import SqlPosts
from doorward.storage.sql.registered_apps import SqlRegisteredApps
from doorward.storage.sql.remembered_devices import SqlRememberedDevices
from doorward.storage.sql.replay_cache import SqlReplayCache
from doorward.storage.sql.revocations import NEXT, SqlRevocations
from doorward.storage.sql.security_events import SqlSecurityEvents
from doorward.storage.sql.sent_codes import SqlSentCodes
from doorward.storage.sql.sessions import SqlSessions
from doorward.storage.sql.sign_ins import SqlSignIns
from doorward.storage.sql.statements import LOST, Database, Write, guarded, write
from doorward.storage.sql.sweep import sweep
from doorward.storage.sql.text import delete
from doorward.storage.sql.trusted_issuers import SqlTrustedIssuers
from doorward.storage.sql.wrapped_keys import SqlWrappedKeys

# Steps that increment a number which another process watches.
_AWAITED = (RAISE, NEXT)
_UPKEEP_SECONDS = 3600
N = TypeVar("N", bound=SqlNoun)
_DELETE_ACCOUNT = delete("accounts", "id = ?")
_META = "SELECT value FROM meta WHERE name = ?"


@final
class Store:
    """All persistent data, in one database; raises `StoreUnavailable` when it does not answer.

    Each noun is an attribute. `expiring` are the rows that `sweep` removes; `with_account` the tables that `delete_account` empties, besides
    those that refer to the account; `credentials` the kinds of credentials, `no_credentials` the tables that hold none. `known` are the migrations of this program. The engine provides `close`, `upkeep` (a periodic statement beside
    sweeping), `audit_end` (removes old lines of the audit log) and `audit_kept` (which ones).
    """

    def __init__(
        self,
        database: Database,
        *,
        known: tuple[Migration, ...],
        close: Callable[[], Awaitable[None]],
        upkeep: str | None = None,
        audit_end: End = line_by_line,
        audit_kept: Kept = by_this_clock,
    ) -> None:
        self._db = database
        self._known = known
        self._close = close
        self._upkeep = upkeep
        self._kept_up = -_UPKEEP_SECONDS
        self._listeners: list[Callable[[], None]] = []
        self._nouns: list[SqlNoun] = []
        # expired rows are removed in this order: first those that unauthenticated requests create
        self.sign_ins = self._with(SqlSignIns(database))
        self.external_identities = self._with(SqlExternalIdentities(database))
        self.device_authorizations = self._with(SqlDeviceAuthorizations(database))
        self.posts = self._with(SqlPosts(database))
        self.attempts = self._with(SqlAttempts(database))
        self.replay_cache = self._with(SqlReplayCache())
        self.revocations = self._with(SqlRevocations(database))
        self.grants = self._with(SqlGrants(database))
        self.exchanges = self._with(SqlExchanges(database))
        self.security_events = self._with(SqlSecurityEvents(database))
        self.sessions = self._with(SqlSessions(database, self.security_events))
        self.messages = self._with(SqlMessages(database))
        self.owner_notices = self._with(SqlOwnerNotices(database))
        self.accounts = self._with(SqlAccounts(database))
        self.passkeys = self._with(SqlPasskeys(database))
        self.sent_codes = self._with(SqlSentCodes(database))
        self.outgoing_sms = self._with(SqlOutgoingSms(database))
        self.remembered_devices = self._with(SqlRememberedDevices(database))
        self.factor_demands = self._with(SqlFactorDemands(database))
        self.factor_failures = self._with(SqlFactorFailures(database))
        self.api_keys = self._with(SqlApiKeys(database))
        self.registered_apps = self._with(SqlRegisteredApps(database))
        self.client_documents = self._with(SqlClientDocuments(database))
        self.registry = self._with(SqlRegistry(database))
        self.trusted_issuers = self._with(SqlTrustedIssuers(database))
        self.wrapped_keys = self._with(SqlWrappedKeys(database))
        self.nodes = self._with(SqlNodes(database, program=len(known)))
        self.audit = self._with(SqlAudit(database, audit_end, audit_kept))
        self.audit_chain = self._with(SqlAuditChain(database))
        self.expiring = tuple(one for noun in self._nouns for one in noun.expiring)
        self.with_account = tuple(table for noun in self._nouns for table in noun.with_account)
        self.credentials = tuple(one for noun in self._nouns for one in noun.credentials)
        self.no_credentials = {
            table: why for noun in self._nouns for table, why in noun.no_credentials.items()
        }

    def _with(self, noun: N) -> N:
        self._nouns.append(noun)
        return noun

    async def commit(self, *writes: Write) -> bool:
        """Apply all in one durable transaction, in order. False: a guard lost, or a referenced row is gone (a session
        of a deleted account), and nothing was written: load again, decide again. Raises `StoreConflict`,
        `StoreUnavailable`. Cancelling the caller does not stop the commit."""
        steps = [step for each in writes for step in each.steps]
        if await self._db.apply(steps) == LOST:
            return False
        for step in steps:
            if step in _AWAITED:
                for listener in self._listeners:
                    listener()
                break
        return True

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit of this process that other processes wait for: a change of the registry or
        of the revocations."""
        self._listeners.append(listener)

    async def meta(self, name: str) -> str | None:
        row = await self._db.one(_META, (name,))
        return None if row is None else row[0]

    def put_meta(self, name: str, value: str) -> Write:
        return write(PUT_META, name, value)

    def add_meta(self, name: str, value: str) -> Write:
        """Guarded: loses when the name is there."""
        return guarded(ADD_META, name, value)

    def change_meta(self, name: str, old: str, new: str) -> Write:
        """Guarded: loses unless the value is `old`."""
        return guarded(CHANGE_META, new, name, old)

    def drop_meta(self, name: str, old: str) -> Write:
        """Guarded: loses unless the value is `old`."""
        return guarded(DROP_META, name, old)

    def require_this_program(self) -> Write:
        """Refuse this database to older programs from now on. Part of the commit that enrols the first factor of a kind
        that they do not know: they would sign its owner in without it."""
        number = str(len(self._known))
        # the second row is content: copies and later migrations derive the first one from it
        steps = ((SAY_READABLE, (f"{number} {number}",), None), (SAY_NEEDS, (number,), None))
        return Write(steps)

    def delete_account(self, account_id: str) -> Write:
        """Deletes the account and all that belongs to it. Its lines of the audit log stay, without their personal fields."""
        every = (ERASE, *(delete(table, "account_id = ?") for table in self.with_account), _DELETE_ACCOUNT)
        return Write(tuple((sql, (account_id,), None) for sql in every))

    async def ready(self) -> bool:
        """Whether the database answers and its schema is the one of this program."""
        try:
            applied = await self._db.all(APPLIED, ())
            marks = await self._db.all(MARKS, ()) if applied else ()
            said = await self._db.one(READABLE, ()) if len(applied) > len(self._known) else None
        except StoreUnavailable:
            return False
        if why_not({row[0]: row[1] for row in marks}) is not None:
            return False
        return may_use([(row[0], row[1], row[2]) for row in applied], self._known, said[0] if said else None)

    async def sweep(self, now: int, limit: int = 500) -> int:
        """Remove a small batch of expired rows; returns how many."""
        if self._upkeep is not None and abs(now - self._kept_up) >= _UPKEEP_SECONDS:
            self._kept_up = now
            await self._db.one(self._upkeep, ())
        return await sweep(self._db, self.expiring, now, limit)

    async def close(self) -> None:
        """Finish every accepted commit; later calls raise `StoreUnavailable`."""
        await self._close()
