"""The token endpoint's request: prove the app, ask the grant's rule, sign, commit, answer (OAuth 2.1 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final, get_args

from msgspec import structs

from doorward.core.errors import Refusal
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client, GrantType
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.entitlement import Entitlement
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.core.ports.metrics import Meter
from doorward.core.ports.random import Chance
from doorward.features.oauth.client_auth.service import AuthenticateClient
from doorward.features.oauth.grants.authorization_code.service import RedeemCode
from doorward.features.oauth.grants.client_credentials import rules as client_credentials
from doorward.features.oauth.grants.refresh_token.service import RefreshGrant
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.tokens.issue import GiveTokens

_GRANTS = frozenset(get_args(GrantType))
MOST_REMEMBERED = 4096
_Asked = dict[tuple[str, str | None, str | None], Entitlement]


@final
class AskedBefore:
    """What apps were entitled to under one snapshot of the catalog: the rule's answer to the same question is the same.

    Forgotten whole with every new snapshot, and bounded, so that nobody fills the memory with invented scopes (refusals are
    not kept at all).
    """

    __slots__ = ("_answers", "_catalog")

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._answers: _Asked = {}

    def of(self, catalog: Catalog) -> _Asked:
        """The answers that hold for this snapshot."""
        if catalog is not self._catalog:
            self._catalog, self._answers = catalog, {}
        return self._answers


@dataclass(frozen=True, slots=True)
class ExchangeToken:
    """Knows nothing of HTTP: takes the parsed form and the Authorization header's value; also serves cookie delivery."""

    authenticate: AuthenticateClient
    redeem: RedeemCode
    refresh: RefreshGrant
    give: GiveTokens
    catalog: CatalogSource
    chance: Chance
    clock: Clock
    meter: Meter
    asked_before: AskedBefore = field(default_factory=AskedBefore)

    async def __call__(
        self, form: Mapping[str, str], *, authorization: str | None = None, caller: Caller
    ) -> TokenResponse | Refusal:
        """The tokens, or why not. Raises `StoreUnavailable`."""
        grant_type = form.get("grant_type")
        answer = await self._answer(grant_type, form, authorization, caller)
        if isinstance(answer, Refusal):
            self.meter.count("refusals", answer.code)
        else:
            self.meter.count("tokens_issued", grant_type or "")
        return answer

    async def _answer(
        self, grant_type: str | None, form: Mapping[str, str], authorization: str | None, caller: Caller
    ) -> TokenResponse | Refusal:
        if grant_type is None:
            return Refusal("invalid_request", "grant_type is missing.")
        if grant_type not in _GRANTS:
            # Line 7: the password grant is one of those that do not exist here.
            return Refusal(
                "unsupported_grant_type",
                "This grant_type is not supported.",
                f"grant_type={grant_type[:40]!r}",
            )
        now = self.clock.now()
        client = await self.authenticate(authorization, form, caller=caller, now=now)
        if isinstance(client, Refusal):
            return client
        answer = await self._granted(grant_type, client, form, caller, now)
        return answer.to(client.name) if isinstance(answer, Refusal) else answer

    async def _granted(
        self, grant_type: str, client: Client, form: Mapping[str, str], caller: Caller, now: int
    ) -> TokenResponse | Refusal:
        if grant_type not in client.grant_types:
            return Refusal(
                "unauthorized_client",
                "This app may not use this grant_type.",
                f"app {client.name!r} is registered for {', '.join(client.grant_types)}",
            )
        if grant_type == "client_credentials":
            return self._for_itself(client, form, now)
        if grant_type == "refresh_token":
            return await self.refresh(client, form, caller=caller, now=now)
        return await self.redeem(client, form, caller=caller, now=now)

    def _for_itself(self, client: Client, form: Mapping[str, str], now: int) -> TokenResponse | Refusal:
        catalog = self.catalog.current()
        asked = self.asked_before.of(catalog)
        key = (client.id, form.get("scope"), form.get("resource"))
        # While an assertion's jti was being claimed the snapshot may have changed: what an app of the old one was entitled to
        # must not be remembered under the new one.
        current = catalog.clients.get(client.id) is client
        entitlement = asked.get(key) if current else None
        if entitlement is None:
            answer = client_credentials.check(
                client, form, catalog=catalog, issuer=self.give.issuer, grant_id=""
            )
            if isinstance(answer, Refusal):
                return answer
            entitlement = answer
            if current and len(asked) < MOST_REMEMBERED:
                asked[key] = entitlement
        grant_id = self.chance.new_id("grt")
        return self.give.alone(structs.replace(entitlement, grant_id=grant_id), client, now)
