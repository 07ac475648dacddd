"""Remembered devices: recognised at a sign-in, added with the proof of a second step, and ended by their owner (R84, R85)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from msgspec import Struct

from doorward.core import text
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.device import MAX_NAME
from doorward.core.model.digest import digest
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.remembered_device import RememberedDevice
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.remembered import HeldDevice
from doorward.features.authn.trusted_device import rules as rule
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

DEVICE_ID: Final = "dev"
SUCCESSOR: Final = "trusted-device"
"""The purpose of the tag that replaces a secret."""


@final
class TrustedDevices(Struct, frozen=True, kw_only=True):
    """The devices of people. A row counts only for its account, with its current secret, in the browser and on the system on which it
    was added, for the password and the second factors of then."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    factors: OfferedFactors
    policy: SecondFactorPolicy
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue

    @property
    def seconds(self) -> int:
        """For how long a device is remembered."""
        return self.policy.remember

    async def holds(
        self, account: Account, rows: Sequence[EnrolledFactor], caller: Caller, now: int
    ) -> HeldDevice | None:
        """The device of this request, if it is remembered for the owner of `account`. A secret that was replaced earlier ends the
        device: the caller has made sure that whoever sends it has shown a first factor."""
        values = rule.read(caller.trusted)
        for value in values:
            device = await self._of(account, value, now)
            if device is None:
                continue
            shown, following = digest(value.secret), self._successor(value)
            secret = rule.secret_of(device, shown, now)
            if secret == "spent":
                await self._replayed(device, account, caller, now)
                continue
            if not rule.alike(device, caller.user_agent) or device.factors_mark != await self.mark(
                account, rows
            ):
                continue
            successor = digest(following.secret)
            if secret == "previous" and successor != device.secret_hash:
                continue
            rotated = self.store.remembered_devices.rotate(
                device, shown=shown, successor=successor, since=now - rule.LEEWAY, at=now
            )
            others = [other for other in values if other.id != value.id]
            return HeldDevice((rotated,), rule.joined([following, *others]), device.id)
        return None

    async def new(self, account: Account, caller: Caller, now: int) -> NewTrustedDevice:
        """The device of this request. What it was for this account before ends."""
        others: list[rule.Value] = []
        ended: list[str] = []
        for value in rule.read(caller.trusted):
            device = await self.store.remembered_devices.get(value.id)
            if device is not None and device.account_id != account.id:
                others.append(value)
            elif device is not None:
                ended.append(device.id)
        own = rule.Value(self.random.new_id(DEVICE_ID), self.random.token())
        return NewTrustedDevice(
            devices=self,
            account_id=account.id,
            own=own,
            ended=tuple(ended),
            cookie=rule.joined([own, *others]),
            caller=caller,
            now=now,
        )

    async def mark(self, account: Account, rows: Sequence[EnrolledFactor]) -> str:
        """What the rows of this account have to say now to be good. Backups do not count, and neither does a factor that was made without a
        question, until its owner wants to be asked for it: it would end the trust that the same owner asked for a moment before."""
        backups = {row.id for row in rows if row.kind in self.factors.backups}
        return rule.mark(account, rows, backups | await self.factors.silent(account, rows))

    async def good(self, account: Account, now: int) -> list[RememberedDevice]:
        """The devices of a person that are remembered now, newest first."""
        found = await self.store.remembered_devices.of_account(account.id)
        if not found or self.policy.ask != "remembered":
            return []
        marked = await self.mark(account, await self.store.accounts.factors(account.id))
        return [one for one in found if one.factors_mark == marked and now < one.expires_at]

    async def here(self, account: Account, caller: Caller, now: int) -> str | None:
        """The id of the device of this request, if it is remembered for the owner of `account`."""
        shown = {value.id: digest(value.secret) for value in rule.read(caller.trusted)}
        for one in await self.good(account, now):
            secret = shown.get(one.id)
            if secret is not None and rule.secret_of(one, secret, now) != "spent":
                return one.id
        return None

    async def end(
        self, account: Account, device_id: str, *, session_id: str, caller: Caller, now: int
    ) -> bool:
        """Ask for the second step on a device again. False: it is not theirs, or not there any more."""
        return await self.store.commit(
            self.store.remembered_devices.end(account.id, device_id),
            self.audit_log.write(
                "trusted_device.ended",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session_id,
                device=device_id,
            ),
        )

    async def rename(self, account: Account, device_id: str, name: str, now: int) -> bool | Wait | None:
        """Give a device another name; "" for none. None: the name is too long. False: it is not theirs, or not there any more."""
        wanted = text.name(name)
        if len(wanted) > MAX_NAME:
            return None
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        return await self.store.commit(
            self.store.remembered_devices.rename(account.id, device_id, wanted or None)
        )

    async def _of(self, account: Account, value: rule.Value, now: int) -> RememberedDevice | None:
        device = await self.store.remembered_devices.get(value.id)
        mine = device is not None and device.account_id == account.id and now < device.expires_at
        return device if mine else None

    def _successor(self, value: rule.Value) -> rule.Value:
        """The next secret. Requests with the same secret get the same one, so that it does not matter which answer a browser keeps;
        nobody can tell it from the one before without the server's key."""
        return rule.Value(value.id, self.sealer.tag(SUCCESSOR, value.text))

    async def _replayed(self, device: RememberedDevice, account: Account, caller: Caller, now: int) -> None:
        """Two hold the device's secret. Of requests at once one ends it, and its owner gets one mail."""
        mail = owner_mail(self.mail_queue, "trusted_device_copied", account, caller, now)
        await self.store.commit(
            self.store.remembered_devices.end(account.id, device.id),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "trusted_device.replayed",
                caller=caller,
                now=now,
                account_id=account.id,
                ok=False,
                device=device.id,
            ),
        )


@final
class NewTrustedDevice(Struct, frozen=True, kw_only=True):
    """A device to be remembered, with its first secret. `ended`: devices whose place it takes."""

    devices: TrustedDevices
    account_id: str
    own: rule.Value
    ended: tuple[str, ...]
    cookie: str
    caller: Caller
    now: int

    async def writes(self, account: Account, rows: Sequence[EnrolledFactor]) -> Sequence[Write]:
        """The row, for the commit of the proof. The account's row is locked before: a change of the password, or another device at the
        same time, waits or wins."""
        if account.id != self.account_id:
            return ()
        store, caller, now = self.devices.store, self.caller, self.now
        device = RememberedDevice(
            id=self.own.id,
            account_id=account.id,
            secret_hash=digest(self.own.secret),
            rotated_at=now,
            user_agent=caller.user_agent,
            address=caller.address,
            factors_mark=await self.devices.mark(account, rows),
            created_at=now,
            used_at=now,
            expires_at=now + self.devices.seconds,
        )
        return [
            store.accounts.replace(account, old=account),
            *(store.remembered_devices.drop(account.id, one) for one in self.ended),
            store.remembered_devices.insert(device),
            self.devices.audit_log.write(
                "trusted_device.added", caller=caller, now=now, account_id=account.id, device=device.id
            ),
        ]
