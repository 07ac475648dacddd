"""Operator's access to the audit log: reading, heads, verification, and the erasure of personal fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.actor import Actor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.audit_chain import SignedHead
from doorward.core.model.audit_filter import AuditFilter
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import not_found, refused
from doorward.features.admin.lookup import find_account, find_client
from doorward.features.admin.operation import operation
from doorward.features.audit.head_reader import BadHead, HeadReader
from doorward.features.audit.sealer import AuditSealer
from doorward.features.audit.verification import ChainReport, ChainVerifier

PAGE: Final = 1000


class Erased(Struct, frozen=True):
    """The account whose lines have no personal fields any more."""

    account_id: str


class AuditAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """The service behind `doorward audit`."""

    config: ConfigSource
    sealer: AuditSealer
    verifier: ChainVerifier
    reader: HeadReader

    @operation("audit.read")
    async def newest(self, actor: Actor, wanted: AuditFilter, *, limit: int) -> Sequence[AuditEvent]:
        """The newest lines that the filter lets through, newest first."""
        return await self.store.audit.filtered(wanted, limit=limit)

    @operation("audit.read")
    async def following(
        self, actor: Actor, wanted: AuditFilter, *, after: str, limit: int = PAGE
    ) -> Sequence[AuditEvent]:
        """A page of lines with ids after `after`, oldest first."""
        return await self.store.audit.following(wanted, after=after, limit=limit)

    @operation("audit.read")
    async def since(self, actor: Actor, wanted: AuditFilter, at: int) -> Sequence[AuditEvent]:
        """All lines with ids of `at` (seconds) or later, oldest first."""
        begin = max(at, wanted.since or 0)
        found: list[AuditEvent] = []
        after = ""
        while page := await self.store.audit.following(
            structs.replace(wanted, since=begin), after=after, limit=PAGE
        ):
            found += page
            after = page[-1].id
        return found

    @operation("audit.read")
    async def client_of(self, actor: Actor, app: str) -> str:
        """The id of an app by name or id; an id of a deleted app is taken as it is. Raises `AdminError`."""
        if app.startswith("app_"):
            return app
        return find_client(self.config.current(), app).id

    @operation("audit.read")
    async def account_of(self, actor: Actor, who: str) -> str:
        """The id of a person by id or address; an id of a deleted person is taken as it is. Raises `AdminError`."""
        if who.startswith("usr_"):
            return who
        return (await find_account(self.store, who)).id

    @operation("audit.write")
    async def head(self, actor: Actor) -> SignedHead:
        """Seal what waits, a line about this included, and sign a head now. Raises `AdminError` where the server has no key yet."""
        await self.store.commit(self._event(actor, "audit.head_signed", self.clock.now()))
        await self.sealer.catch_up()
        found = await self.sealer.sign()
        if found is None:
            raise refused("audit_unsigned")
        return found

    @operation("audit.read")
    async def verify(self, actor: Actor, anchors: Sequence[str] = ()) -> ChainReport:
        """Verify the log, also against heads that were kept elsewhere. Raises `AdminError` for one that is none."""
        try:
            heads = [self.reader.read(one) for one in anchors]
        except BadHead as problem:
            raise refused("audit_head", reason=str(problem)) from None
        return await self.verifier.verify(heads)

    @operation("people.write")
    async def erase(self, actor: Actor, who: str) -> Erased:
        """Erase addresses, programs, places and the like from all lines of a person up to now. The lines stay and the chain verifies;
        what is erased cannot be found again. The person may be there or deleted (then by id)."""
        account_id = await self._known(who)
        now = self.clock.now()
        # lines of older programs get their personal fields moved apart first
        await self.sealer.catch_up()
        until = self.random.new_id("aud")
        await self.store.commit(
            self._event(actor, "audit.erased", now, account_id=account_id),
            self.store.audit.erase_before(account_id, until),
        )
        return Erased(account_id)

    async def _known(self, who: str) -> str:
        if not who.startswith("usr_"):
            return (await find_account(self.store, who)).id
        if not await self.store.audit.filtered(AuditFilter(account_id=who), limit=1):
            raise not_found("person", who, ())
        return who
