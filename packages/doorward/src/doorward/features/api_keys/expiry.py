"""Warnings before an API key expires: 14, 7 and 1 days before, each once, whatever the number of processes."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.account import Account
from doorward.core.model.api_key import ApiKey
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.mail_queue import MailQueue, account_mail
from doorward.features.api_keys.rules.draft import days_left
from doorward.features.api_keys.settings import DAY
from doorward.storage.sql.store import Store

WARNINGS: Final = (1, 7, 14)
"""Days before the expiry, ascending: of several that are due only the nearest is sent."""
_AT_ONCE: Final = 50


@final
class ExpiryWarnings(Struct, frozen=True, kw_only=True):
    """Mail to the owners. A key that lives for less than a warning's days gets only the nearer ones."""

    store: Store
    config: ConfigSource
    mail_queue: MailQueue
    clock: Clock

    async def send(self) -> int:
        """Write the mails that are due now; returns how many. Raises `StoreUnavailable`."""
        sent = 0
        for days in WARNINGS:
            now = self.clock.now()
            found = await self.store.api_keys.expiring_within(
                now, now + days * DAY, warned_above=days, limit=_AT_ONCE
            )
            for key, account in found:
                sent += await self._warn(key, account, days, now)
        return sent

    async def _warn(self, key: ApiKey, account: Account, days: int, now: int) -> bool:
        """One mail, or none for a key that never was further than this from its end: its owner has just made it."""
        writes = [self.store.api_keys.warn(key, days)]
        fresh = key.expires_at - (key.rotated_at or key.created_at) <= days * DAY
        mail = None
        if not fresh and account.disabled_at is None:
            api = self.config.current().apis.get(key.audience)
            mail = account_mail(
                self.mail_queue,
                "api_key_expires",
                account,
                now,
                key=key.name,
                api=key.audience if api is None else api.name,
                days=days_left(key, now),
                at=key.expires_at,
            )
        if mail is not None:
            writes.append(self.store.messages.insert_mail(mail))
        return await self.store.commit(*writes) and mail is not None
