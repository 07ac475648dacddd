"""Dispatcher of a sign-in: the next step, or the result. Pages and JSON endpoint share it, so that neither can skip a factor or consent
(R85)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.caller import Caller
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.levels import AAL2, wanted
from doorward.core.model.policy import SecondFactorPolicy
from doorward.core.model.session import Session
from doorward.core.model.signin import Proof, SignIn
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.authn.flow.factor import Factor
from doorward.features.authn.flow.finish import SignInCompletion
from doorward.features.authn.flow.goal import SignInGoals
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.outcomes import (
    AskConsent,
    AuthorizationError,
    Conflict,
    EnrolmentRequired,
    FactorRequired,
    Next,
)
from doorward.features.authn.flow.remembered import DeviceToRemember, HeldDevice, RememberedDevices
from doorward.features.authn.flow.risk import REFUSED, Judged, RiskJudge, needs_mailbox, rows_of, stored
from doorward.features.authn.flow.rules import begin
from doorward.features.authn.flow.rules.assurance import counting
from doorward.features.authn.flow.rules.policy import StepDemand, demand
from doorward.features.authn.flow.rules.risk_mark import (
    ASKS,
    KEEPS_OUT,
    mark,
    marked,
    marks,
    raised,
    unmarked,
)
from doorward.storage.sql.store import Store, Write


@final
class SignInFlow(Struct, frozen=True, kw_only=True):
    """Applies the rules in the order of the flow: factors, enrolment, expectations of the app, consent; then finishes."""

    store: Store
    config: ConfigSource
    policy: SecondFactorPolicy
    factors: OfferedFactors
    goals: SignInGoals
    completion: SignInCompletion
    remembered: RememberedDevices | None = None
    risk: RiskJudge | None = None
    mailed: bool = False
    """Whether mail reaches people, or the development outbox."""

    async def next(
        self,
        sign_in: SignIn,
        *,
        session: Session | None,
        caller: Caller,
        now: int,
        first: list[Write] | None = None,
    ) -> Next:
        """`session` is this browser's live session (None for the JSON endpoint); `now` in seconds.

        `first` are writes on which the sign-in depends: they are committed together with its end (`Finished`), or with a verdict on it:
        then the list is emptied."""
        first = [] if first is None else first
        checked = await self._without_void_proofs(sign_in, session)
        if checked is None:
            return Conflict(sign_in)
        sign_in = checked
        account = await self._account(sign_in)
        if account is None:
            return await self._require(sign_in, self.factors.first)
        rows = await self._rows(sign_in, account)
        proofs = self._standing(sign_in, account, rows)
        if proofs != sign_in.proofs:
            # stored, so that the pages see the same proofs and ask for the missing one
            kept = structs.replace(sign_in, proofs=proofs)
            if not await self.store.commit(self.store.sign_ins.replace(sign_in, kept)):
                return Conflict(sign_in)
            sign_in = kept
        judged = await self._judged(sign_in, account, caller, now)
        if judged.writes:
            said = await self._said(sign_in, account, judged, first, now)
            if isinstance(said, AuthorizationError | Conflict):
                return said
            sign_in, rows = said, await self._rows(said, account)
        asked, row = await self._demand(sign_in, account, rows, now)
        held: HeldDevice | None = None
        acceptable = self.factors.next(sign_in, account, rows, demand=asked)
        if acceptable and asked.rememberable and self.remembered is not None and self._begun(sign_in):
            held = await self.remembered.holds(account, rows, caller, now)
        if held is not None:
            asked = asked.lowered()
            acceptable = self.factors.next(sign_in, account, rows, demand=asked)
        if acceptable:
            return await self._require(sign_in, acceptable)
        # what a verdict asks besides replaces nothing that has to be set up
        own = rows if asked.because == "risk" else stored(rows)
        if not self.factors.met(sign_in, account, own, demand=asked):
            outcome = await self._enrol(sign_in, account, asked, row, now)
            if outcome is not None:
                return outcome
        achieved = self.factors.achieved(counting(sign_in.proofs, sign_in.fresh_after))
        permitted = await self.goals.permit(sign_in, account, achieved)
        if isinstance(permitted, AskConsent | AuthorizationError):
            return permitted
        return await self.completion.commit(
            sign_in,
            account=account,
            achieved=achieved,
            permitted=permitted,
            old=session,
            caller=caller,
            now=now,
            first=first,
            held=held,
            judged=judged,
        )

    async def deny(self, sign_in: SignIn, error: OAuthError) -> AuthorizationError:
        """The refusal as a response to the app (OAuth 2.1 §4.1.2.1), if there is an app to which the person may be redirected."""
        return await self.goals.deny(sign_in, error)

    async def acceptable(self, sign_in: SignIn, now: int) -> tuple[Account | None, tuple[Factor, ...]]:
        """The account of the sign-in, and the factors that its pages may ask for next. Invalid proofs are ignored, and nothing is
        written."""
        account = await self._account(sign_in)
        if account is None:
            return None, self.factors.first
        rows = await self._rows(sign_in, account)
        standing = structs.replace(sign_in, proofs=self._standing(sign_in, account, rows))
        asked, _ = await self._demand(standing, account, rows, now)
        return account, self.factors.next(standing, account, rows, demand=asked)

    async def enrolment(
        self, sign_in: SignIn, *, session: Session | None, now: int
    ) -> EnrolmentRequired | None:
        """What the person may set up now in this sign-in; None unless a first factor stands, a second step is demanded, and the person
        has no factor for it. Nothing is written."""
        if sign_in.session_id is not None and (session is None or session.id != sign_in.session_id):
            return None
        account = await self._account(sign_in)
        if account is None:
            return None
        rows = await self._rows(sign_in, account)
        standing = structs.replace(sign_in, proofs=self._standing(sign_in, account, rows))
        if not self._begun(standing):
            return None
        asked, _ = await self._demand(standing, account, rows, now)
        if self.factors.next(standing, account, rows, demand=asked):
            return None
        if asked.because is None or asked.because == "risk":
            return None
        rows = stored(rows)
        if self.factors.met(standing, account, rows, demand=asked):
            return None
        return EnrolmentRequired(sign_in, account, asked.kinds, asked.because, asked.grace_until, rows)

    async def enough(self, account: Account, left: Sequence[EnrolledFactor], now: int) -> bool:
        """Whether the person would meet every standing demand with only the factors `left`: the last second step cannot be removed while
        the settings, a role or an operator demand one."""
        config = self.config.current()
        asked = demand(
            self.policy,
            roles=config.held(account),
            client=None,
            row=await self.store.factor_demands.get(account.id),
            enrolled=False,
            acr=None,
            prompted=False,
            now=now,
        )
        return asked.steps == 1 or self.factors.two_steps(account, left)

    async def complete(self, session: Session, account: Account, now: int) -> bool:
        """Whether a session has all that a change of sign-in methods asks for, whatever a remembered device replaced at its start: the
        steps that are demanded of the person now, and the highest level up to AAL2 that they can reach (NIST SP 800-63B-4 §4.1.2). Who
        shows less adds no factor with which they would reach more, and a session from before a factor was set up changes none."""
        rows = await self.store.accounts.factors(account.id)
        shown = begin.sign_in(
            sign_in_id="",
            now=now,
            ttl=0,
            browser_hash=None,
            request=None,
            session=session,
            kinds=self.factors.kinds,
        )
        standing = structs.replace(shown, proofs=self.factors.standing(shown.proofs, account, rows))
        asked, _ = await self._demand(standing, account, rows, now)
        asked = structs.replace(asked, acr=await self._highest(account, rows))
        return not self.factors.next(standing, account, rows, demand=asked)

    async def _highest(self, account: Account, rows: Sequence[EnrolledFactor]) -> str | None:
        """AAL2 if the person can reach it with what they have set up or used."""
        own = await self.factors.reliable(account, rows)
        return AAL2 if self.factors.reach(AAL2, account, own) else None

    def unmet(self, account: Account, left: Sequence[EnrolledFactor]) -> tuple[Write, ...]:
        """What is stored when a person removes a factor, and with the factors `left` has no second step any more."""
        if self.factors.two_steps(account, left):
            return ()
        return (self.store.factor_demands.removed(account.id),)

    async def new_device(self, sign_in: SignIn, caller: Caller, now: int) -> DeviceToRemember | None:
        """The device of a request that shows the second step of this sign-in, to be remembered. None where it may not be, or where
        nobody has shown a first factor."""
        account = await self._account(sign_in)
        if account is None or await self.rememberable(sign_in, account, now) is None:
            return None
        return None if self.remembered is None else await self.remembered.new(account, caller, now)

    async def rememberable(self, sign_in: SignIn, account: Account, now: int) -> int | None:
        """For how many seconds the device may be remembered when the second step of this sign-in is shown; None: it may not."""
        rows = await self._rows(sign_in, account)
        standing = structs.replace(sign_in, proofs=self._standing(sign_in, account, rows))
        if self.remembered is None or not self._begun(standing):
            return None
        asked, _ = await self._demand(standing, account, rows, now)
        return self.remembered.seconds if asked.rememberable else None

    async def _demand(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor], now: int
    ) -> tuple[StepDemand, FactorDemand | None]:
        """What this sign-in has to show, and what is stored about the person."""
        request, config = sign_in.request, self.config.current()
        row = await self.store.factor_demands.get(account.id)
        if request is not None:
            acr = wanted(request.acr_values)
        else:
            # before a change of sign-in methods
            acr = await self._highest(account, rows) if sign_in.fresh_after is not None else None
        asked = demand(
            self.policy,
            roles=config.held(account),
            # no app that registered itself requires a second factor
            client=config.clients.get(request.client_id) if request is not None else None,
            row=row,
            enrolled=self.factors.second_factor(account, stored(rows)),
            acr=acr,
            prompted=sign_in.fresh_after is not None,
            now=now,
        )
        return raised(asked, marked(sign_in.proofs)), row

    async def _enrol(
        self, sign_in: SignIn, account: Account, asked: StepDemand, row: FactorDemand | None, now: int
    ) -> EnrolmentRequired | AuthorizationError | None:
        """A second step is missing, and the person has no factor for it. None: they have put it off in this sign-in, and may."""
        if asked.because == "risk":
            # all that this person can show was shown: nobody is kept out for having nothing else
            return None
        postponed = row is not None and row.postponed == sign_in.id
        if postponed and asked.grace_until is not None:
            return None
        if row is None or row.asked_at is None:
            # the grace period begins
            await self.store.commit(self.store.factor_demands.asked(account.id, now))
        if sign_in.request is not None and "none" in sign_in.request.prompt:
            return await self.deny(
                sign_in, OAuthError("interaction_required", "The person has to set up a second step.")
            )
        if not asked.kinds or asked.because is None:
            say = "This sign-in needs a second step, and this account has none."
            return await self.deny(sign_in, OAuthError("unmet_authentication_requirements", say))
        return EnrolmentRequired(sign_in, account, asked.kinds, asked.because, asked.grace_until)

    async def _judged(self, sign_in: SignIn, account: Account, caller: Caller, now: int) -> Judged:
        """The verdict on this sign-in, once; nothing is said of one that rests on a session, whose device the account knows."""
        if self.risk is None or sign_in.session_id is not None or not self._begun(sign_in):
            return Judged()
        judged = await self.risk.judge(sign_in, account, caller, now)
        return judged if marked(sign_in.proofs) is None else structs.replace(judged, writes=())

    async def _said(
        self, sign_in: SignIn, account: Account, judged: Judged, first: list[Write], now: int
    ) -> SignIn | AuthorizationError | Conflict:
        """Store the verdict: the sign-in with its mark, or its refusal."""
        verdict, keeps_out = judged.verdict, judged.verdict in KEEPS_OUT
        rows = await self.store.accounts.factors(account.id)
        if verdict in ASKS and not self.mailed and needs_mailbox(self.factors, sign_in, account, rows):
            # nobody could answer, since no mail leaves this server
            verdict = "allow"
        said = structs.replace(
            sign_in,
            proofs=(*sign_in.proofs, mark(verdict, now)),
            done_at=now if keeps_out else None,
        )
        if not await self.store.commit(*first, self.store.sign_ins.replace(sign_in, said), *judged.writes):
            return Conflict(sign_in)
        first.clear()
        if not keeps_out:
            return said
        if verdict == "end" and self.risk is not None:
            await self.risk.ended(account, now)
        return await self.deny(said, REFUSED)

    async def _rows(self, sign_in: SignIn, account: Account) -> Sequence[EnrolledFactor]:
        """The factors of the person. Where a verdict asks for one more step and they have none, the address of the account is one."""
        rows = await self.store.accounts.factors(account.id)
        return rows_of(self.factors, sign_in, account, rows)

    def _standing(
        self, sign_in: SignIn, account: Account, rows: Sequence[EnrolledFactor]
    ) -> tuple[Proof, ...]:
        """The proofs that still count, and the mark of a verdict."""
        kept = self.factors.standing(sign_in.proofs, account, rows)
        if len(kept) == len(unmarked(sign_in.proofs)):
            return sign_in.proofs
        return (*kept, *marks(sign_in.proofs))

    def _begun(self, sign_in: SignIn) -> bool:
        return self.factors.begun(counting(sign_in.proofs, sign_in.fresh_after))

    async def _require(
        self, sign_in: SignIn, acceptable: tuple[Factor, ...]
    ) -> FactorRequired | AuthorizationError:
        if sign_in.request is not None and "none" in sign_in.request.prompt:
            return await self.deny(sign_in, OAuthError("login_required", "The person has to sign in."))
        return FactorRequired(sign_in, acceptable)

    async def _without_void_proofs(self, sign_in: SignIn, session: Session | None) -> SignIn | None:
        """The sign-in without proofs from a session that has ended (signed out in another tab). None: a concurrent change won."""
        if sign_in.session_id is None or (session is not None and session.id == sign_in.session_id):
            return sign_in
        clean = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
        return clean if await self.store.commit(self.store.sign_ins.replace(sign_in, clean)) else None

    async def _account(self, sign_in: SignIn) -> Account | None:
        if sign_in.account_id is None:
            return None
        account = await self.store.accounts.get(sign_in.account_id)
        return account if account is not None and account.disabled_at is None else None
