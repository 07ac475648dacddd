"""An app sends somebody to us: is the request good, and whom does it expect? (OAuth 2.1 §4.1.1)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct, structs

from doorward.core.errors import Refusal
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.ports.config_snapshot import CatalogSource
from doorward.features.oauth.authorize.rules import request as rule
from doorward.features.oauth.authorize.rules.response import failure
from doorward.features.oauth.authorize.rules.weight import for_stranger
from doorward.features.oauth.clients.ignored_scopes import IgnoredScopes
from doorward.features.oauth.tokens.id_token_hints import IdTokenHints


class Accepted(Struct, frozen=True):
    """A request that passed, and its app."""

    request: AuthRequest
    client: Client


class Unsure(Struct, frozen=True):
    """App or redirect URI are not certain: said on a page of ours, never by redirect (line 2)."""

    refusal: Refusal


class Refused(Struct, frozen=True):
    """The app hears no, at its own redirect URI."""

    refusal: Refusal
    response: AuthResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """Runs the checks, and reads the id_token_hint."""

    catalog: CatalogSource
    id_token_hints: IdTokenHints
    issuer: str
    ignored_scopes: IgnoredScopes

    def check(self, params: Mapping[str, str]) -> Accepted | Unsure | Refused:
        """`params` are the request's, each given once; an empty one counts as left out (OAuth 2.1 §3.1). Pure but for the
        snapshot and the clock-free signature check."""
        params = {name: value for name, value in params.items() if value}
        catalog = self.catalog.current()
        source = rule.origin(params, catalog)
        if isinstance(source, Refusal):
            named = catalog.clients.get(params.get("client_id", ""))
            return Unsure(source if named is None else source.to(named.name))
        request = rule.authorize(params, source, catalog, self.issuer)
        if isinstance(request, Refusal):
            return self.refuse(source, request)
        if (token := params.get("id_token_hint")) is not None:
            hint = self.id_token_hints.read(token)
            if hint is None or source.client.id not in hint.aud:
                because = (
                    "id_token_hint does not verify, or is another app's. Fix: the app sends its own ID token"
                )
                say = "The id_token_hint is not one that this app got from here."
                refusal = Refusal("invalid_request", say, because)
                return self.refuse(source, refusal)
            if request.hint_subject not in {None, hint.sub}:
                refusal = Refusal("invalid_request", "id_token_hint and claims name different people.")
                return self.refuse(source, refusal)
            request = structs.replace(request, hint_subject=hint.sub)
        self.ignored_scopes.tell(source.client, params.get("scope"))
        return Accepted(request, source.client)

    def lighter(self, accepted: Accepted, *, carried: bool) -> Accepted | Refused:
        """The request as it is kept for a stranger; `carried`: their browser keeps the whole of it."""
        asked = accepted.request
        kept = for_stranger(asked, carried=carried)
        if not isinstance(kept, Refusal):
            return Accepted(kept, accepted.client)
        source = rule.Origin(
            accepted.client, asked.redirect_uri, asked.response_mode, asked.state, asked.redirect_uri_given
        )
        return self.refuse(source, kept)

    def refuse(self, source: rule.Origin, refusal: Refusal) -> Refused:
        """The refusal, addressed to the app."""
        refusal = refusal.to(source.client.name)
        response = failure(source, issuer=self.issuer, refusal=refusal, app_name=source.client.name)
        return Refused(refusal, response)
