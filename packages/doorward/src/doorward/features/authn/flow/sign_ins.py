"""Sign-ins in progress: the state between two pages, created, loaded and reset."""

from __future__ import annotations

from typing import final

from msgspec import Struct, structs

from doorward.core.errors import ComeBackLater
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.request import AuthRequest
from doorward.core.model.session import Session
from doorward.core.model.signin import SignIn
from doorward.core.ports.random import SecureRandom
from doorward.features.authn.flow.offered import OfferedFactors
from doorward.features.authn.flow.rules import begin
from doorward.features.rate_limits.rules.sign_in_starts import SESSIONS, SignInRateLimiter
from doorward.storage.sql.store import Store


@final
class SignIns(Struct, frozen=True, kw_only=True):
    """Loads and stores sign-ins; the next step is decided elsewhere."""

    store: Store
    random: SecureRandom
    policy: SessionPolicy
    limiter: SignInRateLimiter
    factors: OfferedFactors

    async def begin(
        self,
        *,
        browser_hash: bytes,
        return_to: str | None,
        now: int,
        counted_for: str,
        session: Session | None = None,
        request: AuthRequest | None = None,
        fresh: bool = False,
    ) -> SignIn:
        """A new sign-in of this browser; proofs of `session` count where allowed. `fresh`: everything is shown now, the second step on a
        remembered device too.

        Raises `ComeBackLater` if `counted_for` (an address, an account, or a session that confirms) has begun too many, or `session` its
        part of them: each leaves a row, and one that ends at once in an app a grant and audit events. A stolen session, with which an
        app's silent sign-ins can be repeated at any speed, uses up its own part only (R95).
        """
        own = None if session is None else f"session {session.id}"
        until = self.limiter.full(counted_for, now)
        if until is None and own is not None:
            until = self.limiter.full(own, now, parts=SESSIONS)
        if until is not None:
            raise ComeBackLater(until - now)
        for who in (counted_for, *(() if own is None else (own,))):
            self.limiter.note(who, now)
        sign_in = begin.sign_in(
            sign_in_id=self.random.new_id("sin"),
            now=now,
            ttl=self.policy.sign_in_ttl,
            browser_hash=browser_hash,
            request=request,
            return_to=return_to,
            session=session,
            kinds=self.factors.kinds,
        )
        if fresh:
            sign_in = structs.replace(sign_in, fresh_after=now)
        await self.store.commit(self.store.sign_ins.insert(sign_in))
        return sign_in

    async def get(self, sign_in_id: str) -> SignIn | None:
        """The sign-in as stored now."""
        return await self.store.sign_ins.get(sign_in_id)

    async def emptied(self, sign_in: SignIn) -> SignIn | None:
        """The same sign-in without proofs; None if it was changed concurrently."""
        clean = structs.replace(sign_in, account_id=None, proofs=(), session_id=None, consented=False)
        if clean == sign_in or await self.store.commit(self.store.sign_ins.replace(sign_in, clean)):
            return clean
        return None
