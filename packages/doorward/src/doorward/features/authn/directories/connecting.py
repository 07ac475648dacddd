"""Connection of an account with a directory by its owner, who is signed in and shows the password of the directory (R89)."""

from __future__ import annotations

from typing import Final, Literal, final

from msgspec import Struct

from doorward.adapters.ldap.target import DirectoryUnavailable
from doorward.core.errors import OAuthError
from doorward.core.login_name import looked_up_as
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.service import AuditLog
from doorward.features.authn.directories.people import DirectoryPeople
from doorward.features.authn.directories.rules.proof import KIND
from doorward.features.authn.directories.source import DirectoryMatch, DirectoryPasswords
from doorward.features.authn.flow.changes import decided, guards, held_methods
from doorward.features.authn.flow.password_source import PasswordAsked
from doorward.features.authn.flow.proving import too_many
from doorward.features.rate_limits.rules.attempts import Guessed, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

GUESSED: Final = Guessed("directory", short=False)
Refused = Literal["wrong", "taken", "over"]


@final
class ConnectDirectory(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner has signed in recently."""

    store: Store
    source: DirectoryPasswords
    people: DirectoryPeople
    throttle: Throttle
    revoker: Revoker
    mail_queue: MailQueue
    audit_log: AuditLog

    async def connected(self, account: Account) -> tuple[str, ...]:
        """The labels of the directories that keep the person's password."""
        labels = {one.name: one.policy.label for one in self.source.directories.values()}
        found = await self.store.external_identities.of_account(account.id)
        return tuple(
            label for name, label in labels.items() if any(one.issuer.endswith(f":{name}") for one in found)
        )

    async def connect(
        self, account: Account, session: Session, *, name: str, password: Secret, caller: Caller, now: int
    ) -> Refused | OAuthError | None:
        """None: from now on the directory's password is the account's, and there is none here. `taken`: somebody has this identity, or the
        account is connected already. `over`: the account changed at every try. Other sessions by the former password end."""
        who = looked_up_as(name)
        guess = await self.throttle.guess(GUESSED, who, account_id=account.id, caller=caller, now=now)
        if isinstance(guess, Wait):
            return too_many(guess, "throttled by person or address")
        asked = PasswordAsked(
            identifier=name, who=who, password=password, account=None, caller=caller, now=now
        )
        try:
            place = await self.source.verified(asked)
        except DirectoryUnavailable as problem:
            return self.source.unavailable(problem)
        if not isinstance(place, DirectoryMatch) or place.person is None:
            await self.store.commit(*self.throttle.missed(guess, now))
            return place if isinstance(place, OAuthError) else "wrong"
        await self.store.commit(*self.throttle.clear(guess.own))
        await self.throttle.forget(guess.own)
        return await decided(
            lambda first: self._connect(account, session, place, who, caller, now, counted=first)
        )

    async def _connect(
        self,
        account: Account,
        session: Session,
        place: DirectoryMatch,
        who: str,
        caller: Caller,
        now: int,
        *,
        counted: bool,
    ) -> Refused | OAuthError | None:
        found, person = await held_methods(self.store, account.id), place.person
        if found is None or person is None:
            return "over"
        if place.identity is not None or any(row.kind == KIND for row in found.rows):
            return "taken"
        if counted and (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return too_many(wait, "changes of methods")
        directory = place.directory
        row, identity = self.people.connection(account.id, directory, person, who=who, now=now)
        mail = owner_mail(
            self.mail_queue, "provider_connected", found.account, caller, now, name=directory.policy.label
        )
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            self.store.accounts.replace(
                found.account.with_password(None, found.account.password_changed_at), old=found.account
            ),
            self.store.accounts.add_factor(row),
            self.store.external_identities.insert(identity),
            *((self.store.messages.insert_mail(mail),) if mail is not None else ()),
            self.audit_log.write(
                "directory.connected",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session.id,
                directory=directory.name,
                factor=row.id,
            ),
            *await self.revoker.others_by(session, ("password",), now=now, reason="revoked"),
        )
        return None if done else "over"
