"""The person answers whether the app may (ASVS 10.7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from doorward.actions.advance import Advance
from doorward.actions.outcomes import AskConsent, Denied, Whereabouts
from doorward.model.audit import AuditEvent
from doorward.model.refusal import Refusal
from doorward.model.session import Consent
from doorward.model.signin import SignIn
from doorward.ports.chance import Chance
from doorward.ports.store import Store


@dataclass(frozen=True, slots=True)
class AnswerConsent:
    """Writes the consent down, or the refusal."""

    store: Store
    chance: Chance
    advance: Advance

    async def __call__(
        self, asked: AskConsent, *, allow: bool, where: Whereabouts, now: int
    ) -> SignIn | Denied | None:
        """The sign-in to go on with; `Denied` for the app after Cancel; None when another request was faster."""
        sign_in = asked.sign_in
        event = AuditEvent(
            id=self.chance.new_id("aud"),
            at=now,
            kind="consent.granted" if allow else "consent.denied",
            ok=allow,
            account_id=asked.account.id,
            client_id=asked.client.id,
            address=where.address,
            user_agent=where.user_agent,
            request_id=where.request_id,
            detail={"scopes": list(asked.scopes), "audience": asked.request.audience},
        )
        if not allow:
            done = structs.replace(sign_in, done_at=now)
            if not await self.store.commit(
                self.store.sign_ins.replace(sign_in, done), self.store.audit.append(event)
            ):
                return None
            return self.advance.deny(sign_in, Refusal("access_denied", "The person did not agree."))
        account, audience = asked.account.id, asked.request.audience
        earlier = await self.store.sessions.consent(account, asked.client.id, audience)
        scopes = tuple(dict.fromkeys((*(earlier.scopes if earlier else ()), *asked.scopes)))
        agreed = structs.replace(sign_in, consented=True)
        if not await self.store.commit(
            self.store.sign_ins.replace(sign_in, agreed),
            self.store.sessions.put_consent(Consent(account, asked.client.id, audience, scopes, now)),
            self.store.audit.append(event),
        ):
            return None
        return agreed
