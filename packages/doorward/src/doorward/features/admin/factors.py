"""Administration of second factors: list them, reset them after a lost phone, and require one; the person is informed by mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.actor import Actor
from doorward.core.model.device import describe
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.remembered_device import RememberedDevice
from doorward.core.ports.mail_queue import MailQueue, account_mail
from doorward.core.text import one_line
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import refused
from doorward.features.admin.lookup import find_account
from doorward.features.admin.operation import operation
from doorward.features.authn.flow.held import FactorSummary, HeldFactor
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Write

MOST_GRACE: Final = 90 * 86_400
MOST_REASON: Final = 200
_TRIES: Final = 5


class AdminDevice(Struct, frozen=True, kw_only=True):
    """A device on which the second step is not asked for, as operators see it: no secret, no hash. Times are seconds."""

    id: str
    name: str | None
    browser: str | None
    address: str
    added_at: int
    last_used_at: int
    expires_at: int


class FactorsOf(Struct, frozen=True, kw_only=True):
    """The second factors of an account. `rows` include the backups, `held` does not; `summaries` are what there is to say of each kind as a
    whole; `demand`: an operator requires one; `devices` are those on which no second step is asked for."""

    account: Account
    rows: Sequence[EnrolledFactor]
    held: tuple[HeldFactor, ...]
    summaries: tuple[FactorSummary, ...]
    demand: FactorDemand | None
    devices: tuple[AdminDevice, ...] = ()


async def _none(account: Account, now: int) -> Sequence[RememberedDevice]:
    del account, now
    return ()


class FactorAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """People are named by e-mail address or id. Every method raises `AdminError` on failure."""

    revoker: Revoker
    mail_queue: MailQueue
    policy: SecondFactorPolicy
    factors: OfferedFactors
    remembered: Callable[[Account, int], Awaitable[Sequence[RememberedDevice]]] = _none

    @operation("credentials.read")
    async def find(self, actor: Actor, who: str) -> FactorsOf:
        """The account, its second factors, and what is demanded of it."""
        return await self._find(await find_account(self.store, who))

    @operation("credentials.write")
    async def reset(
        self,
        actor: Actor,
        who: str,
        *,
        kinds: Collection[str] = (),
        factor_id: str | None = None,
        reason: str = "",
        forget_password: bool = False,
    ) -> FactorsOf:
        """Remove second factors: all, those of `kinds`, or the one with `factor_id`; backups too once nothing is left for which
        they could stand in. With `forget_password` the password as well, so that the next one is set by mail. A lost phone may still
        be signed in, so all sessions, grants and tokens end, and so do pending sign-ins, mailed codes and links."""
        _check(reason)
        for _ in range(_TRIES):
            old = await find_account(self.store, who)
            rows = await self.store.accounts.factors(old.id)
            held = await self.factors.held(old, rows)
            names = {one.id: one.kind for one in held}
            gone = self._going(rows, names, kinds, factor_id)
            if not rows:
                raise refused("factor_missing", email=old.known_as)
            if not gone:
                raise refused("factor_not_held", email=old.known_as, given=factor_id or ", ".join(kinds))
            now = self.clock.now()
            methods = list(dict.fromkeys(names.get(row.id, row.kind) for row in gone))
            ids = {row.id for row in gone}
            removed, left = [one for one in held if one.id in ids], [row for row in rows if row.id not in ids]
            backups_left = any(row.kind in self.factors.backups for row in left)
            # The row changes in any case, so that a sign-in that ends concurrently loses its guard (`Revoker.late`).
            new = structs.replace(old, updated_at=max(now, (old.updated_at or 0) + 1))
            ends = {row.id for row in gone}
            mapped = {
                role
                for one in await self.store.external_identities.of_account(old.id)
                if one.factor_id in ends
                for role in one.mapped_roles
            }
            # what a provider's mapping gave goes with the connection
            kept = tuple(role for role in old.role_names if role not in mapped)
            new = structs.replace(new, role_names=kept)
            if forget_password:
                new = new.with_password(None, now)
            mail = account_mail(
                self.mail_queue,
                "second_factor_reset",
                old,
                now,
                at=now,
                password_too=forget_password,
                only=None if backups_left else self.factors.reset_words(removed),
                names=tuple(self.factors.named(one) for one in removed),
                left=any(row.kind not in self.factors.backups for row in left),
            )
            done = await self.store.commit(
                self.store.accounts.replace(new, old=old),
                *self._removal(old, rows, gone),
                # the next sign-in asks for a new one at once, if one is required: who held the phone may know the password
                self.store.factor_demands.without_grace(old.id),
                *await self.revoker.account(old.id, now=now, reason="second_factor_reset", sub_entry=False),
                self.store.messages.insert_mail(mail),
                self._event(
                    actor,
                    "second_factor.reset",
                    now,
                    account_id=old.id,
                    password="forgotten" if forget_password else "kept",
                    methods=methods,
                    **_told(reason),
                ),
            )
            if done:
                await self.revoker.late(old.id, now=now, reason="second_factor_reset")
                return await self._find(new)
        raise refused("person_contended", given=who)

    @operation("credentials.write")
    async def require(
        self, actor: Actor, who: str, *, on: bool = True, grace: int = 0, reason: str = ""
    ) -> FactorsOf:
        """Require a second factor of this person at every sign-in, whatever the policy; who has none sets one up at the next sign-in,
        or within `grace` seconds. `on=False` ends that."""
        _check(reason)
        if not 0 <= grace <= MOST_GRACE:
            raise refused("out_of_range", member="grace", value=grace, least=0, most=MOST_GRACE)
        if on and self.policy.require == "off":
            raise refused("factors_off")
        for _ in range(_TRIES):
            old = await find_account(self.store, who)
            demand = await self.store.factor_demands.get(old.id)
            if not on and (demand is None or demand.required_at is None):
                raise refused("unchanged", noun="person", name=old.known_as)
            now = self.clock.now()
            until = now + grace if on else None
            new = structs.replace(old, updated_at=max(now, (old.updated_at or 0) + 1))
            notice = account_mail(
                self.mail_queue,
                "second_factor_required",
                old,
                now,
                at=now,
                until=until if grace else None,
            )
            done = await self.store.commit(
                self.store.accounts.replace(new, old=old),
                self.store.factor_demands.require(old.id, now if on else None, until),
                *((self.store.messages.insert_mail(notice),) if on else ()),
                self._event(
                    actor,
                    "second_factor.required",
                    now,
                    account_id=old.id,
                    required="yes" if on else "no",
                    **({"grace": str(grace)} if on else {}),
                    **_told(reason),
                ),
            )
            if done:
                return await self._find(new)
        raise refused("person_contended", given=who)

    @operation("credentials.write")
    async def forget_devices(
        self, actor: Actor, who: str, *, device_id: str | None = None, reason: str = ""
    ) -> FactorsOf:
        """Ask for the second step on every device of a person again, or on the one with `device_id`. Nobody is signed out."""
        _check(reason)
        account = await find_account(self.store, who)
        now = self.clock.now()
        found = await self.remembered(account, now)
        gone = [one.id for one in found if device_id is None or one.id == device_id]
        if not gone:
            raise refused("device_not_remembered", email=account.known_as, given=device_id or "")
        devices = self.store.remembered_devices
        await self.store.commit(
            *(
                (devices.end_of_account(account.id),)
                if device_id is None
                else (devices.drop(account.id, one) for one in gone)
            ),
            self._event(
                actor,
                "trusted_device.ended",
                now,
                account_id=account.id,
                devices=gone,
                **_told(reason),
            ),
        )
        return await self._find(account)

    async def _find(self, account: Account) -> FactorsOf:
        rows = await self.store.accounts.factors(account.id)
        demand = await self.store.factor_demands.get(account.id)
        devices = tuple(_device(one) for one in await self.remembered(account, self.clock.now()))
        return FactorsOf(
            account=account,
            rows=rows,
            held=await self.factors.held(account, rows),
            summaries=self.factors.summaries(rows),
            demand=demand,
            devices=devices,
        )

    def _going(
        self,
        rows: Sequence[EnrolledFactor],
        names: Mapping[str, str],
        kinds: Collection[str],
        factor_id: str | None,
    ) -> list[EnrolledFactor]:
        """The rows to remove. `names` are the kinds under which operators know them, by id."""
        named = [
            row
            for row in rows
            if (factor_id is None or row.id == factor_id)
            and (not kinds or names.get(row.id, row.kind) in kinds)
            and (factor_id or kinds or row.kind not in self.factors.kept_at_reset)
        ]
        if not named:
            return []
        orphaned = self.factors.orphaned([row for row in rows if row not in named])
        return [row for row in rows if row in named or row.kind in orphaned]

    def _removal(
        self, account: Account, rows: Sequence[EnrolledFactor], gone: Sequence[EnrolledFactor]
    ) -> list[Write]:
        """Whole kinds at once, so that a factor added meanwhile goes too; single ones by their id."""
        whole = {row.kind for row in gone} - {row.kind for row in rows if row not in gone}
        single = [row.id for row in gone if row.kind not in whole]
        return [
            *(self.store.accounts.remove_factors(account.id, kind) for kind in sorted(whole)),
            *(self.store.accounts.remove_factor(account.id, factor_id) for factor_id in single),
        ]


def _device(one: RememberedDevice) -> AdminDevice:
    return AdminDevice(
        id=one.id,
        name=one.name,
        browser=describe(one.user_agent),
        address=one.address,
        added_at=one.created_at,
        last_used_at=one.used_at,
        expires_at=one.expires_at,
    )


def _check(reason: str) -> None:
    if len(reason) > MOST_REASON or not one_line(reason):
        raise refused("text_too_long", member="reason", limit=MOST_REASON)


def _told(reason: str) -> dict[str, str]:
    return {"reason": reason} if reason else {}
