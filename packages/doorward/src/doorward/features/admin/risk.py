"""Administration of risk: why a sign-in was judged so, and what another policy would have said of past ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.actor import Actor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.ports.clock import Clock
from doorward.core.ports.places import Places
from doorward.features.admin.lookup import find_account
from doorward.features.admin.operation import operation
from doorward.features.risk.rules.history import ASSESSED, KINDS, SHADOWED
from doorward.features.risk.rules.replay import Tried, replay, tried
from doorward.features.risk.rules.where import whereabouts
from doorward.features.risk.settings import RiskPolicy
from doorward.features.services import Services
from doorward.storage.sql.store import Store

WARM: Final = 90 * 86_400
"""Seconds before the period from which the past of each account is read."""
MOST: Final = 200_000
"""Lines of one kind that are read at most, the newest."""
_PAGE: Final = 1000


class RiskAdmin(Struct, frozen=True, kw_only=True):
    """People are named by e-mail address or id. Every method raises `AdminError` on failure. Nothing is written."""

    store: Store
    clock: Clock
    places: Places
    policy: RiskPolicy
    throttle: ThrottlePolicy

    @operation("people.read")
    async def explain(self, actor: Actor, who: str) -> tuple[Account, Sequence[AuditEvent]]:
        """The account, and the newest verdicts on its sign-ins."""
        account = await find_account(self.store, who)
        return account, await self.store.audit.of_account(account.id, (ASSESSED, SHADOWED), limit=20)

    @operation("people.read")
    async def replay(self, actor: Actor, seconds: int, changed: RiskPolicy | None = None) -> Sequence[Tried]:
        """What the policy, and another one, say of the sign-ins of the last `seconds`, oldest first."""
        since = self.clock.now() - seconds
        lines: list[AuditEvent] = []
        for kind in (*KINDS, ASSESSED, SHADOWED):
            lines += await self._since(kind, since - WARM)
        lines.sort(key=lambda line: line.id)
        attempts = replay(
            lines,
            lambda address: whereabouts(address, self.places),
            since=since,
            window=self.throttle.window,
        )
        return [tried(one, self.policy, changed or self.policy) for one in attempts]

    async def _since(self, kind: str, since: int) -> list[AuditEvent]:
        found: list[AuditEvent] = []
        while len(found) < MOST:
            page = await self.store.audit.page(kind=kind, before=found[-1].id if found else None, limit=_PAGE)
            found += [line for line in page if line.at >= since]
            if len(page) < _PAGE or page[-1].at < since:
                break
        return found


def risk(services: Services) -> RiskAdmin:
    """The service for risk."""
    from doorward.features.places.build import places

    found = services.get(places)
    found.refresh()
    return RiskAdmin(
        store=services.store,
        clock=services.clock,
        places=found,
        policy=services.sections.of(RiskPolicy),
        throttle=services.throttle,
    )
