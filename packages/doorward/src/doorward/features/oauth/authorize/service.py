"""Check of an authorization request, and of the person whom the app expects (OAuth 2.1 §4.1.1)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, structs

from doorward.adapters.operator_notices import OperatorNotices
from doorward.core.errors import OAuthError
from doorward.core.model.auth_response import AuthResponse
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client
from doorward.core.model.request import AuthRequest
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.authorize.rules import request as rule
from doorward.features.oauth.authorize.rules.response import failure
from doorward.features.oauth.authorize.rules.weight import for_stranger
from doorward.features.oauth.clients.ignored_scopes import note_ignored
from doorward.features.oauth.clients.rules import redirect_uri
from doorward.features.oauth.tokens.id_token_hints import read_id_token_hint


class Accepted(Struct, frozen=True):
    """A valid request, and its app."""

    request: AuthRequest
    client: Client


class Unsure(Struct, frozen=True):
    """The app or the redirect URI is not verified, or nobody may be led there unasked: the refusal is shown on a page, never sent by
    redirect (R2)."""

    error: OAuthError


class RefusedByRedirect(Struct, frozen=True):
    """The refusal is sent to the app's redirect URI."""

    error: OAuthError
    response: AuthResponse


class Authorize(Struct, frozen=True, kw_only=True):
    """Runs the checks, and reads the id_token_hint."""

    config: ConfigSource
    clients: ClientDirectory
    signer: TokenSigner
    issuer: str
    notices: OperatorNotices

    async def check(
        self, params: Mapping[str, str], *, caller: Caller, now: int
    ) -> Accepted | Unsure | RefusedByRedirect:
        """`params` are those of the request, each given once; an empty one counts as omitted (OAuth 2.1 §3.1)."""
        params = {name: value for name, value in params.items() if value}
        client = await self.clients.resolve(params.get("client_id", ""), caller, now)
        if isinstance(client, OAuthError):
            return Unsure(client)
        source = rule.origin(params, client)
        if isinstance(source, OAuthError):
            return Unsure(source.to(client.name))
        config = self.config.current()
        request = rule.authorize(params, source, config, self.issuer)
        if isinstance(request, OAuthError):
            return self.refuse(source, request)
        if (token := params.get("id_token_hint")) is not None:
            hint = read_id_token_hint(token, signer=self.signer, issuer=self.issuer)
            if hint is None or source.client.id not in hint.aud:
                error = OAuthError(
                    "invalid_request",
                    "The id_token_hint is not one that this app got from here.",
                    "id_token_hint does not verify, or is another app's",
                    fix="the app sends its own ID token",
                )
                return self.refuse(source, error)
            if request.hint_subject not in {None, hint.sub}:
                error = OAuthError("invalid_request", "id_token_hint and claims name different people.")
                return self.refuse(source, error)
            request = structs.replace(request, hint_subject=hint.sub)
        note_ignored(self.notices, config, source.client, params.get("scope"))
        return Accepted(request, source.client)

    def lighter(self, accepted: Accepted, *, carried: bool) -> Accepted | Unsure | RefusedByRedirect:
        """The request as stored without a session; `carried`: the browser keeps the whole request."""
        asked = accepted.request
        kept = for_stranger(asked, carried=carried)
        if not isinstance(kept, OAuthError):
            return Accepted(kept, accepted.client)
        source = rule.Origin(
            accepted.client, asked.redirect_uri, asked.response_mode, asked.state, asked.redirect_uri_given
        )
        return self.refuse(source, kept)

    def refuse(self, source: rule.Origin, error: OAuthError) -> Unsure | RefusedByRedirect:
        """The refusal as a response to the app, or on a page if nobody may be led there unasked."""
        error = error.to(source.client.name)
        if redirect_uri.shown_first(source.client, source.redirect_uri):
            return Unsure(error)
        response = failure(source, issuer=self.issuer, error=error, app_name=source.client.name)
        return RefusedByRedirect(error, response)
