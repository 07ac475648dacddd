"""Password reset: control of the mailbox allows a new password and nothing else (ASVS 6.4.3, R84)."""

from __future__ import annotations

from msgspec import Struct, structs

from doorward.core.login_name import normalise_email
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.secret import Secret
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.passwords import PasswordHasher
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.email_challenges import rules as challenge_rule
from doorward.features.authn.email_challenges.rules import Missed, Proven, for_ticket, ticket_stands
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.authn.factors.password.rules.password import Weak, prepare
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.authn.providers.dropping import DropConnections
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store, Write


class Reset(Struct, frozen=True):
    """A completed reset. `device_secret` is the value of a new device cookie. The person has proven the mailbox and set the password,
    so this browser counts as known: it may sign in although an attacker has used up the account's attempts (R81)."""

    account: Account
    device_secret: str


class Over(Struct, frozen=True):
    """The challenge was used, has expired, or belongs to another browser; the reset has to begin again."""


class BadAddress(Struct, frozen=True):
    """The text is not an e-mail address."""


class ResetPassword(Struct, frozen=True, kw_only=True):
    """Request a mail, accept the proof of the mailbox, set the new password. No step signs the person in or changes the second factor."""

    store: Store
    random: SecureRandom
    hasher: PasswordHasher
    judge: JudgePassword
    throttle: Throttle
    email_challenges: EmailChallenges
    mail_queue: MailQueue
    revoker: Revoker
    audit_log: AuditLog
    factors: OfferedFactors
    routes: DomainRoutes
    connections: DropConnections

    async def ask(
        self,
        *,
        email: str,
        locale: str,
        sign_in_id: str | None,
        caller: Caller,
        now: int,
        replaces: EmailChallenge | None = None,
    ) -> EmailChallenge | Wait | BadAddress | Over | RoutedDomain:
        """A challenge whether or not the account exists, after the same work (R80). `RoutedDomain`: people of this domain have no password
        here."""
        address = normalise_email(email)
        if address is None:
            return BadAddress()
        if (routed := self.routes.only(address)) is not None:
            return routed
        account = await self.store.accounts.by_email(address)
        wait = await self.throttle.mail(address, account, caller=caller, now=now)
        if wait is not None:
            return wait
        # the same read for unknown addresses (R80)
        rows = await self.store.accounts.factors(account.id if account is not None else "usr_nobody")
        spoken = account.locale if account is not None and account.locale else locale
        challenge = await self.email_challenges.send(
            "reset",
            email=address,
            account=account,
            locale=locale,
            sign_in_id=sign_in_id,
            payload=for_ticket(account),
            caller=caller,
            now=now,
            replaces=replaces,
            instead="password_elsewhere" if self.factors.password_elsewhere(rows) else None,
            ways=self.factors.instead_of_password(account, rows, spoken),
        )
        return challenge if challenge is not None else Over()

    async def again(
        self, ticket_id: str, *, locale: str, caller: Caller, now: int
    ) -> EmailChallenge | Wait | Over:
        """Send another mail; the earlier code and link stop working."""
        old = await self.email_challenges.held("reset", ticket_id, caller.browser_hash)
        if old is None or old.used_at is not None or old.proven_at is not None:
            return Over()
        asked = await self.ask(
            email=old.email,
            locale=locale,
            sign_in_id=old.sign_in_id,
            caller=caller,
            now=now,
            replaces=old,
        )
        return Over() if isinstance(asked, BadAddress | RoutedDomain) else asked

    async def accept(self, proven: Proven, now: int) -> EmailChallenge | Missed:
        """The challenge, stored as proven."""
        challenge = structs.replace(proven.challenge, proven_at=now)
        stored = await self.store.commit(self.store.messages.replace_ticket(proven.challenge, challenge))
        return challenge if stored else Missed("used")

    async def open(
        self, ticket_id: str, browser_hash: bytes, now: int
    ) -> tuple[EmailChallenge, Account, int] | None:
        """The proven challenge, its account and the minimum length of the new password, while the password may still be set."""
        challenge = await self.store.messages.ticket(ticket_id)
        ttl = self.email_challenges.policy.ttl
        if not challenge_rule.usable(challenge, kind="reset", browser_hash=browser_hash, ttl=ttl, now=now):
            return None
        account = (
            await self.store.accounts.get(challenge.account_id)
            if challenge is not None and challenge.account_id is not None
            else None
        )
        if challenge is None or account is None or not ticket_stands(challenge, account):
            return None
        rows = await self.store.accounts.factors(account.id)
        if self.routes.only(account.email) is not None or self.factors.password_elsewhere(rows):
            return None
        return (
            challenge,
            account,
            self.judge.minimum(second_factor=self.factors.beside_password(account, rows)),
        )

    async def set(
        self,
        ticket_id: str,
        password: Secret,
        *,
        end_sessions: bool,
        caller: Caller,
        now: int,
        disconnect: bool = False,
    ) -> Reset | Weak | Over:
        """Set the new password and mail the owner; with `end_sessions`, all sessions and grants end too (ASVS 7.4.3). With `disconnect` so do
        all connected accounts of other services, and then the sessions end in any case. Raises `HashingBusy`."""
        opened = await self.open(ticket_id, caller.browser_hash, now)
        if opened is None:
            return Over()
        challenge, account, _ = opened
        weak = await self.judge.judge(
            password,
            email=account.email or "",
            name=account.name,
            second_factor=await self._second_factor(account),
        )
        if weak is not None:
            return weak
        hashed = await self.hasher.hash(Secret(prepare(password.reveal())))
        changed = account.with_password(hashed, now)
        mail = owner_mail(self.mail_queue, "password_changed", account, caller, now)
        device_secret = self.random.token()
        end_sessions = end_sessions or disconnect
        dropped: list[Write] = []
        if disconnect:
            changed = structs.replace(changed, role_names=await self.connections.roles_left(account))
            dropped = await self.connections.dropped(account, caller=caller, now=now)
        done = await self.store.commit(
            # the account row comes first: of two concurrent resets one waits here, before it locks its challenge
            self.store.accounts.replace(changed, old=account),
            self.store.messages.replace_ticket(challenge, structs.replace(challenge, used_at=now)),
            self.store.messages.insert_mail(mail),
            *((self.store.owner_notices.end_links(account.id, now),) if end_sessions else ()),
            self.audit_log.write("password.reset", caller=caller, now=now, account_id=account.id),
            *dropped,
            *(
                await self.revoker.account(account.id, now=now, reason="password_reset", sub_entry=False)
                if end_sessions
                else (
                    *self.revoker.outstanding(account.id, now=now, reason="password_reset"),
                    # Proofs of a session are compared with the password by their time, so one of the old password would count for the new
                    # one (R94). After the account's row: no later sign-in can be of the old password.
                    self.store.sessions.prove_before(account.id, now),
                )
            ),
            # anyone who knew the old password or used a device before no longer counts as known
            self.store.sessions.remember_device(digest(device_secret), account.id, now),
        )
        if not done:
            return Over()
        if end_sessions:
            await self.revoker.late(account.id, now=now, reason="password_reset")
        return Reset(changed, device_secret)

    async def _second_factor(self, account: Account) -> bool:
        rows = await self.store.accounts.factors(account.id)
        return self.factors.beside_password(account, rows)
