"""Administration of people: create, find, disable, enable, delete, set a profile or a password, give and take roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import assert_never
from zoneinfo import available_timezones

from msgspec import structs

from doorward.core import text
from doorward.core.login_name import new_email, normalise_name, normalise_zone
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.actor import Actor
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.secret import Secret
from doorward.core.model.session import EndReason
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.passwords import PasswordHasher
from doorward.features.admin.commit import AuditedAdmin
from doorward.features.admin.error import AdminError, nearest, refused
from doorward.features.admin.lookup import find_account, find_role
from doorward.features.admin.operation import demand, operation
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules import password as password_rule
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Write

_TRIES = 5
_MAX_NAME = 120


class PeopleAdmin(AuditedAdmin, frozen=True, kw_only=True):
    """People are named by e-mail address or id everywhere. Every method raises `AdminError` when it cannot be done, and every change is
    audited. `beside_password`: whether a person with these factors may have a shorter password (R77);
    `password_elsewhere`: whether a directory keeps it."""

    config: ConfigSource
    hasher: PasswordHasher
    revoker: Revoker
    judge: JudgePassword
    beyond_ascii: bool
    beside_password: Callable[[Account, Sequence[EnrolledFactor]], bool]
    password_elsewhere: Callable[[Sequence[EnrolledFactor]], bool]

    @operation("people.write")
    async def create(
        self,
        actor: Actor,
        email: str,
        *,
        name: str | None = None,
        locale: str | None = None,
        password: Secret | None = None,
        roles: Sequence[str] | None = None,
    ) -> Account:
        """A person whose address counts as verified: the operator vouches for it. Without `password` they set one with
        "forgot password"; with it `credentials.write` is demanded too, since the actor can sign in as them. Without `roles` they get
        the default ones."""
        if password is not None:
            demand(actor, "credentials.write")
        address = new_email(email)
        if address is None:
            raise refused("email_invalid", email=email)
        if not self.beyond_ascii and not address.isascii():
            raise refused("email_not_ascii", email=address)
        shown = normalise_name(name) if name is not None else ""
        if shown is None:
            raise refused("text_too_long", member="name", limit=_MAX_NAME)
        spoken = text.locale(locale) if locale else None
        if locale and spoken is None:
            raise refused("locale_invalid", locale=locale)
        config = await self.config.refresh()
        now = self.clock.now()
        account = Account(
            id=self.random.new_id("usr"),
            email=address,
            created_at=now,
            name=shown or None,
            locale=spoken,
            updated_at=now,
            role_names=_role_names(config, roles),
        )
        if password is not None:
            account = await self._with_password(account, password, now)
        if not await self.store.commit(
            self.store.accounts.insert(account),
            self._event(actor, "account.created", now, account_id=account.id),
        ):
            raise refused("email_taken", email=address)
        return account

    @operation("people.read")
    async def find(self, actor: Actor, *, after: str | None = None, limit: int = 100) -> Sequence[Account]:
        """One page, in order of id."""
        return await self.store.accounts.page(after=after, limit=limit)

    @operation("people.read")
    async def count(self, actor: Actor, *, after: str | None = None) -> int:
        """How many people there are behind the one with this id."""
        return await self.store.accounts.count(after=after)

    @operation("people.read")
    async def get(self, actor: Actor, who: str) -> Account:
        """One person."""
        return await find_account(self.store, who)

    @operation("people.read")
    async def with_role_names(self, actor: Actor, account: Account) -> Account:
        """The same person to be shown: their roles by name, without those that are deleted."""
        names = tuple(role.name for role in self.config.current().held(account))
        return structs.replace(account, role_names=names)

    @operation("credentials.write")
    async def set_password(self, actor: Actor, who: str, password: Secret) -> Account:
        """A new password; all their sessions and grants end, since somebody else may know the old one."""
        old = await find_account(self.store, who)
        if old.email is None:
            # nobody could sign in with it: there is no name to type beside it
            raise refused("person_without_address", who=old.known_as)
        prepared = await self._with_password(old, password, self.clock.now())

        def change(account: Account, now: int) -> Account:
            return account.with_password(prepared.password_hash, now)

        return await self._change(
            actor, who, change, "password.changed", ends="password_changed", sub_entry=False
        )

    @operation("people.write")
    async def disable(self, actor: Actor, who: str) -> Account:
        """No sign-in any more, and every session, grant and token ends now (ASVS 7.4.2)."""

        def change(account: Account, now: int) -> Account:
            if account.disabled_at is not None:
                raise refused("person_disabled", email=account.known_as)
            return structs.replace(account, disabled_at=now)

        return await self._change(actor, who, change, "account.disabled", ends="account_disabled")

    @operation("people.write")
    async def enable(self, actor: Actor, who: str) -> Account:
        """They may sign in again; what ended stays ended."""

        def change(account: Account, _now: int) -> Account:
            if account.disabled_at is None:
                raise refused("person_not_disabled", email=account.known_as)
            return structs.replace(account, disabled_at=None)

        return await self._change(actor, who, change, "account.enabled")

    @operation("people.write")
    async def delete(self, actor: Actor, who: str) -> Account:
        """The person and everything about them but the audit log; every session, grant and token ends now."""
        account = await find_account(self.store, who)
        now = self.clock.now()
        writes = await self.revoker.account(account.id, now=now, reason="account_deleted", sub_entry=True)
        await self.store.commit(
            *writes,
            # before the row goes: a stream that names people by their address has it from there
            self._event(actor, "account.deleted", now, account_id=account.id),
            self.store.delete_account(account.id),
        )
        await self.revoker.late(account.id, now=now, reason="account_deleted")
        return account

    @operation("people.write")
    async def update(self, actor: Actor, who: str, profile: Mapping[str, str]) -> Account:
        """What apps are told of them: any of `name`, `given_name`, `family_name`, `zoneinfo`; an empty one is not known."""
        kept = {key: profile_member(key, text) for key, text in profile.items()}

        def change(account: Account, now: int) -> Account:
            new = structs.replace(account, **kept)
            if new == account:
                raise refused("unchanged", noun="person", name=account.known_as)
            return structs.replace(new, updated_at=now)

        return await self._change(actor, who, change, "account.profile_set", changed=" ".join(sorted(kept)))

    @operation("people.write")
    async def grant_role(self, actor: Actor, who: str, role: str) -> Account:
        """One role more; it reaches their apps with the next token."""
        found = find_role(await self.config.refresh(), role)

        def change(account: Account, _now: int) -> Account:
            if found.held_as in account.role_names:
                raise refused("role_held", email=account.known_as, role=found.name)
            return structs.replace(account, role_names=(*account.role_names, found.held_as))

        return await self._change(actor, who, change, "account.role_granted", role=found.name)

    @operation("people.write")
    async def revoke_role(self, actor: Actor, who: str, role: str) -> Account:
        """One role less; tokens that apps have keep it until they expire, the next one is without. Those made from API keys end now."""
        found = find_role(await self.config.refresh(), role)

        def change(account: Account, _now: int) -> Account:
            if found.held_as not in account.role_names:
                raise refused("role_not_held", email=account.known_as, role=found.name)
            left = tuple(held for held in account.role_names if held != found.held_as)
            return structs.replace(account, role_names=left)

        return await self._change(actor, who, change, "account.role_revoked", role=found.name)

    async def _change(
        self,
        actor: Actor,
        who: str,
        change: Callable[[Account, int], Account],
        kind: str,
        *,
        ends: EndReason | None = None,
        sub_entry: bool = True,
        **detail: str,
    ) -> Account:
        # The write is guarded by the row as it was read, so an edit never undoes what happened in between.
        for _ in range(_TRIES):
            old = await find_account(self.store, who)
            now = self.clock.now()
            new = change(old, now)
            writes: list[Write] = [
                self.store.accounts.replace(new, old=old),
                *self.revoker.lost_roles(old, new, now=now),
            ]
            if ends is not None:
                writes += await self.revoker.account(old.id, now=now, reason=ends, sub_entry=sub_entry)
            writes.append(self._event(actor, kind, now, account_id=new.id, **detail))
            if await self.store.commit(*writes):
                if ends is not None:
                    await self.revoker.late(old.id, now=now, reason=ends)
                return new
        raise refused("person_contended", given=who)

    async def _with_password(self, account: Account, password: Secret, now: int) -> Account:
        rows = await self.store.accounts.factors(account.id)
        if rows and self.password_elsewhere(rows):
            raise refused("person_password_elsewhere", who=account.known_as)
        second = bool(rows) and self.beside_password(account, rows)
        weak = await self.judge.judge(
            password, email=account.email or "", name=account.name, second_factor=second
        )
        if weak is not None:
            raise _weak(weak)
        hashed = await self.hasher.hash(Secret(password_rule.prepare(password.reveal())))
        return account.with_password(hashed, now)


def profile_member(key: str, text: str) -> str | None:
    """The normal form of a member of the profile; None for an empty one. Raises `AdminError`."""
    if key != "zoneinfo":
        kept = normalise_name(text)
        if kept is None:
            raise refused("text_too_long", member=key, limit=_MAX_NAME)
        return kept or None
    zone = normalise_zone(text)
    if zone is None:
        raise refused("zone_invalid", zone=text[:80])
    # a machine without a time zone database knows none: the form alone is checked then
    zones = _zones() if zone else frozenset[str]()
    if zones and zone not in zones:
        raise refused("zone_unknown", zone=text[:80], near=nearest(zone, sorted(zones)))
    return zone or None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _role_names(config: ConfigSnapshot, roles: Sequence[str] | None) -> tuple[str, ...]:
    if roles is None:
        return tuple(role.held_as for role in config.roles.values() if role.default)
    return tuple(dict.fromkeys(find_role(config, name).held_as for name in roles))


def _weak(weak: password_rule.Weak) -> AdminError:
    match weak.why:
        case "missing":
            return refused("password_missing")
        case "too_short":
            return refused("password_too_short", least=weak.number)
        case "too_long":
            return refused("password_too_long", most=weak.number)
        case "breached":
            return refused("password_breached")
        case "context":
            return refused("password_personal")
        case "guessable" | "unchanged":
            return refused("password_guessable")
        case _:
            assert_never(weak.why)
