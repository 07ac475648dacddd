"""The recovery codes of a person, for their owner: made along with a factor, and made anew (R84)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from doorward.core.abstract_struct import AbstractStruct
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.recovery_codes import rules as rule
from doorward.features.authn.factors.recovery_codes.views import RecoveryCard, RecoveryCodesView
from doorward.features.authn.flow.backup import Backups, NewBackup
from doorward.features.authn.flow.changes import guards, held_methods
from doorward.features.authn.flow.shown import CardOwner, MethodCards
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.said import Said


class Codes(Struct, frozen=True):
    """New recovery codes in clear text, not readable later."""

    codes: tuple[str, ...]


@final
class OwnRecoveryCodes(AbstractStruct, Backups, MethodCards, frozen=True, kw_only=True):
    """The caller must ensure that the sign-in is recent."""

    store: Store
    random: SecureRandom
    mail_queue: MailQueue
    audit_log: AuditLog
    throttle: Throttle

    async def card(self, owner: CardOwner) -> RecoveryCard | None:
        """How many are left. None for a person who has none, and no factor for which they could stand in."""
        made = rule.made(owner.rows)
        if not made and not _recoverable(owner.rows):
            return None
        return RecoveryCard(left=rule.left(owner.rows), made=made)

    async def along(
        self, account: Account, *, anew: bool, session_id: str | None, caller: Caller, now: int
    ) -> NewBackup | None:
        """Codes to be stored together with a factor."""
        if not anew and rule.left(await self.store.accounts.factors(account.id)):
            return None
        codes, writes = self.make(account, now)

        def shown(done: Said, onward: str, flow: str | None) -> RecoveryCodesView:
            return RecoveryCodesView(codes, account.shown_as, done=done, onward=onward, flow=flow)

        return NewBackup((*writes, self._noted(account, session_id, caller, now)), shown)

    async def new_codes(
        self, account: Account, session: Session, *, caller: Caller, now: int
    ) -> Codes | Wait | None:
        """New recovery codes, which replace the old ones. None: there is no factor for which they could stand in, or the account or the
        session changed meanwhile. `Wait`: made too often, each time with a mail to the owner."""
        found = await held_methods(self.store, account.id)
        if found is None or not _recoverable(found.rows):
            return None
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        codes, writes = self.make(account, now)
        replaced = rule.made(found.rows) > 0
        mail = owner_mail(self.mail_queue, "recovery_codes_made", account, caller, now, replaced=replaced)
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            *writes,
            self.store.messages.insert_mail(mail),
            self._noted(account, session.id, caller, now),
        )
        return Codes(codes) if done else None

    def make(self, account: Account, now: int) -> tuple[tuple[str, ...], list[Write]]:
        """New codes in clear text, which are not readable later, and the writes that store their hashes in place of the old ones."""
        bound = len(rule.ALPHABET)
        codes = tuple(
            rule.spell([self.random.below(bound) for _ in range(rule.LENGTH)]) for _ in range(rule.COUNT)
        )
        rows = (
            EnrolledFactor(
                id=self.random.new_id("fac"),
                account_id=account.id,
                kind=rule.TRAITS.kind,
                created_at=now,
                code_hash=rule.digest(code),
            )
            for code in codes
        )
        return codes, [
            self.store.accounts.remove_factors(account.id, rule.TRAITS.kind),
            *(self.store.accounts.add_factor(row) for row in rows),
        ]

    def _noted(self, account: Account, session_id: str | None, caller: Caller, now: int) -> Write:
        return self.audit_log.write(
            "recovery_codes.made", caller=caller, now=now, account_id=account.id, session_id=session_id
        )


def _recoverable(factors: Sequence[EnrolledFactor]) -> bool:
    return any(factor.kind in rule.STANDS_IN_FOR for factor in factors)
