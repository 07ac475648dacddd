"""Creation of recovery codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.ports.random import Chance
from doorward.features.authn.factors.recovery_codes import rules as rule
from doorward.storage.sql.store import Store, Write


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeMaker:
    """Creates new codes, which replace the old ones."""

    store: Store
    chance: Chance

    def make(self, account: Account, now: int) -> tuple[tuple[str, ...], list[Write]]:
        """The codes in clear text, which are not readable later, and the writes that store their hashes."""
        bound = len(rule.ALPHABET)
        codes = tuple(
            rule.spell([self.chance.below(bound) for _ in range(rule.LENGTH)]) for _ in range(rule.COUNT)
        )
        rows = (
            EnrolledFactor(
                id=self.chance.new_id("fac"),
                account_id=account.id,
                kind=rule.TRAITS.kind,
                created_at=now,
                code_hash=rule.digest(code),
            )
            for code in codes
        )
        accounts = self.store.accounts
        return codes, [
            accounts.remove_factors(account.id, rule.TRAITS.kind),
            *(accounts.add_factor(row) for row in rows),
        ]
