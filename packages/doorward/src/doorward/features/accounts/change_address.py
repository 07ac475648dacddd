"""Address of an account, added or changed by its owner: the new one is proven by a code before it counts (ASVS 7.5.1: R73)."""

from __future__ import annotations

from typing import Literal, final

from msgspec import Struct, structs

from doorward.core.errors import StoreConflict
from doorward.core.login_name import new_email
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.message import EmailChallenge
from doorward.core.model.session import Session
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.service import AuditLog
from doorward.features.authn.email_challenges.rules import Missed, for_holder
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.flow.changes import guards, held_methods
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.authn.trusted_device.service import TrustedDevices
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

NotAsked = Literal["missing", "invalid", "beyond_ascii", "unchanged", "not_yet"]


@final
class ChangeAddress(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner has signed in recently. No answer tells whether somebody has the new address (R80)."""

    store: Store
    challenges: EmailChallenges
    throttle: Throttle
    factors: OfferedFactors
    routes: DomainRoutes
    gate: NewFactors
    revoker: Revoker
    trusted: TrustedDevices
    mail_queue: MailQueue
    audit_log: AuditLog
    beyond_ascii: bool = True

    @property
    def minutes(self) -> int:
        """How long a code works."""
        return self.challenges.minutes

    def kept_by(self, account: Account) -> RoutedDomain | None:
        """The provider whose people alone have the address of this account: it stays, since with another one they could sign in here past
        that provider."""
        return self.routes.only(account.email)

    async def send(
        self,
        account: Account,
        typed: str,
        *,
        locale: str,
        caller: Caller,
        now: int,
        replaces: EmailChallenge | None = None,
    ) -> EmailChallenge | Wait | RoutedDomain | NotAsked:
        """Send a code to the new address, or its owner another mail. `RoutedDomain`: the old or the new one belongs to a provider alone.
        `not_yet`: an older program runs, which would drop the mail."""
        address = new_email(typed)
        if address is None:
            return "invalid" if typed.strip() else "missing"
        if not self.beyond_ascii and not address.isascii():
            return "beyond_ascii"
        if address == account.email:
            return "unchanged"
        if (routed := self.kept_by(account) or self.routes.only(address)) is not None:
            return routed
        if not await self.gate.open():
            return "not_yet"
        if (wait := await self.throttle.change("address", account.id, now)) is not None:
            return wait
        owner = await self.store.accounts.by_email(address)
        if (wait := await self.throttle.mail(address, owner, caller=caller, now=now)) is not None:
            return wait
        # the same read for a free address (R80)
        rows = await self.store.accounts.factors(owner.id if owner is not None else "usr_nobody")
        spoken = owner.locale if owner is not None and owner.locale else locale
        challenge = await self.challenges.send(
            "address",
            email=address,
            account=owner,
            holder=account,
            locale=account.locale or locale,
            sign_in_id=None,
            payload=for_holder(account),
            caller=caller,
            now=now,
            replaces=replaces,
            ways=self.factors.instead_of_password(owner, rows, spoken),
        )
        return challenge if challenge is not None else "not_yet"

    async def waiting(
        self, account: Account, ticket_id: str, caller: Caller, now: int
    ) -> EmailChallenge | None:
        """The code that was sent for this account from this browser, and was not used."""
        found = await self.challenges.held("address", ticket_id, caller.browser_hash)
        if found is None or found.used_at is not None or found.account_id != account.id:
            return None
        return found if now < found.expires_at and "waiting" not in found.payload else None

    async def confirm(
        self, account: Account, session: Session, ticket_id: str, typed: str, *, caller: Caller, now: int
    ) -> Account | Missed | Wait:
        """The account with its new address. The owner is told at the old one; codes and sign-ins in progress that were for it end (R94)."""
        if await self.waiting(account, ticket_id, caller, now) is None:
            return Missed("used")
        proven = await self.challenges.by_code("address", ticket_id, typed, caller=caller, now=now)
        if isinstance(proven, Missed | Wait):
            return proven
        challenge, found = proven.challenge, await held_methods(self.store, account.id)
        if found is None:
            return Missed("used")
        old = found.account
        mail = owner_mail(self.mail_queue, "address_changed", old, caller, now, address=challenge.email)
        new = None
        if old.email is not None:
            new = owner_mail(self.mail_queue, "address_is_yours", old, caller, now, to=challenge.email)
        try:
            done = await self.store.commit(
                *guards(self.store, found, session_id=session.id),
                self.store.messages.replace_ticket(
                    challenge, structs.replace(challenge, used_at=now, payload={})
                ),
                self.store.accounts.set_email(old, challenge.email, now=now),
                *self.revoker.outstanding(
                    old.id, now=now, keep_device=await self.trusted.here(old, caller, now)
                ),
                self.store.messages.insert_mail(mail),
                self.store.messages.insert_mail(new),
                self.audit_log.write(
                    "account.email_changed",
                    caller=caller,
                    now=now,
                    account_id=old.id,
                    session_id=session.id,
                ),
            )
        except StoreConflict:
            # somebody took the address in this moment
            return Missed("used")
        return structs.replace(old, email=challenge.email, updated_at=now) if done else Missed("used")
