"""Revocation: an app hands back a token that it needs no longer (RFC 7009 §2, lines 54 and 55)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.actions.authenticate_client import AuthenticateClient
from doorward.actions.ending import Ending
from doorward.actions.record import Record
from doorward.actions.revocation_view import RevocationView
from doorward.model.caller import Caller
from doorward.model.client import Client
from doorward.model.refusal import Refusal
from doorward.ports.clock import Clock
from doorward.ports.keys import Signer
from doorward.ports.store import Store, Write
from doorward.rules.check import own_token
from doorward.rules.refresh import rotation
from doorward.rules.refresh import text as refresh_text
from doorward.rules.revoke import ending as ending_rule
from doorward.rules.revoke.token import owner


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """A refresh token takes its whole grant with it, access tokens included; an access token goes alone."""

    authenticate: AuthenticateClient
    store: Store
    ending: Ending
    signer: Signer
    record: Record
    clock: Clock
    view: RevocationView
    issuer: str

    async def __call__(
        self, form: Mapping[str, str], *, authorization: str | None, caller: Caller
    ) -> Refusal | None:
        """None when the token holds no longer, which is as true of one that never existed (§2.2)."""
        now = self.clock.now()
        client = await self.authenticate(authorization, form, caller=caller, now=now)
        if isinstance(client, Refusal):
            return client
        token = form.get("token")
        if not token:
            return Refusal("invalid_request", "token is missing.")
        if token.startswith(refresh_text.PREFIX):
            return await self._refresh(token, client, caller, now)
        return await self._access(token, client, caller, now)

    async def _refresh(self, token: str, client: Client, caller: Caller, now: int) -> Refusal | None:
        presented = refresh_text.read(token)
        found = None if presented is None else await self.store.grants.refresh(presented.grant_id)
        if presented is None or found is None or not rotation.belongs(presented, found[0]):
            return None
        # A spent one counts too: whose last answer was lost holds nothing newer, and still wants to be signed out.
        _, grant = found
        refusal = owner(client, grant.client_id)
        if refusal is not None or grant.ended_at is not None:
            return refusal
        await self.store.commit(
            *self.ending.grant(grant, now=now, reason="revoked"),
            self._event(
                client, caller, now, kind="refresh_token", account_id=grant.account_id, grant_id=grant.id
            ),
        )
        return None

    async def _access(self, token: str, client: Client, caller: Caller, now: int) -> Refusal | None:
        claims = own_token.claims(token, self.signer.keys(), issuer=self.issuer, now=now)
        if claims is None:
            return None
        refusal = owner(client, claims["client_id"])
        if refusal is not None or (await self.view.fresh(now)).revoked(claims) is not None:
            return refusal
        jti: str = claims["jti"]
        sub: str = claims["sub"]
        await self.store.commit(
            self.store.revocations.insert(ending_rule.of_token(jti, exp=claims["exp"], now=now)),
            self._event(
                client,
                caller,
                now,
                kind="access_token",
                account_id=None if sub == client.id else sub,
                grant_id=jti.partition(".")[0],
            ),
        )
        return None

    def _event(
        self, client: Client, caller: Caller, now: int, *, kind: str, account_id: str | None, grant_id: str
    ) -> Write:
        return self.record(
            "token.revoked",
            caller=caller,
            now=now,
            account_id=account_id,
            client_id=client.id,
            grant_id=grant_id,
            token_kind=kind,
        )
