"""The connected accounts of a person who resets their password, shown and dropped: whoever had their mailbox may have connected one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final
from urllib.parse import urlsplit

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.service import AuditLog
from doorward.features.authn.providers.rules.identity import EXTERNAL, counting_marks
from doorward.features.authn.providers.rules.mapping import without_mapped
from doorward.features.authn.providers.settings import ProviderPolicy
from doorward.storage.sql.store import Store, Write


class ForeignAccount(Struct, frozen=True):
    """An account elsewhere: what people call the service, its host where it is not offered any more; and the address there, "" for none."""

    factor_id: str
    label: str
    email: str


@final
class DropConnections(Struct, frozen=True, kw_only=True):
    """The caller has proven the mailbox of the person, and ends their sessions with the connections."""

    store: Store
    policies: Mapping[str, ProviderPolicy]
    mail_queue: MailQueue
    audit_log: AuditLog

    async def of(self, account: Account) -> Sequence[ForeignAccount]:
        """Those of a person, oldest first."""
        labels = {mark: one.label for one in self.policies.values() for mark in counting_marks(one)}
        marks = {row.id: row.code_hash or b"" for row in await self.store.accounts.factors(account.id)}
        return [
            ForeignAccount(
                one.factor_id,
                labels.get(marks.get(one.factor_id, b""), urlsplit(one.issuer).hostname or one.issuer),
                one.email,
            )
            for one in await self.store.external_identities.of_account(account.id)
        ]

    async def roles_left(self, account: Account) -> tuple[str, ...]:
        """The person's roles without those that a mapping gave, for the caller's own change of the account: they go with the connection."""
        ends = {row.id for row in await self.store.accounts.factors(account.id) if row.kind == EXTERNAL}
        found = await self.store.external_identities.of_account(account.id)
        return without_mapped(account, (one for one in found if one.factor_id in ends)).role_names

    async def dropped(self, account: Account, *, caller: Caller, now: int) -> list[Write]:
        """What removes all of them and tells the owner, for the caller's own commit; nothing if there are none."""
        found = await self.of(account)
        if not found:
            return []
        names = ", ".join(dict.fromkeys(one.label for one in found))
        mail = owner_mail(self.mail_queue, "provider_disconnected", account, caller, now, name=names)
        return [
            self.store.accounts.remove_factors(account.id, EXTERNAL),
            self.store.messages.insert_mail(mail),
            *(
                self.audit_log.write(
                    "provider.disconnected",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    factor=one.factor_id,
                    by="reset",
                )
                for one in found
            ),
        ]
