"""Reader of the tokens that an app presents for an exchange: signature, lifetime, revocation, and whose they are."""

from __future__ import annotations

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.api_key import KEY_ID
from doorward.core.model.client import Client
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.features.clients.directory import ClientDirectory
from doorward.features.oauth.grants.token_exchange.rules import presented as rule
from doorward.features.oauth.grants.token_exchange.rules.acting import chain
from doorward.features.oauth.grants.token_exchange.rules.presented import INVALID, PresentedToken
from doorward.features.oauth.tokens.access_tokens import AccessTokenReader
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.revocations.rules.view import RevocationEntries
from doorward.storage.sql.store import Store


class PresentedTokens(Struct, frozen=True, kw_only=True):
    """Reads what a token rests on at this moment: its revocation by the view that the caller has brought up to date."""

    store: Store
    config: ConfigSource
    clients: ClientDirectory
    tokens: AccessTokenReader

    def access(
        self, token: str, client: Client, view: RevocationEntries, now: int, *, parameter: str
    ) -> PresentedToken | OAuthError:
        """An access token of ours that this app may present."""
        gone = INVALID.format(parameter)
        claims = self.tokens.claims(token, now)
        if claims is None:
            return OAuthError("invalid_request", gone, f"{parameter}: no access token of ours, or expired")
        ended = view.revoked(claims)
        if ended is not None:
            return OAuthError("invalid_request", gone, f"{parameter}: revoked by its {ended}")
        found = rule.of_access(claims, parameter=parameter)
        if isinstance(found, OAuthError):
            return found
        error = rule.presentable(found, client, self.config.current(), parameter=parameter)
        return found if error is None else error

    async def refresh(self, token: str, client: Client, now: int) -> PresentedToken | OAuthError:
        """The grant of the app's own refresh token, which stays the newest."""
        presented = refresh_text.read(token)
        if presented is None:
            return OAuthError("invalid_request", INVALID.format("subject_token"), "not a refresh token")
        return rule.of_refresh(
            presented,
            await self.store.grants.refresh(presented.grant_id),
            client=client,
            may_act=client.may_act,
            now=now,
        )

    async def alive(self, token: PresentedToken, *, parameter: str) -> Account | OAuthError | None:
        """The person that the token speaks for, or None for an app, if everybody in it may act now: the app that it was issued to, its
        subject, and every actor, however far back. A token says who they were when it was issued."""
        # a token made from a person's API key names the key in place of an app, and ends with it
        if not token.client_id.startswith(f"{KEY_ID}_") and await self.clients.find(token.client_id) is None:
            return self._gone(parameter, token.client_id)
        clients = self.config.current().clients
        account: Account | None = None
        for name in (token.subject, *chain(token.actor)):
            if name in clients:
                continue
            person = await self.store.accounts.get(name)
            if person is None or person.disabled_at is not None:
                return self._gone(parameter, name)
            if name == token.subject:
                account = person
        return account

    def _gone(self, parameter: str, name: str) -> OAuthError:
        return OAuthError(
            "invalid_request", INVALID.format(parameter), f"{parameter}: {name} is gone or disabled"
        )
