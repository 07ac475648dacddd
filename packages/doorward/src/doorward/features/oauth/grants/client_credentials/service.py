"""Client credentials grant: an access token for the app itself (OAuth 2.1 §4.2)."""

from __future__ import annotations

from msgspec import Struct, field, structs

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.grants.client_credentials import rules
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer
from doorward.features.oauth.tokens.snapshot_cache import SnapshotCache

_Key = tuple[str, str | None, str | None]


class ClientCredentialsGrant(Struct, frozen=True, kw_only=True):
    """Writes nothing and waits for nothing."""

    config: ConfigSource
    random: SecureRandom
    tokens: TokenIssuer
    remembered: SnapshotCache[_Key, Entitlement] = field(default_factory=SnapshotCache[_Key, Entitlement])

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """An access token for the API in `scope` or `resource`, or the refusal."""
        form, config = request.form, self.config.current()
        key = (client.id, form.get("scope"), form.get("resource"))
        entitlement = self.remembered.get(config, client, key)
        if entitlement is None:
            answer = rules.check(client, form, config=config, issuer=self.tokens.issuer, grant_id="")
            if isinstance(answer, OAuthError):
                return answer
            entitlement = answer
            self.remembered.keep(config, client, key, entitlement)
        grant_id = self.random.new_id("grt")
        return self.tokens.for_client(structs.replace(entitlement, grant_id=grant_id), client, request.now)
