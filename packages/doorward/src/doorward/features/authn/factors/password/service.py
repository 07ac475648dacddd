"""Check of a password, and its proof in a sign-in. Pages and JSON endpoint use the same service (R85)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, final

from msgspec import Struct, field, structs

from doorward.core.errors import OAuthError
from doorward.core.login_name import looked_up_as
from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.secret import Secret
from doorward.core.model.signin import SignIn
from doorward.core.ports.breached import BreachedList
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.authn.factors.password.rules import breach
from doorward.features.authn.factors.password.rules import password as rule
from doorward.features.authn.flow.password_source import PasswordAsked, PasswordSource, ProvenPassword
from doorward.features.authn.flow.proving import GONE, add_proof, too_many, with_proof
from doorward.features.authn.flow.rules.routing import DomainRoutes
from doorward.features.authn.flow.waiting_person import AddressRequired
from doorward.features.rate_limits.rules.attempts import Guess, Guessed, Wait
from doorward.features.rate_limits.rules.sign_in_starts import SignInRateLimiter
from doorward.features.rate_limits.service import Throttle
from doorward.storage.sql.store import Store, Write
from doorward.web.pages.views.said import Said

GUESSED: Final = Guessed("password", short=False)
MISMATCH: Final = "That email and password don't match."
"""The same answer for a wrong password and an unknown account (ASVS 6.3.8)."""

ELSEWHERE: Final = OAuthError(
    "redirect_to_web",
    "People of this domain sign in at their provider. Send them to the sign-in page.",
    "the domain is routed to a provider alone",
)
"""For every address of such a domain, with an account or without (R80)."""


@final
class CheckPassword(Struct, frozen=True, kw_only=True):
    """Checks a password with all protection against guessing: throttling, the same work for unknown names, and audit events; and
    adds its proof to a sign-in. Used at sign-in and wherever a signed-in person types the password
    again."""

    store: Store
    sources: Sequence[PasswordSource]
    throttle: Throttle
    audit_log: AuditLog
    metrics: Metrics
    routes: DomainRoutes = field(default_factory=DomainRoutes)
    limiter: SignInRateLimiter = field(default_factory=SignInRateLimiter)
    breached: BreachedList | None = None
    """The operator's list, if there is one: it may have grown since the password was set."""

    @property
    def problems(self) -> Mapping[str, Said]:
        """The sentences for pages, by the descriptions of refusals other than a wrong password."""
        return {text: said for source in self.sources for text, said in source.problems.items()}

    @property
    def takes_names(self) -> bool:
        """Whether people may have a name other than an address."""
        return len(self.sources) > 1

    async def verify(
        self, identifier: str, password: Secret, *, caller: Caller, now: int, account_id: str | None = None
    ) -> Account | OAuthError:
        """The account, if it exists, is enabled and this is its password; else a refusal that does not distinguish these cases.

        The same reads, writes and hashing take place in every case (R80). Raises `HashingBusy`.
        """
        known = await self.verify_uncommitted(
            identifier, password, caller=caller, now=now, account_id=account_id
        )
        if isinstance(known, OAuthError):
            return known
        await self.store.commit(*known.writes)
        return known.account

    async def verify_uncommitted(
        self, identifier: str, password: Secret, *, caller: Caller, now: int, account_id: str | None = None
    ) -> ProvenPassword | OAuthError:
        """As `verify`, but on success the writes are returned, for the caller's own commit. `account_id`: the person is known already,
        and `identifier` is what they are counted by; not everybody has an address."""
        if self.routes.only(identifier) is not None:
            # decided by the domain before anything is read or counted: the same for every address of it
            return ELSEWHERE
        who, accounts = looked_up_as(identifier), self.store.accounts
        account = await (accounts.by_email(who) if account_id is None else accounts.get(account_id))
        # also where the account is found already: one read less would tell that it exists (R80)
        by_name = await self._owner(who) if account_id is None else None
        owner = account.id if account else by_name
        guess = await self.throttle.guess(GUESSED, who, account_id=owner, caller=caller, now=now)
        if isinstance(guess, Wait):
            self.metrics.inc("sign_ins", "throttled")
            return too_many(guess, "throttled by person or address")
        asked = PasswordAsked(
            identifier=identifier,
            who=who,
            password=password if len(password.reveal()) <= rule.MAX_TYPED else Secret(""),
            account=account,
            caller=caller,
            now=now,
            known=account_id is not None,
        )
        proven = await self._checked(asked)
        if isinstance(proven, AddressRequired):
            # the password was right
            await self.store.commit(*self.throttle.clear(guess.own))
            await self.throttle.forget(guess.own)
            return proven
        if not isinstance(proven, ProvenPassword):
            why = proven or OAuthError("access_denied", MISMATCH, "password" if owner else "unknown")
            return await self._failed(owner, why, guess, caller, now)
        account = proven.account
        leaked: list[Write] = []
        if self.breached is not None and await asyncio.to_thread(
            self.breached.contains, breach.key(password.reveal())
        ):
            leaked.append(
                self.audit_log.write(
                    "sign_in.password_breached", caller=caller, now=now, account_id=account.id, ok=False
                )
            )
        # counted apart from sign-ins by session: otherwise a stolen session could lock its owner out everywhere
        shown = f"password {account.id}"
        if (until := self.limiter.full(shown, now)) is not None:
            # Correct sign-ins are limited too: each writes audit events and creates a session whose end is sent to every API.
            return too_many(Wait(until), "sign-ins of one person")
        self.limiter.note(shown, now)
        # The password is right even if the caller's commit fails, so clearing the counter here gives an attacker no guess.
        await self.throttle.forget(guess.own)
        return structs.replace(proven, writes=(*proven.writes, *leaked, *self.throttle.clear(guess.own)))

    async def _owner(self, who: str) -> str | None:
        found = [await source.owner(who) for source in self.sources]
        return next((one for one in found if one is not None), None)

    async def _checked(self, asked: PasswordAsked) -> ProvenPassword | OAuthError | None:
        for source in self.sources:
            if (found := await source.check(asked)) is not None:
                return found
        return None

    async def prove(
        self,
        sign_in: SignIn,
        identifier: str,
        password: Secret,
        *,
        caller: Caller,
        now: int,
        account_id: str | None = None,
    ) -> SignIn | OAuthError:
        """Add the proof of a password to a stored sign-in. The result is the sign-in as stored now, or a refusal: access_denied (one
        text for all reasons), too_many_attempts with `retry_at`, invalid_session. Raises `HashingBusy`."""
        if sign_in.done_at is not None or now >= sign_in.expires_at:
            return GONE
        known = await self.verify_uncommitted(
            identifier, password, caller=caller, now=now, account_id=account_id
        )
        if isinstance(known, OAuthError):
            return known
        return await add_proof(self.store, sign_in, known.account.id, known.proof, now, *known.writes)

    async def prove_new(
        self, sign_in: SignIn, identifier: str, password: Secret, *, caller: Caller, now: int
    ) -> tuple[SignIn, list[Write]] | OAuthError:
        """For a sign-in that is not stored yet: the changed sign-in, and the writes that store it, for the caller's commit. The
        refusals are those of `prove`, and leave it unstored. Raises `HashingBusy`."""
        known = await self.verify_uncommitted(identifier, password, caller=caller, now=now)
        if isinstance(known, OAuthError):
            return known
        changed = with_proof(sign_in, known.account.id, known.proof)
        return changed, [self.store.sign_ins.insert(changed), *known.writes]

    async def _failed(
        self, account_id: str | None, why: OAuthError, guess: Guess, caller: Caller, now: int
    ) -> OAuthError:
        writes = [
            *self.throttle.missed(guess, now),
            self.audit_log.write(
                "sign_in.failed", caller=caller, now=now, account_id=account_id, ok=False, reason=why.reason
            ),
        ]
        # whether the attempt just counted was the last one allowed: one audit event per window
        if await self.throttle.full(guess.own, now) is not None:
            writes.append(
                self.audit_log.write(
                    "sign_in.throttled", caller=caller, now=now, account_id=account_id, ok=False
                )
            )
        await self.store.commit(*writes)
        self.metrics.inc("sign_ins", "failed")
        return why
