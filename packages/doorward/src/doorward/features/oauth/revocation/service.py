"""Token revocation by an app (RFC 7009 §2, R54, R55)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.grant import Grant
from doorward.core.model.token_request import TokenRequest
from doorward.core.model.trusted_issuer import ISSUER_PREFIX
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.metrics import Metrics
from doorward.features.audit.service import AuditLog
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.features.oauth.revocation.rules import owner
from doorward.features.oauth.tokens.rules import own_token
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.rate_limits.service import Throttle
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.features.sessions.revoker import Revoker
from doorward.features.sessions.rules import bounds
from doorward.features.sessions.rules import revocation as rule
from doorward.storage.sql.store import Store, Write

TOLD_EVERY: Final = 900
"""Seconds between two audit events about the revocation of all tokens of an app."""


class RevocationService(Struct, frozen=True, kw_only=True):
    """A refresh token is revoked with its whole grant, access tokens included; an access token on its own, unless there are very many.

    Revocation is never refused: otherwise the holder of a stolen token could exhaust the limit, and keep it. The limit applies to
    the number of entries and audit events (`features/sessions/rules/bounds.py`).
    """

    clients: ClientAuthenticator
    store: Store
    revoker: Revoker
    signer: TokenSigner
    audit_log: AuditLog
    throttle: Throttle
    metrics: Metrics
    view: ServerRevocationView
    issuer: str

    async def revoke(self, request: TokenRequest) -> OAuthError | None:
        """None when the token is invalid now, which includes tokens that never existed (§2.2)."""
        client = await self.clients.authenticate(request)
        if isinstance(client, OAuthError):
            return client
        caller, now = request.caller, request.now
        token = request.form.get("token")
        if not token:
            error = OAuthError("invalid_request", "token is missing.")
        elif token.startswith(refresh_text.PREFIX):
            error = await self._refresh(token, client, caller, now)
        else:
            error = await self._access(token, client, caller, now)
        return None if error is None else error.to(client.name)

    async def _refresh(self, token: str, client: Client, caller: Caller, now: int) -> OAuthError | None:
        presented = refresh_text.read(token)
        found = None if presented is None else await self.store.grants.refresh(presented.grant_id)
        if presented is None or found is None or not rotation.belongs(presented, found[0]):
            return None
        # A spent token counts too: after a lost response the app has no newer one, and must still be able to sign out.
        _, grant = found
        error = owner(client, grant.client_id)
        if error is not None or grant.ended_at is not None:
            return error
        await self._end(grant, client, caller, now, kind="refresh_token")
        return None

    async def _access(self, token: str, client: Client, caller: Caller, now: int) -> OAuthError | None:
        claims = own_token.claims(token, self.signer.keys(), issuer=self.issuer, now=now)
        if claims is None:
            return None
        error = owner(client, claims["client_id"])
        if error is not None or (await self.view.fresh(now)).revoked(claims) is not None:
            return error
        # All tokens for assertions of one issuer begin with its id: ending that would end those of other apps and people.
        if claims["sub"] == client.id or claims["jti"].startswith(f"{ISSUER_PREFIX}_"):
            await self._own(claims, client, caller, now)
        else:
            await self._of_person(claims, client, caller, now)
        return None

    async def _of_person(self, claims: Mapping[str, Any], client: Client, caller: Caller, now: int) -> None:
        grant_id: str = claims["jti"].partition(".")[0]
        wait = await self.throttle.revocation(claims["sub"], client.id, now)
        # which of the grant's access tokens was exchanged is not stored: what rests on any of them ends, and is made anew by the next exchange
        resting = self.revoker.resting(grant_id, now)
        if wait is None and await self._alone(claims, grant_id, bounds.OF_GRANT, now, *resting):
            return
        grant = await self.store.grants.get(grant_id)
        if grant is None:
            # a database restored from a backup may not know a grant whose tokens are in use
            await self.store.commit(self.revoker.tokens_of_grant(grant_id, now=now))
        else:
            await self._end(grant, client, caller, now, kind="access_token")

    async def _own(self, claims: Mapping[str, Any], client: Client, caller: Caller, now: int) -> None:
        """Revoke a token that the app got without a grant: for itself, or by an assertion."""
        if await self._alone(claims, client.id, bounds.OF_APP, now):
            return
        if await self.store.commit(self.revoker.own_tokens(client.id, iat=claims["iat"], now=now)):
            self.metrics.inc("revocations", "own_tokens")
            # this may happen once a second, so audit events are limited
            once = self.store.replay_cache.claim("own_tokens", client.id, now + TOLD_EVERY, now=now)
            event = self.audit_log.write(
                "token.revoked", caller=caller, now=now, client_id=client.id, token_kind="own_tokens"
            )
            await self.store.commit(once, event)

    async def _alone(self, claims: Mapping[str, Any], holder: str, most: int, now: int, *also: Write) -> bool:
        """Add an entry for this one token; False if there are too many. It has no audit event: a token lives for minutes, and an app
        that requests many could fill the audit log as fast as the view."""
        entry = rule.of_token(claims["jti"], exp=claims["exp"], now=now, audience=only_audience(claims))
        made = await self.store.commit(
            self.store.revocations.insert_few(entry, holder=holder, most=most, now=now), *also
        )
        if made:
            self.metrics.inc("revocations", "access_token")
        return made

    async def _end(self, grant: Grant, client: Client, caller: Caller, now: int, *, kind: str) -> None:
        """End the whole grant, once: after a concurrent end nothing is written."""
        event = self.audit_log.write(
            "token.revoked",
            caller=caller,
            now=now,
            account_id=grant.account_id,
            client_id=client.id,
            grant_id=grant.id,
            token_kind=kind,
        )
        if await self.store.commit(*self.revoker.grant(grant, now=now, reason="revoked", first=True), event):
            self.metrics.inc("revocations", "grant")


def only_audience(claims: Mapping[str, Any]) -> str | None:
    """The one API that a token is for; None for a list, whose members must all hear of its end."""
    audience: object = claims["aud"]
    return audience if isinstance(audience, str) else None
