"""Logout: the session and its grants end, and the apps are notified (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.session import EndReason, Session
from doorward.core.ports.keys import TokenSigner
from doorward.features.audit.service import AuditLog
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.logout.notify import FirstTries
from doorward.features.oauth.logout.rules import logout as rule
from doorward.features.oauth.tokens.id_token_hints import read_id_token_hint
from doorward.features.sessions.revoker import Revoker
from doorward.storage.sql.store import Store


class SignOutAction(Struct, frozen=True, kw_only=True):
    """Decides on the requests of apps, and ends sessions."""

    store: Store
    clients: ClientDirectory
    revoker: Revoker
    audit_log: AuditLog
    signer: TokenSigner
    first_tries: FirstTries
    issuer: str

    async def decide(
        self, params: Mapping[str, str], asking: rule.Asking, *, now: int
    ) -> rule.SignOut | OAuthError:
        """Decide on the parameters of /logout. An invalid hint counts as none, so the person is asked (R75)."""
        token = params.get("id_token_hint")
        hint = read_id_token_hint(token, signer=self.signer, issuer=self.issuer) if token else None
        if hint is not None and hint.sid is not None:
            asking = structs.replace(asking, hinted=await self.store.sessions.get(hint.sid))
        named = rule.named(params.get("client_id"), hint)
        return rule.decide(
            client=await self.clients.find(named),
            now=now,
            asking=asking,
            hint=hint,
            bad_hint=bool(token) and hint is None,
            client_id=params.get("client_id"),
            target=params.get("post_logout_redirect_uri"),
            state=params.get("state"),
        )

    async def end(
        self, session: Session, *, reason: EndReason, client_id: str | None, caller: Caller, now: int
    ) -> None:
        """End the session and everything that depends on it, with an audit event, and give apps a moment to hear of it."""
        await self.end_all([(session, reason)], client_id=client_id, caller=caller, now=now)

    async def end_all(
        self, ended: Sequence[tuple[Session, EndReason]], *, client_id: str | None, caller: Caller, now: int
    ) -> None:
        """End several sessions as `end` does, each for its reason, with one wait for the apps of all."""
        for session, reason in ended:
            event = self.audit_log.write(
                "session.ended",
                caller=caller,
                now=now,
                account_id=session.account_id,
                session_id=session.id,
                client_id=client_id,
                reason=reason,
            )
            writes = await self.revoker.session(session, now=now, reason=reason, first=True)
            await self.store.commit(*writes, event)
            await self.revoker.late_in(session, now=now, reason=reason)
        await self.first_tries.of(*(session.id for session, _ in ended))
