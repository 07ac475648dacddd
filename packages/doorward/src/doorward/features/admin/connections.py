"""Connections of people with providers and directories: who vouches for how many, and the end of what they had open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from doorward.core.model.actor import Actor
from doorward.core.model.provider import ExternalIdentity
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import nearest, refused
from doorward.features.admin.operation import operation
from doorward.features.authn.directories.rules.proof import directory_mark
from doorward.features.authn.directories.settings import DirectoryPolicies, directory_issuer
from doorward.features.authn.providers.rules.identity import counting_marks
from doorward.features.authn.providers.settings import ProviderPolicies
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

_PAGE: Final = 100
_MOST: Final = 200
"""Issuers that are listed. Each tenant of a provider for many is one."""


class ConnectedIssuer(Struct, frozen=True, kw_only=True):
    """`issuer` as identities have it, `directory:NAME` for a directory. `people`: how many are connected, `counted` at most. `known`: whether a
    section of the settings still vouches for them."""

    issuer: str
    people: int
    known: bool


class EndedAccess(Struct, frozen=True, kw_only=True):
    """The issuers that were meant, and how many people had something open that has ended."""

    issuers: tuple[str, ...]
    people: int


def marks_of(providers: ProviderPolicies, directories: DirectoryPolicies) -> dict[str, frozenset[bytes]]:
    """What the rows of connections have of each section of the settings."""
    found = {name: counting_marks(one) for name, one in providers.by_name.items()}
    return found | {directory_issuer(name): frozenset({directory_mark(name)}) for name in directories.by_name}


async def connected_issuers(store: Store, marks: Collection[bytes]) -> Sequence[ConnectedIssuer]:
    """Those of all connections, in their order; at most `_MOST`. `marks` are those of the sections in the settings."""
    found: list[ConnectedIssuer] = []
    after = ""
    while len(found) < _MOST and (issuer := await store.external_identities.next_issuer(after)) is not None:
        people, mark = await store.external_identities.connected_to(issuer)
        found.append(ConnectedIssuer(issuer=issuer, people=people, known=mark in marks))
        after = issuer
    return found


class ConnectionAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """The service. `marks` are those of the sections in the settings, by what an operator calls each: `NAME`, `directory:NAME`."""

    revoker: Revoker
    marks: dict[str, frozenset[bytes]]

    @operation("people.read")
    async def issuers(self, actor: Actor) -> Sequence[ConnectedIssuer]:
        """Who vouches for people here."""
        del actor
        return await connected_issuers(self.store, {mark for found in self.marks.values() for mark in found})

    @operation("people.write")
    async def end_access(self, actor: Actor, which: str) -> EndedAccess:
        """End every session, grant and token of everybody who is connected with this provider or directory: a name of the settings, or an
        issuer. The connections stay: who is still let in there signs in again. Raises `AdminError` for one that nobody is connected
        with."""
        issuers = await self._issuers(which)
        ended, done = 0, set[str]()
        for issuer in issuers:
            after = ""
            while page := await self.store.external_identities.of_issuer(issuer, after=after, limit=_PAGE):
                for identity in page:
                    if identity.account_id not in done:
                        done.add(identity.account_id)
                        ended += await self._end(actor, identity)
                after = page[-1].subject
        return EndedAccess(issuers=issuers, people=ended)

    async def _issuers(self, which: str) -> tuple[str, ...]:
        marks, found = self.marks.get(which, frozenset[bytes]()), list[str]()
        after = ""
        near: list[str] = list(self.marks)
        while (issuer := await self.store.external_identities.next_issuer(after)) is not None:
            _, mark = await self.store.external_identities.connected_to(issuer)
            if issuer == which or mark in marks:
                found.append(issuer)
            near.append(issuer)
            after = issuer
        if not found:
            raise refused("connection_unknown", given=which[:200], near=nearest(which, near))
        return tuple(found)

    async def _end(self, actor: Actor, identity: ExternalIdentity) -> bool:
        now, account_id = self.clock.now(), identity.account_id
        open_now = await self.store.sessions.live_of(account_id, now, limit=1) or (
            await self.store.grants.live_of_account(account_id, now, limit=1)
        )
        if not open_now:
            return False
        await self.store.commit(
            *await self.revoker.account(account_id, now=now, reason="revoked", sub_entry=False),
            self._event(actor, "account.signed_out", now, account_id=account_id, issuer=identity.issuer),
        )
        await self.revoker.late(account_id, now=now, reason="revoked")
        return True
