"""Proof of an address by somebody whom a provider or a directory vouches for: the account is made with it, and the sign-in goes on (R90)."""

from __future__ import annotations

from typing import Any, Final, Literal, final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError, StoreConflict
from doorward.core.login_name import new_email
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.message import EmailChallenge
from doorward.core.model.provider import ExternalIdentity, UpstreamSession
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.email_challenges.rules import Missed, for_holder
from doorward.features.authn.email_challenges.service import EmailChallenges
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.new_account import NewAccounts
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.proving import add_proof
from doorward.features.authn.flow.rules.routing import DomainRoutes, RoutedDomain
from doorward.features.authn.flow.rules.standing import mark
from doorward.features.authn.flow.waiting_person import WaitingPerson
from doorward.features.rate_limits.rules.attempts import Wait
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write

WAITS: Final = 1800
"""Seconds for which somebody may take to give an address and prove it."""
NotSent = Literal["missing", "invalid", "beyond_ascii"]
_TRIES: Final = 3


@final
class ProveAddress(Struct, frozen=True, kw_only=True):
    """Every answer about an address is the same whether or not an account has it (R80), and none gives access to that account (R89).
    `beyond_ascii`: whether mail can be sent to addresses with letters of other scripts before the @."""

    store: Store
    random: SecureRandom
    config: ConfigSource
    accounts: NewAccounts
    challenges: EmailChallenges
    throttle: Throttle
    factors: OfferedFactors
    routes: DomainRoutes
    gate: NewFactors
    audit_log: AuditLog
    beyond_ascii: bool = True

    @property
    def minutes(self) -> int:
        """How long a code works."""
        return self.challenges.minutes

    async def possible(self) -> bool:
        """False while an older program runs, which has no such pages."""
        return await self.gate.open()

    async def begin(self, person: WaitingPerson, sign_in: SignIn, *, caller: Caller, now: int) -> str:
        """Store who waits in this browser; the id of the row."""
        waiting = EmailChallenge(
            id=self.random.new_id("tkt"),
            kind="waiting",
            email="",
            # nothing opens it: only the browser that it is bound to goes on with it
            code_hash=digest(self.random.token()),
            link_hash=digest(self.random.token()),
            browser_hash=caller.browser_hash,
            created_at=now,
            expires_at=now + WAITS,
            account_id=person.waits_as,
            sign_in_id=sign_in.id,
            payload=person.payload(),
        )
        await self.store.commit(self.store.messages.insert_ticket(waiting))
        return waiting.id

    async def waiting(self, ticket_id: str, *, caller: Caller, now: int) -> EmailChallenge | None:
        """Who waits, if it is in this browser and not over."""
        found = await self.challenges.held("waiting", ticket_id, caller.browser_hash)
        if found is None or found.used_at is not None or now >= found.expires_at:
            return None
        return found if found.account_id == WaitingPerson.stored(found.payload).waits_as else None

    async def sent(
        self, ticket_id: str, *, caller: Caller, now: int
    ) -> tuple[EmailChallenge, EmailChallenge] | None:
        """The code that was sent, and who waits for it."""
        challenge = await self.challenges.held("address", ticket_id, caller.browser_hash)
        if challenge is None or challenge.used_at is not None or "waiting" not in challenge.payload:
            return None
        waiting = await self.waiting(str(challenge.payload["waiting"]), caller=caller, now=now)
        return None if waiting is None else (challenge, waiting)

    async def send(
        self,
        waiting: EmailChallenge,
        typed: str,
        *,
        locale: str,
        caller: Caller,
        now: int,
        replaces: EmailChallenge | None = None,
    ) -> EmailChallenge | Wait | RoutedDomain | NotSent | None:
        """Send a code to an address, or its owner another mail. None: the code to replace was used meanwhile, or the account has changed.
        `RoutedDomain`: its people sign in at another provider alone."""
        person, address = WaitingPerson.stored(waiting.payload), new_email(typed)
        if address is None:
            return "invalid" if typed.strip() else "missing"
        if not self.beyond_ascii and not address.isascii():
            return "beyond_ascii"
        routed = self.routes.only(address)
        if routed is not None and (person.by, person.source) != ("provider", routed.provider):
            return routed
        holder = await self._holder(person)
        if person.account_id and holder is None:
            return None
        owner = await self.store.accounts.by_email(address)
        wait = await self.throttle.mail(address, owner, caller=caller, now=now)
        if wait is not None:
            return wait
        # the same read for a free address (R80)
        rows = await self.store.accounts.factors(owner.id if owner is not None else "usr_nobody")
        spoken = owner.locale if owner is not None and owner.locale else locale
        return await self.challenges.send(
            "address",
            email=address,
            account=owner,
            holder=holder,
            locale=locale,
            sign_in_id=waiting.sign_in_id,
            payload={"waiting": waiting.id, **(for_holder(holder) if holder is not None else {})},
            caller=caller,
            now=now,
            replaces=replaces,
            via=person.label,
            ways=self.factors.instead_of_password(owner, rows, spoken),
        )

    async def prove(
        self, ticket_id: str, typed: str, *, caller: Caller, now: int
    ) -> tuple[SignIn | None, WaitingPerson] | Missed | Wait:
        """After the right code: the account has the address, and the sign-in the proof of who vouches. None in place of the sign-in: it is over."""
        proven = await self.challenges.by_code("address", ticket_id, typed, caller=caller, now=now)
        if isinstance(proven, Missed | Wait):
            return proven
        found = await self.sent(ticket_id, caller=caller, now=now)
        if found is None:
            return Missed("used")
        challenge, waiting = proven.challenge, found[1]
        person = WaitingPerson.stored(waiting.payload)
        ended = (
            self.store.messages.replace_ticket(
                challenge, structs.replace(challenge, used_at=now, payload={})
            ),
            self.store.messages.replace_ticket(waiting, structs.replace(waiting, used_at=now, payload={})),
        )
        kept = await self._kept(person, challenge.email, ended, caller, now)
        if kept is None:
            return Missed("used")
        account, row = kept
        sign_in = await self.store.sign_ins.get(waiting.sign_in_id or "")
        if sign_in is None or sign_in.browser_hash != caller.browser_hash:
            return None, person
        outcome = await add_proof(
            self.store,
            sign_in,
            account.id,
            Proof(person.proof, person.at, person.amr, against=mark(row)),
            now,
            *self._proven(person, row, sign_in, account, caller, now),
        )
        return (None if isinstance(outcome, OAuthError) else outcome), person

    async def _kept(
        self, person: WaitingPerson, email: str, ended: tuple[Write, ...], caller: Caller, now: int
    ) -> tuple[Account, EnrolledFactor] | None:
        """The account with the address and the row of the connection, stored together with the end of the challenges. None: somebody took the
        address meanwhile, or the account changed."""
        for _ in range(_TRIES):
            known = await self.store.external_identities.by_subject(person.issuer, person.subject)
            if person.account_id and (known is None or known.account_id != person.account_id):
                # disconnected meanwhile
                return None
            if known is not None:
                # the account was there before, or another tab has made it
                held = await self._held(known)
                if held is None:
                    return None
                account, row = held
                writes: list[Write] = []
                if account.email is None:
                    writes = self._added(account, email, caller, now)
                    account = structs.replace(account, email=email, updated_at=now)
            else:
                account, row, writes = await self._made(person, email, caller, now)
            try:
                if await self.store.commit(*ended, *writes):
                    return account, row
            except StoreConflict:
                # somebody took the address in this moment
                return None
            if await self.store.accounts.by_email(email) is not None:
                return None
        return None

    async def _made(
        self, person: WaitingPerson, email: str, caller: Caller, now: int
    ) -> tuple[Account, EnrolledFactor, list[Write]]:
        account = self.accounts.begun(email=email, now=now, **person.profile)
        roles = self.config.current().roles
        wanted = {name: roles[name].held_as for name in person.roles if name in roles}
        given = {name: held for name, held in wanted.items() if held not in account.role_names}
        account = structs.replace(account, role_names=(*account.role_names, *given.values()))
        row = EnrolledFactor(
            id=self.random.new_id("fac"),
            account_id=account.id,
            kind=person.kind,
            created_at=now,
            code_hash=person.mark,
        )
        identity = ExternalIdentity(
            factor_id=row.id,
            account_id=account.id,
            issuer=person.issuer,
            subject=person.subject,
            email=person.shown,
            mapped_roles=tuple(given.values()),
            typed_as=person.typed_as,
        )
        from_there: dict[str, Any] = {person.by: person.source}
        made = await self.accounts.writes(account, by=person.by, caller=caller, now=now, **from_there)
        mapped = self.audit_log.write(
            "account.mapped",
            caller=caller,
            now=now,
            account_id=account.id,
            given=sorted(given),
            removed=[],
            changed=sorted(person.mapped),
            **from_there,
        )
        return (
            account,
            row,
            [
                *(made or ()),
                self.store.accounts.add_factor(row),
                self.store.external_identities.insert(identity),
                *((mapped,) if given or person.mapped else ()),
            ],
        )

    def _added(self, account: Account, email: str, caller: Caller, now: int) -> list[Write]:
        return [
            self.store.accounts.set_email(account, email, now=now),
            self.store.messages.detach_tickets(account.id),
            self.audit_log.write("account.email_changed", caller=caller, now=now, account_id=account.id),
        ]

    def _proven(
        self,
        person: WaitingPerson,
        row: EnrolledFactor,
        sign_in: SignIn,
        account: Account,
        caller: Caller,
        now: int,
    ) -> list[Write]:
        """What a sign-in by this connection stores besides. The first one fails if the connection was ended in this moment."""
        identities = self.store.external_identities
        if person.by == "directory":
            return [identities.signed_in_as(row.id, person.typed_as or "", now)]
        session = UpstreamSession(
            holder=sign_in.id, factor_id=row.id, sid=person.sid, expires_at=sign_in.expires_at
        )
        proven = self.audit_log.write(
            "sign_in.provider_proven",
            caller=caller,
            now=now,
            account_id=account.id,
            provider=person.source,
            method=person.proof,
        )
        return [identities.used(row.id, now), identities.note_session(session), proven]

    async def _holder(self, person: WaitingPerson) -> Account | None:
        """The account that is to have the address, if it is there already and has none."""
        found = await self.store.accounts.get(person.account_id) if person.account_id else None
        return found if found is not None and found.disabled_at is None and found.email is None else None

    async def _held(self, known: ExternalIdentity) -> tuple[Account, EnrolledFactor] | None:
        account = await self.store.accounts.get(known.account_id)
        rows = await self.store.accounts.factors(known.account_id)
        row = next((one for one in rows if one.id == known.factor_id), None)
        if account is None or account.disabled_at is not None or row is None:
            return None
        return account, row
