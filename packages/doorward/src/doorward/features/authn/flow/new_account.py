"""New accounts: every way to one passes here, so that each has the default roles, passes the gate and is audited."""

from __future__ import annotations

from typing import Any, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.gate import NewFactors
from doorward.storage.sql.store import Store, Write


@final
class NewAccounts(Struct, frozen=True, kw_only=True):
    """Makes accounts of people who come by themselves; those that operators make and import have no default roles."""

    store: Store
    random: SecureRandom
    config: ConfigSource
    audit_log: AuditLog
    gate: NewFactors

    def begun(self, *, email: str | None, now: int, **members: Any) -> Account:
        """The account with an id and the default roles; `members` are further ones. Nothing is stored."""
        roles = sorted(role.held_as for role in self.config.current().roles.values() if role.default)
        return Account(
            id=self.random.new_id("usr"),
            email=email,
            created_at=now,
            updated_at=now,
            role_names=tuple(roles),
            **members,
        )

    async def writes(
        self, account: Account, *, by: str, caller: Caller, now: int, **about: Any
    ) -> list[Write] | None:
        """What stores it; `by` and `about` say in the audit log where it came from. None: it has no address, and an older program runs, which
        would take what stands for none for a confirmed one."""
        gate: list[Write] = []
        if account.email is None:
            if not await self.gate.open():
                return None
            gate = [self.gate.close_behind()]
        return [
            *gate,
            self.store.accounts.insert(account),
            self.audit_log.write(
                "account.created", caller=caller, now=now, account_id=account.id, by=by, **about
            ),
        ]
