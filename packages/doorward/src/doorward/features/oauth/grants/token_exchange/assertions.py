"""Issuer of ID-JAGs: signed statements by which an app gets a token at another server, in the name of the person who signed in to it here
(draft-ietf-oauth-identity-assertion-authz-grant)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.grants.token_exchange.reader import PresentedTokens
from doorward.features.oauth.grants.token_exchange.rules import assertion as rule
from doorward.features.oauth.grants.token_exchange.rules.presented import INVALID
from doorward.features.oauth.grants.token_exchange.rules.request import ExchangeRequest
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.rules import access, id_jag
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.storage.sql.store import Store

TOLD_EVERY: Final = 900
"""Seconds between two audit events about one person, app and server: an app may ask for an ID-JAG with every call."""


class _SignIn(Struct, frozen=True, kw_only=True):
    """The person of an identity assertion, and how they signed in."""

    account_id: str
    session_id: str | None
    auth_time: int
    acr: str
    amr: tuple[str, ...]


class AssertionIssuer(Struct, frozen=True, kw_only=True):
    """Vouches for a sign-in that is alive now; what it issued cannot be revoked, so that it lives for minutes and is used once."""

    store: Store
    random: SecureRandom
    signer: TokenSigner
    view: ServerRevocationView
    presented: PresentedTokens
    audit_log: AuditLog
    issuer: str

    async def issue(
        self, asked: ExchangeRequest, client: Client, policy: ExchangePolicy, request: TokenRequest
    ) -> TokenResponse | OAuthError:
        """The ID-JAG as `access_token`, with `token_type` N_A (RFC 8693 §2.2.1), or the refusal."""
        now = request.now
        there = rule.target(asked, client=client, policy=policy, issuer=self.issuer)
        if isinstance(there, OAuthError):
            return there
        sign_in = await self._sign_in(asked, client, now)
        if isinstance(sign_in, OAuthError):
            return sign_in
        account = await self.store.accounts.get(sign_in.account_id)
        if account is None or account.disabled_at is not None:
            return _gone("the account is gone or disabled")
        claims = id_jag.claims(
            issuer=self.issuer,
            subject=account.id,
            audience=there.audience,
            client_id=there.client_id,
            unique=self.random.token(16),
            now=now,
            ttl=rule.LIFE,
            resource=there.resource,
            scopes=there.scopes,
            auth_time=sign_in.auth_time,
            acr=sign_in.acr,
            amr=sign_in.amr,
        )
        signed = self.signer.sign(claims, typ=id_jag.TYP, alg=access.DEFAULT)
        told = f"{account.id} {client.id} {there.audience}"
        await self.store.commit(
            self.store.replay_cache.claim("id_jag_told", told, now + TOLD_EVERY, now=now),
            self.audit_log.write(
                "token.id_jag_issued",
                caller=request.caller,
                now=now,
                account_id=account.id,
                session_id=sign_in.session_id,
                client_id=client.id,
                audience=there.audience,
                resource=there.resource or "",
                scopes=" ".join(there.scopes),
            ),
        )
        return TokenResponse(
            access_token=signed,
            token_type="N_A",
            expires_in=rule.LIFE,
            scope=" ".join(there.scopes),
            issued_token_type=id_jag.TOKEN_TYPE,
        )

    async def _sign_in(self, asked: ExchangeRequest, client: Client, now: int) -> _SignIn | OAuthError:
        if asked.subject == "refresh_token":
            found = await self.presented.refresh(asked.subject_token, client, now)
            if isinstance(found, OAuthError):
                return found
            return _SignIn(
                account_id=found.subject,
                session_id=found.session_id,
                auth_time=found.auth_time or 0,
                acr=found.acr or "",
                amr=found.amr,
            )
        said = rule.of_id_token(
            asked.subject_token, self.signer.keys(), issuer=self.issuer, client=client, now=now
        )
        if isinstance(said, OAuthError):
            return said
        # an ID token has no id of its own: it ends with its person, its session, and the person's connection with the app
        named: dict[str, Any] = {
            "jti": "",
            "sub": said["sub"],
            "client_id": client.id,
            "iat": said["iat"],
            "sid": said.get("sid"),
        }
        if (await self.view.fresh(now)).revoked(named) is not None:
            return _gone("the session or the person has ended")
        if said.get("sid") is not None:
            session = await self.store.sessions.get(said["sid"])
            # an idle session is not over for its apps: their grants live on, until sign-out or the session's own end
            if session is None or session.ended_at is not None or now >= session.expires_at:
                return _gone("the session has ended")
        if not await self.store.grants.connected(said["sub"], client.id, now, session_id=said.get("sid")):
            return _gone("the person is no longer connected with the app")
        return _SignIn(
            account_id=said["sub"],
            session_id=said.get("sid"),
            auth_time=said["auth_time"],
            acr=said["acr"],
            amr=tuple(said["amr"]),
        )


def _gone(reason: str) -> OAuthError:
    return OAuthError("invalid_request", INVALID.format("subject_token"), reason)
