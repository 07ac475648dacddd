"""People of directories here: their accounts, profiles and roles, and what happens when a directory has them no more."""

from __future__ import annotations

from typing import Final, final

from msgspec import Struct, structs

from doorward.adapters.logs import logger
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.directory import DirectoryPerson
from doorward.core.model.provider import ExternalIdentity
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.directories.client import Directory
from doorward.features.authn.directories.rules.groups import roles_after
from doorward.features.authn.directories.rules.proof import KIND, directory_mark, suspended
from doorward.features.authn.directories.settings import directory_issuer
from doorward.features.authn.directories.views import DirectoryProblem
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.new_account import NewAccounts
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write

_TRIES: Final = 5
_log = logger("directory")


@final
class DirectoryPeople(Struct, frozen=True, kw_only=True):
    """An identity is (directory, entryUUID or objectGUID); neither an address nor a name nor a DN gives access to an account (R89)."""

    store: Store
    random: SecureRandom
    config: ConfigSource
    revoker: Revoker
    audit_log: AuditLog
    accounts: NewAccounts
    gate: NewFactors

    async def alone_here(self) -> bool:
        """False while an older program runs, which knows neither accounts without an address nor the pages that ask for one."""
        return await self.gate.open()

    async def identity(self, directory: Directory, person: DirectoryPerson) -> ExternalIdentity | None:
        """The identity of a person, if an account here has it."""
        return await self.store.external_identities.by_subject(directory_issuer(directory.name), person.uid)

    async def row(self, identity: ExternalIdentity) -> EnrolledFactor | None:
        """Its row in `factors`."""
        rows = await self.store.accounts.factors(identity.account_id)
        return next((row for row in rows if row.id == identity.factor_id), None)

    async def first_time(
        self, directory: Directory, person: DirectoryPerson, *, who: str, caller: Caller, now: int
    ) -> ExternalIdentity | DirectoryProblem:
        """A new account for somebody whose password was right, and whom nobody here is. An account that has the address already stays
        what it is: its owner connects the directory after signing in."""
        owner = await self.store.accounts.by_email(person.email) if person.email is not None else None
        if owner is not None:
            return DirectoryProblem.TAKEN
        if not directory.policy.sign_up:
            return DirectoryProblem.NO_ACCOUNT
        account = self.accounts.begun(email=person.email, now=now, **profile(person))
        writes = await self.accounts.writes(
            account, by="directory", caller=caller, now=now, directory=directory.name
        )
        if writes is None:
            return DirectoryProblem.UNAVAILABLE
        row, identity = self.connection(account.id, directory, person, who=who, now=now)
        made = await self.store.commit(
            *writes,
            self.store.accounts.add_factor(row),
            self.store.external_identities.insert(identity),
        )
        # somebody took the address, or the identity, in this moment
        return identity if made else (await self.identity(directory, person) or DirectoryProblem.TAKEN)

    def connection(
        self, account_id: str, directory: Directory, person: DirectoryPerson, *, who: str, now: int
    ) -> tuple[EnrolledFactor, ExternalIdentity]:
        """The rows of a new identity of the account."""
        row = EnrolledFactor(
            id=self.random.new_id("fac"),
            account_id=account_id,
            kind=KIND,
            created_at=now,
            code_hash=directory_mark(directory.name),
        )
        identity = ExternalIdentity(
            factor_id=row.id,
            account_id=account_id,
            issuer=directory_issuer(directory.name),
            subject=person.uid,
            email=shown_name(person),
            typed_as=who,
        )
        return row, identity

    async def brought_up_to_date(
        self,
        account: Account,
        row: EnrolledFactor,
        identity: ExternalIdentity,
        person: DirectoryPerson,
        *,
        roles: frozenset[str],
        caller: Caller,
        now: int,
    ) -> Account | None:
        """Take over names and roles, and let in again whom the directory had disabled. What an operator disabled stays so. None: the account
        changed at every try, or is gone; it has the roles of an earlier question, and nobody goes on with it."""
        for _ in range(_TRIES):
            changed, mapped, back = self._as_told(account, row, identity, person, roles)
            if changed == account and mapped == identity.mapped_roles and not suspended(row):
                return account
            writes: list[Write] = [
                self.store.accounts.replace(structs.replace(changed, updated_at=now), old=account),
                *self.revoker.lost_roles(account, changed, now=now),
            ]
            if mapped != identity.mapped_roles:
                writes.append(self.store.external_identities.set_mapped_roles(row.id, mapped))
            if suspended(row):
                writes.append(self.store.accounts.mark_used(row, None))
            if back:
                writes.append(self._noted("account.enabled", account, caller, now))
            if changed.role_names != account.role_names:
                writes.append(self._noted("account.roles_mapped", account, caller, now))
            if await self.store.commit(*writes):
                return structs.replace(changed, updated_at=now)
            again = await self.store.accounts.get(account.id)
            if again is None:
                break
            account = again
        _log.warning("ldap.mapping_lost", account=account.id)
        return None

    async def suspend(self, identity: ExternalIdentity, *, reason: str, now: int) -> bool:
        """The directory has the person no more, or has disabled them: every session, grant and token ends now (R72), and no other
        factor lets them in. False: it was so already."""
        account, row = await self.store.accounts.get(identity.account_id), await self.row(identity)
        if account is None or row is None or suspended(row):
            return False
        # another moment than that of an operator's own, so that only ours is undone
        since = now if account.disabled_at != now else now + 1
        writes: list[Write] = [self.store.accounts.mark_used(row, since)]
        if account.disabled_at is None:
            writes = [
                self.store.accounts.replace(structs.replace(account, disabled_at=since), old=account),
                *writes,
                *await self.revoker.account(account.id, now=now, reason="account_disabled", sub_entry=True),
                self.audit_log.write(
                    "account.disabled",
                    caller=Caller(),
                    now=now,
                    account_id=account.id,
                    by="directory",
                    reason=reason,
                ),
            ]
        if not await self.store.commit(*writes):
            return False
        if account.disabled_at is None:
            await self.revoker.late(account.id, now=now, reason="account_disabled")
        return True

    def _as_told(
        self,
        account: Account,
        row: EnrolledFactor,
        identity: ExternalIdentity,
        person: DirectoryPerson,
        roles: frozenset[str],
    ) -> tuple[Account, tuple[str, ...], bool]:
        known = self.config.current().roles.values()
        granted = {role.held_as for role in known if role.name in roles}
        held, mapped = roles_after(account.role_names, mapped=identity.mapped_roles, granted=granted)
        back = suspended(row) and account.disabled_at == row.used_at
        changed = structs.replace(
            account,
            name=person.name or account.name,
            given_name=person.given_name or account.given_name,
            family_name=person.family_name or account.family_name,
            role_names=held,
            disabled_at=None if back else account.disabled_at,
        )
        return changed, mapped, back

    def _noted(self, kind: str, account: Account, caller: Caller, now: int) -> Write:
        return self.audit_log.write(kind, caller=caller, now=now, account_id=account.id, by="directory")


def profile(person: DirectoryPerson) -> dict[str, str]:
    """The members of a new account that the entry has."""
    found = {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
    return {member: text for member, text in found.items() if text}


def shown_name(person: DirectoryPerson) -> str:
    """The name there by which the person recognises the connection."""
    return person.names[0] if person.names else person.uid
