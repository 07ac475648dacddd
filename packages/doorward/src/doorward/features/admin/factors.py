"""Administration of second factors: list them, and reset them after a lost phone; the person is informed by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.actor import Actor
from doorward.core.ports.clock import Clock
from doorward.core.ports.mail_queue import MailQueue
from doorward.core.ports.random import SecureRandom
from doorward.features.admin.error import refused
from doorward.features.admin.lookup import find_account
from doorward.features.admin.operation import operation
from doorward.features.audit.operator import operator_event
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorAdmin:
    """People are named by e-mail address or id. Every method raises `AdminError` on failure."""

    store: Store
    random: SecureRandom
    clock: Clock
    revoker: Revoker
    mail_queue: MailQueue

    @operation("credentials.read")
    async def find(self, actor: Actor, who: str) -> tuple[Account, Sequence[EnrolledFactor]]:
        """The account and its second factors."""
        return await self._find(who)

    @operation("credentials.write")
    async def reset(self, actor: Actor, who: str, *, forget_password: bool = False) -> Account:
        """Remove the authenticator app and the recovery codes; with `forget_password` the password too, so that the next one is set by
        mail. A lost phone may still be signed in, so all sessions, grants and tokens end, and so do pending sign-ins, mailed codes
        and links."""
        for _ in range(_TRIES):
            old, factors = await self._find(who)
            if not factors:
                raise refused("factor_missing", email=old.email)
            now, kinds = self.clock.now(), dict.fromkeys(factor.kind for factor in factors)
            # The row changes in any case, so that a sign-in that ends concurrently loses its guard (`Revoker.late`).
            new = structs.replace(old, updated_at=max(now, (old.updated_at or 0) + 1))
            if forget_password:
                new = structs.replace(new, password_hash=None, password_changed_at=now)
            letter = self.mail_queue.write(
                "second_factor_reset",
                to=old.email,
                locale=old.locale,
                now=now,
                values={"at": now, "password_too": forget_password},
            )
            done = await self.store.commit(
                self.store.accounts.replace(new, old=old),
                *(self.store.accounts.remove_factors(old.id, kind) for kind in kinds),
                self.store.sessions.forget_devices(old.id, but=None),
                *await self.revoker.account(old.id, now=now, reason="second_factor_reset", sub_entry=False),
                self.store.messages.insert_mail(letter),
                operator_event(
                    self.store,
                    self.random,
                    actor=actor,
                    kind="second_factor.reset",
                    now=now,
                    account_id=old.id,
                    password="forgotten" if forget_password else "kept",
                ),
            )
            if done:
                await self.revoker.late(old.id, now=now, reason="second_factor_reset")
                return new
        raise refused("person_contended", given=who)

    async def _find(self, who: str) -> tuple[Account, Sequence[EnrolledFactor]]:
        account = await find_account(self.store, who)
        return account, await self.store.accounts.factors(account.id)
