"""Codes by mail of a person: an address is proven before it becomes a factor, and its owner may remove it (R73, R84)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, final

from msgspec import Struct

from doorward.core.login_name import new_email
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.sent_code import SentCode
from doorward.core.model.session import Session
from doorward.core.ports.keys import Sealer
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.email_code.factor import ADDRESS_PURPOSE, TRAITS, MailDelivery
from doorward.features.authn.flow.changes import decided, guards, held_methods
from doorward.features.authn.flow.enrolment import NewFactor, Owner
from doorward.features.authn.flow.gate import NewFactors
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules.sent_code import NotYet
from doorward.features.authn.flow.rules.standing import shown_with
from doorward.features.authn.flow.sent_code import CodeSent, SentCodes, Undeliverable
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.features.rate_limits.rules.attempts import CODE, Wait
from doorward.features.rate_limits.service import Throttle
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store

KIND: Final = TRAITS.kind
Deleted: TypeAlias = Literal["gone", "last", "over"] | Wait | None


@final
class OwnMailCodes(Struct, frozen=True, kw_only=True):
    """The caller makes sure that the owner has signed in recently, or has shown a first factor in the sign-in that asks for a second."""

    store: Store
    random: SecureRandom
    sealer: Sealer
    codes: SentCodes
    delivery: MailDelivery
    gate: NewFactors
    throttle: Throttle
    audit_log: AuditLog
    mail_queue: MailQueue
    factors: OfferedFactors
    flow: SignInFlow
    revoker: Revoker
    beyond_ascii: bool = True

    async def send(
        self, owner: Owner, typed: str, *, locale: str, caller: Caller, now: int
    ) -> CodeSent | NotYet | Wait | Undeliverable | Literal["invalid", "beyond_ascii", "closed"]:
        """Send a code to an address, that of the account if none was typed. `closed`: an older program still serves sign-ins."""
        address = new_email(typed) if typed.strip() else owner.account.email
        if address is None:
            return "invalid"
        if not self.beyond_ascii and not address.isascii():
            return "beyond_ascii"
        if not await self.gate.open():
            return "closed"
        return await self.codes.send(
            self.delivery,
            request=_request(owner),
            account=owner.account,
            factor=None,
            target=address,
            locale=locale,
            app=None,
            caller=caller,
            now=now,
        )

    async def waiting(self, owner: Owner, now: int) -> tuple[SentCode, str] | None:
        """The code that was sent and still works, and its address."""
        code = await self.codes.live(KIND, _request(owner), now)
        return None if code is None else (code, self.codes.proven_target(code))

    async def confirm(
        self, owner: Owner, typed: str, *, caller: Caller, now: int
    ) -> NewFactor | Wait | Literal["wrong", "closed"]:
        """The factor, after the right code. It replaces the one before. The guesses are counted apart from those in sign-ins, so that
        nobody is kept out by what somebody types here."""
        account = owner.account
        if not await self.gate.open():
            return "closed"
        guess = await self.throttle.guess(
            CODE, f"enrol:{account.id}", account_id=account.id, caller=caller, now=now
        )
        if isinstance(guess, Wait):
            return guess
        code = await self.codes.match(KIND, _request(owner), typed, now)
        if code is None or code.account_id != account.id:
            if missed := self.throttle.missed(guess, now):
                await self.store.commit(*missed)
            return "wrong"
        if (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        address, factor_id = self.codes.proven_target(code), self.random.new_id("fac")
        own = address == account.email
        factor = EnrolledFactor(
            id=factor_id,
            account_id=account.id,
            kind=KIND,
            created_at=now,
            sealed=None if own else self.sealer.seal(ADDRESS_PURPOSE, factor_id, address.encode()),
        )
        mail = owner_mail(self.mail_queue, "mail_codes_added", account, caller, now, address=address)
        return NewFactor(
            row=factor,
            proof=shown_with(TRAITS, factor, now),
            replaces=True,
            writes=(
                self.store.sent_codes.use(code.id, now),
                self.store.accounts.remove_factors(account.id, KIND),
                self.store.accounts.add_factor(factor),
                self.gate.close_behind(),
                *self.throttle.clear(guess.own),
                self.store.messages.insert_mail(mail),
                self.audit_log.write(
                    "second_factor.added",
                    caller=caller,
                    now=now,
                    account_id=account.id,
                    session_id=owner.session_id,
                    method=KIND,
                ),
            ),
        )

    async def delete(self, account: Account, session: Session, *, caller: Caller, now: int) -> Deleted:
        """Remove the factor. None: it is removed. `gone`: it is not there. `last`: the person has to have a second step, and there is no other.
        `over`: the account changed at every try. Proofs by it end with it, and sign-ins in progress too."""
        return await decided(
            lambda first: self._delete(account, session, caller=caller, now=now, counted=first)
        )

    async def _delete(
        self, account: Account, session: Session, *, caller: Caller, now: int, counted: bool
    ) -> Deleted:
        found = await held_methods(self.store, account.id)
        mine = [] if found is None else [row for row in found.rows if row.kind == KIND]
        if found is None or not mine:
            return "gone"
        account, rows = found.account, found.rows
        others = [row for row in rows if row.kind != KIND]
        if not await self.flow.enough(account, others, now):
            return "last"
        if counted and (wait := await self.throttle.change("methods", account.id, now)) is not None:
            return wait
        mail = owner_mail(
            self.mail_queue,
            "mail_codes_removed",
            account,
            caller,
            now,
            address=self.delivery.target(account, mine[0]),
        )
        done = await self.store.commit(
            *guards(self.store, found, session_id=session.id),
            *(
                self.store.accounts.remove_factors(account.id, kind)
                for kind in self.factors.with_backups(KIND, rows)
            ),
            *self.flow.unmet(account, others),
            *self.revoker.outstanding(account.id, now=now),
            self.store.messages.insert_mail(mail),
            self.audit_log.write(
                "second_factor.removed",
                caller=caller,
                now=now,
                account_id=account.id,
                session_id=session.id,
                method=KIND,
            ),
        )
        return None if done else "over"


def _request(owner: Owner) -> str:
    """A code of an enrolment is never one of a sign-in."""
    return f"enrol:{owner.binding}"
