"""What an operator does with people: create, disable, enable, delete, set a password, give and take roles. All audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from doorward.core import text
from doorward.core.login_name import new_email, normalise_name, normalise_zone
from doorward.core.model.account import Account
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.secret import Secret
from doorward.core.model.session import EndReason
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.passwords import PasswordHasher
from doorward.core.ports.random import Chance
from doorward.core.ports.store import Store, Write
from doorward.features.admin.commit import audit_write
from doorward.features.admin.lookup import find_account, find_role
from doorward.features.admin.refused import ManageRefused
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules import password as password_rule
from doorward.features.sessions.ending import Ending

_TRIES = 5


@dataclass(frozen=True, slots=True)
class ManagePeople:
    """People are named by e-mail address or id everywhere. Every method raises `ManageRefused` when it cannot be done."""

    store: Store
    catalog: CatalogSource
    chance: Chance
    clock: Clock
    hasher: PasswordHasher
    ending: Ending
    judge: JudgePassword
    beyond_ascii: bool = True

    async def create(
        self,
        email: str,
        *,
        name: str | None = None,
        locale: str | None = None,
        password: Secret | None = None,
        roles: Sequence[str] | None = None,
    ) -> Account:
        """A person whose address counts as verified: the operator vouches for it. Without `password` they set one with
        "forgot password". Without `roles` they get the default ones."""
        address = new_email(email)
        if address is None:
            raise ManageRefused(f"{email} is no e-mail address.", "It should look like ada@example.com.")
        if not self.beyond_ascii and not address.isascii():
            raise ManageRefused(
                f"{address} has letters beyond ASCII before the @, and mail would not reach it.",
                "Set mail.smtputf8 = true if your mail server offers SMTPUTF8 (doorward doctor).",
            )
        shown = normalise_name(name) if name is not None else ""
        if shown is None:
            raise ManageRefused("The name is too long.", "At most 120 characters.")
        spoken = text.locale(locale) if locale else None
        if locale and spoken is None:
            raise ManageRefused(f"{locale} is no language.", "It should look like de or pt-BR (RFC 5646).")
        catalog = await self.catalog.refresh()
        now = self.clock.now()
        account = Account(
            id=self.chance.new_id("usr"),
            email=address,
            created_at=now,
            name=shown or None,
            locale=spoken,
            updated_at=now,
            role_names=_role_names(catalog, roles),
        )
        if password is not None:
            account = await self._with_password(account, password, now)
        if not await self.store.commit(
            self.store.accounts.insert(account), self._audit("account.created", account, now)
        ):
            raise ManageRefused(
                f"There is a person with the address {address} already.", f"doorward user show {address}"
            )
        return account

    async def listed(self, *, after: str | None = None, limit: int = 100) -> Sequence[Account]:
        """One page, in order of id."""
        return await self.store.accounts.page(after=after, limit=limit)

    async def count(self, *, after: str | None = None) -> int:
        """How many people there are behind the one with this id."""
        return await self.store.accounts.count(after=after)

    async def find(self, who: str) -> Account:
        """One person."""
        return await find_account(self.store, who)

    async def set_password(self, who: str, password: Secret) -> Account:
        """A new password; all their sessions and grants end, since somebody else may know the old one."""
        prepared = await self._with_password(await self.find(who), password, self.clock.now())

        def change(account: Account, now: int) -> Account:
            return structs.replace(account, password_hash=prepared.password_hash, password_changed_at=now)

        return await self._change(who, change, "password.changed", ends="password_changed", sub_entry=False)

    async def disable(self, who: str) -> Account:
        """No sign-in any more, and every session, grant and token ends now (ASVS 7.4.2)."""

        def change(account: Account, now: int) -> Account:
            if account.disabled_at is not None:
                raise ManageRefused(
                    f"{account.email} is disabled already.", f"doorward user enable {account.email}"
                )
            return structs.replace(account, disabled_at=now)

        return await self._change(who, change, "account.disabled", ends="account_disabled")

    async def enable(self, who: str) -> Account:
        """They may sign in again; what ended stays ended."""

        def change(account: Account, _now: int) -> Account:
            if account.disabled_at is None:
                raise ManageRefused(
                    f"{account.email} is not disabled.", f"doorward user show {account.email}"
                )
            return structs.replace(account, disabled_at=None)

        return await self._change(who, change, "account.enabled")

    async def delete(self, who: str) -> Account:
        """The person and everything about them but the audit record; every session, grant and token ends now."""
        account = await self.find(who)
        now = self.clock.now()
        writes = await self.ending.account(account.id, now=now, reason="account_deleted", sub_entry=True)
        await self.store.commit(
            *writes, self.store.accounts.delete(account.id), self._audit("account.deleted", account, now)
        )
        await self.ending.late(account.id, now=now, reason="account_deleted")
        return account

    async def set_profile(self, who: str, said: Mapping[str, str]) -> Account:
        """What apps are told of them: any of `name`, `given_name`, `family_name`, `zoneinfo`; an empty one is not known."""
        kept = {key: _said(key, text) for key, text in said.items()}

        def change(account: Account, now: int) -> Account:
            new = structs.replace(account, **kept)
            if new == account:
                raise ManageRefused(
                    f"Nothing would change about {account.email}.", f"doorward user show {account.email}"
                )
            return structs.replace(new, updated_at=now)

        return await self._change(
            who, change, "account.profile_set", detail={"changed": " ".join(sorted(kept))}
        )

    async def grant_role(self, who: str, role: str) -> Account:
        """One role more; it reaches their apps with the next token."""
        found = find_role(await self.catalog.refresh(), role)

        def change(account: Account, _now: int) -> Account:
            if found.held_as in account.role_names:
                raise ManageRefused(
                    f"{account.email} has the role {found.name} already.",
                    f"doorward user show {account.email}",
                )
            return structs.replace(account, role_names=(*account.role_names, found.held_as))

        return await self._change(who, change, "account.role_granted", detail={"role": found.name})

    async def revoke_role(self, who: str, role: str) -> Account:
        """One role less; tokens given out keep it until they expire, the next one is without."""
        found = find_role(await self.catalog.refresh(), role)

        def change(account: Account, _now: int) -> Account:
            if found.held_as not in account.role_names:
                raise ManageRefused(
                    f"{account.email} does not have the role {found.name}.",
                    f"doorward user show {account.email}",
                )
            left = tuple(held for held in account.role_names if held != found.held_as)
            return structs.replace(account, role_names=left)

        return await self._change(who, change, "account.role_revoked", detail={"role": found.name})

    def named(self, account: Account) -> Account:
        """The same person to be shown: their roles by name, without those that are deleted."""
        names = tuple(role.name for role in self.catalog.current().held(account))
        return structs.replace(account, role_names=names)

    async def _change(
        self,
        who: str,
        change: Callable[[Account, int], Account],
        kind: str,
        *,
        ends: EndReason | None = None,
        sub_entry: bool = True,
        detail: Mapping[str, str] | None = None,
    ) -> Account:
        # The write is guarded by the row as it was read, so an edit never undoes what happened in between.
        for _ in range(_TRIES):
            old = await self.find(who)
            now = self.clock.now()
            new = change(old, now)
            writes: list[Write] = [self.store.accounts.replace(new, old=old)]
            if ends is not None:
                writes += await self.ending.account(old.id, now=now, reason=ends, sub_entry=sub_entry)
                writes.append(self.store.sessions.forget_devices(old.id, but=None))
            if await self.store.commit(*writes, self._audit(kind, new, now, detail)):
                if ends is not None:
                    await self.ending.late(old.id, now=now, reason=ends)
                return new
        raise ManageRefused(
            f"{who} is being changed by somebody else over and over.", "Try again in a moment."
        )

    async def _with_password(self, account: Account, password: Secret, now: int) -> Account:
        second = any(factor.kind == "totp" for factor in await self.store.accounts.factors(account.id))
        weak = await self.judge.judge(password, email=account.email, name=account.name, second_factor=second)
        if weak is not None:
            raise ManageRefused(*_explain(weak))
        hashed = await self.hasher.hash(Secret(password_rule.prepare(password.reveal())))
        return structs.replace(account, password_hash=hashed, password_changed_at=now)

    def _audit(self, kind: str, account: Account, now: int, detail: Mapping[str, str] | None = None) -> Write:
        return audit_write(
            self.store, self.chance, kind, now, account_id=account.id, detail=dict(detail or {})
        )


def _said(key: str, text: str) -> str | None:
    kept = normalise_zone(text) if key == "zoneinfo" else normalise_name(text)
    if kept is None and key == "zoneinfo":
        raise ManageRefused(f"{text[:80]} is no time zone.", "It should look like Europe/Berlin.")
    if kept is None:
        raise ManageRefused(f"The {key.replace('_', ' ')} is too long.", "At most 120 characters.")
    return kept or None


def _role_names(catalog: Catalog, roles: Sequence[str] | None) -> tuple[str, ...]:
    if roles is None:
        return tuple(role.held_as for role in catalog.roles.values() if role.default)
    return tuple(dict.fromkeys(find_role(catalog, name).held_as for name in roles))


def _explain(weak: password_rule.Weak) -> tuple[str, str]:
    match weak.why:
        case "missing":
            return "The password is empty.", "Type one, or pipe it in with --password-stdin."
        case "too_short":
            return (
                f"The password is too short: at least {weak.number} characters.",
                "A few unrelated words will do.",
            )
        case "too_long":
            return f"The password is too long: at most {weak.number} characters.", "Take a shorter one."
        case "breached":
            return (
                "The password stands on a list of breached passwords.",
                "Take one that was never used anywhere.",
            )
        case "context":
            return (
                "The password is made of the person's address or name, or of this service's.",
                "Take other words.",
            )
        case "guessable" | "unchanged":
            return "The password is too easy to guess.", "A few unrelated words will do."
