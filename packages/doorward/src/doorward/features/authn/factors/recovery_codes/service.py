"""Creation of recovery codes."""

from __future__ import annotations

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.factors.recovery_codes import rules as rule
from doorward.storage.sql.store import Store, Write


def make_codes(
    store: Store, random: SecureRandom, account: Account, now: int
) -> tuple[tuple[str, ...], list[Write]]:
    """New codes in clear text, which are not readable later, and the writes that store their hashes in place of the old ones."""
    bound = len(rule.ALPHABET)
    codes = tuple(rule.spell([random.below(bound) for _ in range(rule.LENGTH)]) for _ in range(rule.COUNT))
    rows = (
        EnrolledFactor(
            id=random.new_id("fac"),
            account_id=account.id,
            kind=rule.TRAITS.kind,
            created_at=now,
            code_hash=rule.digest(code),
        )
        for code in codes
    )
    return codes, [
        store.accounts.remove_factors(account.id, rule.TRAITS.kind),
        *(store.accounts.add_factor(row) for row in rows),
    ]
