"""Budget of text messages: counts each one before it is written, and pauses a country whose messages nobody reads (R93)."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct

from doorward.core.model.bucket import Bucket
from doorward.core.model.caller import Caller
from doorward.core.ports.keys import Sealer
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.sms.rules import limits
from doorward.features.authn.factors.sms.rules.phone import Phone
from doorward.features.authn.factors.sms.settings import SmsPolicy
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

_PURPOSE: Final = "throttle"


@final
class SmsBudget(Struct, frozen=True, kw_only=True):
    """Nothing that was counted is given back, whatever becomes of the message: a gateway charges for failed ones too."""

    store: Store
    sealer: Sealer
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    policy: SmsPolicy

    async def take(self, phone: Phone, account_id: str, *, caller: Caller, now: int) -> Wait | None:
        """Count a message to a number that the account's owner has proven."""
        device = await self.throttle.known(caller.devices, account_id)
        buckets = limits.of_message(
            phone, account_id=account_id, known_device=device, policy=self.policy, tag=self._tag
        )
        return await self._take(buckets, phone, now)

    async def take_for_enrolment(
        self, phone: Phone, account_id: str, *, caller: Caller, now: int
    ) -> Wait | None:
        """Count a message to a number that nobody has proven."""
        sent, proven, paused = limits.of_country(phone.country, now, tag=self._tag)
        counted = await self.throttle.counters.counted((sent, proven, paused), now)
        if counted[2][1]:
            return Wait(counted[2][2])
        if limits.suspicious(counted):
            return await self._pause(phone.country, caller, now)
        if (wait := await self.throttle.full((self._owners(phone),), now)) is not None:
            return wait
        buckets = limits.of_enrolment(
            phone, account_id=account_id, address=caller.address, policy=self.policy, tag=self._tag
        )
        return await self._take((*buckets, sent), phone, now)

    def proven(self, phone: Phone, now: int) -> list[Write]:
        """Count a number that became a factor, in the commit that adds it."""
        _, proven, _ = limits.of_country(phone.country, now, tag=self._tag)
        # in a fixed order, so that two commits do not deadlock
        buckets = sorted((proven, self._owners(phone)), key=lambda bucket: bucket.key)
        return [self.store.attempts.add(bucket.key, now, bucket.window) for bucket in buckets]

    async def _take(self, buckets: tuple[Bucket, ...], phone: Phone, now: int) -> Wait | None:
        wait = await self.throttle.take(buckets, now)
        if wait is not None:
            self.metrics.inc("sms", f"{phone.country}_limited")
        return wait

    async def _pause(self, country: str, caller: Caller, now: int) -> Wait:
        _, _, paused = limits.of_country(country, now, tag=self._tag)
        if await self.throttle.counters.take((paused,), now):
            self.metrics.inc("sms", f"{country}_paused")
            event = self.audit_log.write(
                "sms.country_paused", caller=caller, now=now, ok=False, country=country
            )
            await self.store.commit(event)
        return Wait(now + paused.window)

    def _owners(self, phone: Phone) -> Bucket:
        return limits.of_owners(phone.e164, tag=self._tag)

    def _tag(self, text: str) -> str:
        return self.sealer.tag(_PURPOSE, text)
