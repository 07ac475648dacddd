"""Consent decision of the person (ASVS 10.7.2)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.session import Consent
from doorward.core.model.signin import SignIn
from doorward.core.ports.mail_queue import MailQueue, owner_mail
from doorward.features.audit.service import AuditLog
from doorward.features.authn.flow.outcomes import AskConsent, AuthorizationError
from doorward.features.authn.flow.sign_in_flow import SignInFlow
from doorward.storage.sql.store import Store

OFFLINE: Final = "offline_access"


class AnswerConsent(Struct, frozen=True, kw_only=True):
    """Stores the consent, or the refusal."""

    store: Store
    audit_log: AuditLog
    mail_queue: MailQueue
    sign_in_flow: SignInFlow

    async def answer(
        self, asked: AskConsent, *, allow: bool, caller: Caller, now: int
    ) -> SignIn | AuthorizationError | None:
        """The sign-in to continue; `AuthorizationError` for the app after Cancel; None after a lost race."""
        sign_in = asked.sign_in
        event = self.audit_log.write(
            "consent.granted" if allow else "consent.denied",
            caller=caller,
            now=now,
            account_id=asked.account.id,
            client_id=asked.client.id,
            ok=allow,
            scopes=[*asked.scopes, *asked.by_name],
            audience=asked.request.audience,
        )
        if not allow:
            done = structs.replace(sign_in, done_at=now)
            declined = self.sign_in_flow.goals.declined(sign_in, asked.account, caller=caller, now=now)
            if not await self.store.commit(self.store.sign_ins.replace(sign_in, done), *declined, event):
                return None
            return await self.sign_in_flow.deny(
                sign_in, OAuthError("access_denied", "The person did not agree.")
            )
        account, audience = asked.account.id, asked.request.audience
        earlier = await self.store.sessions.consent(account, asked.client.id, audience)
        scopes = tuple(dict.fromkeys((*(earlier.scopes if earlier else ()), *asked.scopes, *asked.by_name)))
        # The request is narrowed to the scopes shown: a role assigned meanwhile adds nothing without consent.
        narrowed = structs.replace(asked.request, scopes=asked.scopes)
        agreed = structs.replace(sign_in, consented=True, request=narrowed)
        mail = None
        # each device gets access of its own
        again = asked.device is None and earlier is not None and OFFLINE in earlier.scopes
        if OFFLINE in asked.scopes and not again:
            mail = owner_mail(
                self.mail_queue, "offline_access", asked.account, caller, now, app=asked.client.name
            )
        if not await self.store.commit(
            self.store.sign_ins.replace(sign_in, agreed),
            self.store.sessions.put_consent(Consent(account, asked.client.id, audience, scopes, now)),
            self.store.messages.insert_mail(mail),
            event,
        ):
            return None
        return agreed
