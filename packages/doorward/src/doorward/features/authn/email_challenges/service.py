"""E-mail challenges: a code and a link by mail, from sending (or not, at the same cost) to the proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final
from urllib.parse import quote

from msgspec import Struct, structs

from doorward.core import text
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge, TicketKind
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.email_challenges import rules as mail_code
from doorward.features.authn.email_challenges.rules import Missed, Proven, holder_stands, ticket_stands
from doorward.features.authn.email_challenges.settings import EmailChallengePolicy
from doorward.features.rate_limits.rules.attempts import Guessed, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

LINK_PATHS: Final = {"sign_up": "/verify", "reset": "/reset/link"}
"""A code that replaces a password has no link: it would be opened on another device than the one that signs in."""
_MAILS: Final = {
    "sign_up": "verify_address",
    "address": "confirm_address",
    "reset": "reset_password",
    "sign_in": "sign_in_by_mail",
}
_TAKEN: Final = {"sign_up": "address_taken", "address": "address_in_use"}
"""For kinds that prove an address which no account has yet: the mail without a code that goes to its owner, if there is one."""
_EVENTS: Final = {
    "sign_up": "sign_up.started",
    "reset": "password.reset_asked",
    "sign_in": "sign_in.code_asked",
    "address": "account.email_asked",
}
_TRIES: Final = 8
GUESSED: Final = Guessed("mail_code")
_CODE_PURPOSE: Final = "mail-code"


@final
class EmailChallenges(Struct, frozen=True, kw_only=True):
    """Used by sign-up, reset, and sign-in by mail. `issuer` has no trailing slash: links are built from it, never from a Host header."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    mail_queue: MailQueue
    throttle: Throttle
    audit_log: AuditLog
    policy: EmailChallengePolicy
    issuer: str

    @property
    def minutes(self) -> int:
        """How long a code works."""
        return self.policy.ttl // 60

    async def send(
        self,
        kind: TicketKind,
        *,
        email: str,
        account: Account | None,
        locale: str,
        sign_in_id: str | None,
        payload: dict[str, Any],
        caller: Caller,
        now: int,
        replaces: EmailChallenge | None = None,
        instead: str | None = None,
        ways: Sequence[str] = (),
        holder: Account | None = None,
        via: str = "",
    ) -> EmailChallenge | None:
        """Create the challenge and queue the mail, in one transaction. None: the challenge to replace was used in between. `account` has the
        address. `ways`: what the owner of the account signs in with, if they have no password; only the mail says it. For an `address`:
        `holder` is the account that is to have it, None for one that is not made yet; `via` is what people call the service by which they
        come.

        A sign-up for a taken address and a reset for an unknown one also create a challenge, but its code and link are never sent. The
        owner of a taken address gets another mail; the mail for an unknown address is written and discarded (R80). `instead`: the kind of a mail without code
        and link that the owner gets, since no code would be of use.
        """
        free = kind in _TAKEN
        live = account is None if free else account is not None and account.disabled_at is None
        live = live and instead is None
        about = holder if kind == "address" else account
        ticket_id, code, link = (
            self.random.new_id("tkt"),
            self.random.digits(mail_code.DIGITS[kind]),
            self.random.token(),
        )
        challenge = EmailChallenge(
            id=ticket_id,
            kind=kind,
            email=email,
            code_hash=self._code_hash(ticket_id, code if live else self.random.token()),
            link_hash=digest(link if live else self.random.token()),
            browser_hash=caller.browser_hash,
            created_at=now,
            expires_at=now + self.policy.ttl,
            account_id=about.id if about else None,
            sign_in_id=sign_in_id,
            payload=payload,
        )
        spoken = account.locale if account is not None and account.locale else locale
        values: dict[str, Any] = {"code": code, "minutes": self.minutes}
        if kind in LINK_PATHS:
            values["link"] = f"{self.issuer}{LINK_PATHS[kind]}?token={quote(link)}"
        named: dict[str, Any] = {} if kind == "sign_in" else {"ways": tuple(ways)}
        named |= {"via": via} if kind == "address" else {}
        if not free:
            values |= named
        elif not live:
            # the owner of a taken address gets no code
            values = named
        elif kind == "address":
            values["via"] = via
        mail = self.mail_queue.write(
            instead or (_TAKEN[kind] if free and not live else _MAILS[kind]),
            to=email,
            locale=spoken,
            now=now,
            values=values if instead is None else {},
            ticket_id=ticket_id if live else None,
        )
        writes: list[Write] = []
        if replaces is not None:
            writes.append(
                self.store.messages.replace_ticket(replaces, structs.replace(replaces, used_at=now))
            )
        writes.append(self.store.messages.insert_ticket(challenge))
        # The same statements run whether or not the address has an account, because their timing would reveal it (R80): the mail for
        # an unknown address is written and discarded in one commit.
        told = live or free or instead is not None
        writes += [
            self.store.messages.insert_mail(mail),
            self.store.messages.discard_mail("" if told else mail.id),
        ]
        writes.append(
            self.audit_log.write(_EVENTS[kind], caller=caller, now=now, account_id=challenge.account_id)
        )
        return challenge if await self.store.commit(*writes) else None

    async def by_code(
        self, kind: TicketKind, ticket_id: str, typed: str, *, caller: Caller, now: int
    ) -> Proven | Missed | Wait:
        """The proof after a correct code, with the challenge as stored now. The caller marks it as used in its own commit.

        Guesses are counted on the challenge. They are also counted across all challenges of the address, so that new mails give no new
        guesses, and per network of the requester, so that requests for other people's addresses give none either. The link stays
        valid, so that an attacker's guesses do not lock the owner out.
        """
        challenge = await self.held(kind, ticket_id, caller.browser_hash)
        if challenge is None:
            return Missed("unknown")
        who = f"{kind}:{challenge.email}"
        guess = await self.throttle.guess(
            GUESSED, who, account_id=challenge.account_id, caller=caller, now=now
        )
        if isinstance(guess, Wait):
            return guess
        counted = await self._count(challenge)
        if counted is None:
            return Missed("used")
        shown = mail_code.by_code(
            counted,
            self._code_hash(counted.id, text.code(typed)),
            kind=kind,
            browser_hash=caller.browser_hash,
            max_tries=self.throttle.policy.per_code,
            now=now,
        )
        if isinstance(shown, Missed):
            if missed := self.throttle.missed(guess, now):
                await self.store.commit(*missed)
            return shown
        if not await self._stands(counted):
            return Missed("used")
        await self.store.commit(*self.throttle.clear(guess.own))
        await self.throttle.forget(guess.own)
        return shown

    async def by_link(self, kind: TicketKind, token: str, browser_hash: bytes, now: int) -> Proven | Missed:
        """The proof by a link. Nothing is written, so a GET may call this."""
        challenge = await self.store.messages.ticket_by_link(digest(token[:200]))
        shown = mail_code.by_link(challenge, kind=kind, browser_hash=browser_hash, now=now)
        if isinstance(shown, Missed) or await self._stands(shown.challenge):
            return shown
        return Missed("used")

    async def held(self, kind: TicketKind, ticket_id: str, browser_hash: bytes) -> EmailChallenge | None:
        """The challenge, in any state, if this browser requested it."""
        challenge = await self.store.messages.ticket(ticket_id)
        if challenge is None or challenge.kind != kind or challenge.browser_hash != browser_hash:
            return None
        return challenge

    async def problem(self, ticket_id: str, now: int) -> str | None:
        """Why the code in a queued mail no longer works, in a few words for the log; None while it works. A mail that was delayed past
        the end of its code only misleads. Raises `StoreUnavailable`."""
        challenge = await self.store.messages.ticket(ticket_id)
        if challenge is None or now >= challenge.expires_at:
            return "its code has expired"
        if challenge.used_at is not None or challenge.proven_at is not None:
            return "its code was used or replaced"
        if not await self._stands(challenge):
            return "its code was for a password or an account that is another now"
        return None

    async def finished_reset(self, ticket_id: str, browser_hash: bytes) -> str | None:
        """The address whose password this browser has just reset, for the sign-in page."""
        challenge = await self.held("reset", ticket_id, browser_hash)
        return challenge.email if challenge is not None and challenge.used_at is not None else None

    async def _stands(self, challenge: EmailChallenge) -> bool:
        # a sign-up is for an unused address; whether it is still free is decided when the account is created
        if challenge.kind == "sign_up":
            return True
        account = await self.store.accounts.get(challenge.account_id or "")
        stands = holder_stands if challenge.kind == "address" else ticket_stands
        return stands(challenge, account)

    async def _count(self, challenge: EmailChallenge) -> EmailChallenge | None:
        for _ in range(_TRIES):
            counted = structs.replace(challenge, tries=challenge.tries + 1)
            if await self.store.commit(self.store.messages.replace_ticket(challenge, counted)):
                return counted
            found = await self.store.messages.ticket(challenge.id)
            if found is None or found.used_at is not None or found.proven_at is not None:
                return None
            challenge = found
        return None

    def _code_hash(self, ticket_id: str, code: str) -> bytes:
        # A plain hash of six digits is reversed at once; with a MAC under the server's key a stolen database reveals nothing.
        return self.sealer.tag(_CODE_PURPOSE, f"{ticket_id}:{code}").encode("ascii")
