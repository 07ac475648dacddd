"""Token issuer: signed tokens from an entitlement. All access and ID tokens are made here."""

from __future__ import annotations

from msgspec import Struct, field

from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.grant import Grant
from doorward.core.model.policy import TokenPolicy
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.clients.rules.entitle import Granted, entitle
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.rules import access, id_token
from doorward.features.oauth.tokens.rules.entitlement import of_grant
from doorward.features.oauth.tokens.snapshot_cache import SnapshotCache

_Key = tuple[str, str, tuple[str, ...], tuple[str, ...]]


class TokenIssuer(Struct, frozen=True, kw_only=True):
    """Signs before any write, so that no transaction waits for a key."""

    config: ConfigSource
    signer: TokenSigner
    random: SecureRandom
    policy: TokenPolicy
    issuer: str
    granted: SnapshotCache[_Key, Granted] = field(default_factory=SnapshotCache[_Key, Granted])

    def for_client(self, entitlement: Entitlement, client: Client, now: int) -> TokenResponse:
        """An access token only (client credentials)."""
        ttl = access.lifetime(client, self.policy)
        return TokenResponse(
            access_token=self._access(entitlement, client, ttl, now),
            token_type="Bearer",
            expires_in=ttl,
            scope=" ".join(entitlement.scopes),
        )

    def derived(
        self,
        entitlement: Entitlement,
        client: Client | None,
        *,
        until: int | None,
        now: int,
        issued_token_type: str | None = None,
    ) -> TokenResponse:
        """An access token made from something that was issued before: another token, an API key, an assertion. Neither a refresh token nor
        an ID token comes with it (RFC 8693 §2.2.1, RFC 7521 §4.1).

        `entitlement.grant_id` is the id whose end revokes the token, `until` the time (seconds) that it does not outlive, after `now`.
        `client` is None where no app takes part.
        """
        ttl = access.lifetime(client, self.policy)
        if until is not None:
            ttl = min(ttl, until - now)
        return TokenResponse(
            access_token=self._access(entitlement, client, ttl, now),
            token_type="Bearer",
            expires_in=ttl,
            scope=" ".join(entitlement.scopes),
            issued_token_type=issued_token_type,
        )

    def for_person(
        self,
        grant: Grant,
        account: Account,
        client: Client,
        *,
        scopes: tuple[str, ...],
        refresh_token: str | None,
        first: bool,
        now: int,
    ) -> TokenResponse:
        """An access token, an ID token when `scopes` contain openid, and the given refresh token."""
        config = self.config.current()
        granted = self._granted(grant.audience, account, client, config, scopes)
        entitlement = of_grant(grant, account=account, granted=granted)
        # No token outlives its grant, whose end is absolute.
        ttl = min(access.lifetime(client, self.policy), grant.expires_at - now)
        token = self._access(entitlement, client, ttl, now)
        id_said = None
        if "openid" in entitlement.scopes:
            id_said = self.signer.sign(
                id_token.claims(
                    grant,
                    account=account,
                    client=client,
                    config=config,
                    scopes=entitlement.scopes,
                    access_token=token,
                    issuer=self.issuer,
                    now=now,
                    ttl=self.policy.id_ttl,
                    first=first,
                ),
                typ=id_token.TYP,
                alg=client.id_token_signed_alg,
            )
        return TokenResponse(
            access_token=token,
            token_type="Bearer",
            expires_in=ttl,
            scope=" ".join(entitlement.scopes),
            refresh_token=refresh_token,
            id_token=id_said,
        )

    def _granted(
        self, audience: str, account: Account, client: Client, config: ConfigSnapshot, scopes: tuple[str, ...]
    ) -> Granted:
        key = (client.id, audience, scopes, account.role_names)
        granted = self.granted.get(config, client, key)
        if granted is None:
            granted = entitle(
                config=config,
                client=client,
                audience=audience,
                scopes=scopes,
                role_names=account.role_names,
            )
            self.granted.keep(config, client, key, granted)
        return granted

    def _access(self, entitlement: Entitlement, client: Client | None, ttl: int, now: int) -> str:
        said = access.claims(
            entitlement,
            issuer=self.issuer,
            now=now,
            ttl=ttl,
            unique=self.random.token(16),
            may_act=None if client is None else client.may_act,
        )
        alg, typ = access.form(client, self.config.current().apis.get(entitlement.audience))
        return self.signer.sign(said, typ=typ, alg=alg)
