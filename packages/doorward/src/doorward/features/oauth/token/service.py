"""Service of the token endpoint: authenticate the app, check that it may use the grant, call the grant (OAuth 2.1 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.metrics import Metrics
from doorward.features.oauth.client_auth.service import ClientAuthenticator
from doorward.features.oauth.token.grant_type import LoneGrant, TokenGrant
from doorward.features.oauth.token.rules import TokenResponse

_MISSING = OAuthError("invalid_request", "grant_type is missing.")


class TokenService(Struct, frozen=True, kw_only=True):
    """Also used by cookie delivery. Checks common to all grants are made here, so that no grant can omit them; binding of tokens to
    their sender belongs between the allowed-grant check and the grant. `grants` and `alone` are the dispatch table; a grant that is in
    neither is unsupported."""

    clients: ClientAuthenticator
    grants: Mapping[str, TokenGrant]
    alone: Mapping[str, LoneGrant]
    metrics: Metrics

    async def exchange(self, request: TokenRequest) -> TokenResponse | OAuthError:
        """The tokens, or the refusal. Raises `StoreUnavailable`."""
        name = request.form.get("grant_type")
        grant = None if name is None else self.grants.get(name)
        answer: TokenResponse | OAuthError
        if name is not None and (lone := self.alone.get(name)) is not None:
            answer = await self._alone(name, lone, request)
        elif name is None or grant is None:
            answer = _unsupported(name)
        else:
            client = await self.clients.authenticate(request)
            if isinstance(client, OAuthError):
                answer = client
            elif name not in client.grant_types:
                answer = _not_allowed(client)
            else:
                answer = await grant.exchange(request, client)
                if isinstance(answer, OAuthError):
                    answer = answer.to(client.name)
        if isinstance(answer, OAuthError):
            self.metrics.inc("refusals", answer.code)
        else:
            self.metrics.inc("tokens_issued", name or "")
        return answer

    async def _alone(self, name: str, grant: LoneGrant, request: TokenRequest) -> TokenResponse | OAuthError:
        """The answer of a grant that asks for no app. One that is named must be right all the same."""
        if not self.clients.named(request):
            return await grant.exchange(request, None)
        client = await self.clients.authenticate(request)
        if isinstance(client, OAuthError):
            return client
        if name in self.grants and name not in client.grant_types:
            return _not_allowed(client)
        answer = await grant.exchange(request, client)
        return answer.to(client.name) if isinstance(answer, OAuthError) else answer


def _unsupported(name: str | None) -> OAuthError:
    if name is None:
        return _MISSING
    # R7: the password grant is not supported.
    return OAuthError(
        "unsupported_grant_type", "This grant_type is not supported.", f"grant_type={name[:40]!r}"
    )


def _not_allowed(client: Client) -> OAuthError:
    return OAuthError(
        "unauthorized_client",
        "This app may not use this grant_type.",
        f"app {client.name!r} is registered for {', '.join(client.grant_types)}",
        app=client.name,
    )
