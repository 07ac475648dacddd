"""Regular question to each directory whether its people are still there: who is gone or disabled is signed out everywhere (R72)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct

from doorward.adapters.ldap.target import DirectoryUnavailable
from doorward.adapters.logs import logger
from doorward.core.errors import StoreUnavailable
from doorward.core.model.caller import Caller
from doorward.core.model.directory import DirectoryPerson
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.clock import Clock
from doorward.core.ports.metrics import Metrics
from doorward.features.authn.directories.client import AT_ONCE, Directory
from doorward.features.authn.directories.people import DirectoryPeople
from doorward.features.authn.directories.settings import directory_issuer
from doorward.storage.sql.store import Store

CLAIM: Final = "directory"
_TURN: Final = 30.0
"""Seconds between two looks whether it is time."""
_log = logger("directory")


class Rechecked(Struct, frozen=True):
    """How many people of a directory were asked for, how many were suspended, and whether the directory answered to the end."""

    asked: int = 0
    suspended: int = 0
    complete: bool = True


@final
class RecheckDirectories(Struct, frozen=True, kw_only=True):
    """Outside of all requests, so that no token waits for a directory. One process of all asks a directory in each period.

    Nobody is signed out because a directory does not answer, nor because it finds nobody of a page at all: that is how a wrong base or
    a service account without rights looks.
    """

    store: Store
    directories: Mapping[str, Directory]
    people: DirectoryPeople
    clock: Clock
    metrics: Metrics

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_TURN)
            for directory in self.directories.values():
                try:
                    if await self._mine(directory):
                        await self.recheck(directory)
                except StoreUnavailable:
                    # the next turn begins anew
                    continue

    async def recheck(self, directory: Directory) -> Rechecked:
        """Ask for everybody who has signed in by this directory, in pages."""
        after, asked, ended = "", 0, 0
        while page := await self.store.external_identities.of_issuer(
            directory_issuer(directory.name), after=after, limit=AT_ONCE
        ):
            try:
                found = await directory.by_uids([one.subject for one in page])
                if not found and not await self._answers(directory):
                    raise DirectoryUnavailable(
                        "it finds nobody at all; its base or the rights of bind_dn have changed"
                    )
                ended += await self._page(directory, page, found)
            except DirectoryUnavailable as problem:
                _log.warning("ldap.failed", directory=directory.name, reason=str(problem))
                self.metrics.inc("directory_rechecks", "failed")
                return Rechecked(asked, ended, complete=False)
            asked, after = asked + len(page), page[-1].subject
        self.metrics.inc("directory_rechecks", "complete")
        if ended:
            _log.info("ldap.suspended", directory=directory.name, people=ended)
        return Rechecked(asked, ended)

    async def _page(
        self, directory: Directory, page: Sequence[ExternalIdentity], found: Mapping[str, DirectoryPerson]
    ) -> int:
        ended = 0
        for identity in page:
            person, now = found.get(identity.subject), self.clock.now()
            if person is None or not person.active:
                reason = "gone" if person is None else "disabled"
                ended += await self.people.suspend(identity, reason=reason, now=now)
                continue
            account, row = await self.store.accounts.get(identity.account_id), await self.people.row(identity)
            if account is not None and row is not None:
                roles = await directory.roles(person)
                await self.people.brought_up_to_date(
                    account, row, identity, person, roles=roles, caller=Caller(), now=now
                )
        return ended

    async def _answers(self, directory: Directory) -> bool:
        """Whether the directory finds anybody: then those of this page are gone."""
        return await directory.count(most=1) > 0

    async def _mine(self, directory: Directory) -> bool:
        now, period = self.clock.now(), directory.policy.recheck
        turn = self.store.replay_cache.claim(CLAIM, directory.name, now + period, now=now)
        return await self.store.commit(turn)
