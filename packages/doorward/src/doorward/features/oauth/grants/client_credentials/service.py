"""Client credentials grant: an access token for the app itself (OAuth 2.1 §4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from msgspec import structs

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.random import SecureRandom
from doorward.features.oauth.grants.client_credentials import rules
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import TokenIssuer

MAX_REMEMBERED: Final = 4096
_Answers = dict[tuple[str, str | None, str | None], Entitlement]


@final
class EntitlementCache:
    """Cache of the entitlements of apps under one configuration snapshot, since the rule is deterministic.

    It is cleared with every new snapshot, and bounded, so that invented scopes cannot fill the memory (refusals are not cached).
    """

    __slots__ = ("_answers", "_config")

    def __init__(self) -> None:
        self._config: ConfigSnapshot | None = None
        self._answers: _Answers = {}

    def under(self, config: ConfigSnapshot) -> _Answers:
        """The cached entitlements of this snapshot."""
        if config is not self._config:
            self._config, self._answers = config, {}
        return self._answers


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentialsGrant:
    """Writes nothing and waits for nothing."""

    config: ConfigSource
    random: SecureRandom
    tokens: TokenIssuer
    remembered: EntitlementCache = field(default_factory=EntitlementCache)

    async def exchange(self, request: TokenRequest, client: Client) -> TokenResponse | OAuthError:
        """An access token for the API in `scope` or `resource`, or the refusal."""
        form, config = request.form, self.config.current()
        remembered = self.remembered.under(config)
        key = (client.id, form.get("scope"), form.get("resource"))
        # The snapshot may have changed while the jti of an assertion was claimed: the entitlement of an app of the old snapshot must
        # not be cached under the new one.
        current = config.clients.get(client.id) is client
        entitlement = remembered.get(key) if current else None
        if entitlement is None:
            answer = rules.check(client, form, config=config, issuer=self.tokens.issuer, grant_id="")
            if isinstance(answer, OAuthError):
                return answer
            entitlement = answer
            if current and len(remembered) < MAX_REMEMBERED:
                remembered[key] = entitlement
        grant_id = self.random.new_id("grt")
        return self.tokens.for_client(structs.replace(entitlement, grant_id=grant_id), client, request.now)
