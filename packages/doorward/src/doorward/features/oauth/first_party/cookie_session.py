"""Sign-in by cookie: tokens delivered to a first-party browser app, renewed silently, and revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.caller import Caller
from doorward.core.model.digest import digest
from doorward.core.model.grant import Grant
from doorward.core.model.token_request import TokenRequest
from doorward.core.ports.clock import Clock
from doorward.core.ports.config_snapshot import ConfigSource
from doorward.core.ports.keys import TokenSigner
from doorward.features.oauth.first_party import rules as rule
from doorward.features.oauth.grants.refresh_token.rules import rotation
from doorward.features.oauth.logout.service import SignOutAction
from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.oauth.token.service import TokenService
from doorward.features.oauth.tokens.rules import own_token
from doorward.features.oauth.tokens.rules import refresh_format as refresh_text
from doorward.features.revocations.view_service import ServerRevocationView
from doorward.storage.sql.store import Store

_CODE_FIELDS = ("code", "code_verifier", "redirect_uri", "client_id")


class CallingPage(Struct, frozen=True):
    """The browser's statements about the calling page: its origin, and its relation to this server (Fetch Metadata)."""

    origin: str | None
    fetch_site: str | None


_MINT: Final = object()


@final
class AllowedApp:
    """An app whose page may use cookie delivery. Only `CookieSession.allowed` creates one, after checking the page's origin."""

    __slots__ = ("client_id",)

    def __init__(self, client_id: str, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only CookieSession.allowed makes an AllowedApp, after its check")
        self.client_id = client_id


class CookieSession(Struct, frozen=True, kw_only=True):
    """Puts the responses of the token endpoint into cookies; all decisions are those of the token endpoint."""

    tokens: TokenService
    config: ConfigSource
    store: Store
    signer: TokenSigner
    clock: Clock
    view: ServerRevocationView
    sign_out: SignOutAction
    issuer: str
    own_origin: str

    def allowed(
        self, client_id: str | None, page: CallingPage, *, reading: bool = False
    ) -> AllowedApp | OAuthError:
        """Whether this page may use cookie delivery for this app: its origin is this server's, or registered for the app (ASVS 3.5.1,
        R70)."""
        error = rule.allowed(
            self.config.current().clients.get(client_id or ""),
            origin=page.origin,
            own_origin=self.own_origin,
            fetch_site=page.fetch_site,
            reading=reading,
        )
        return AllowedApp(client_id or "", _MINT) if error is None else error

    async def begin(
        self, app: AllowedApp, form: Mapping[str, str], *, caller: Caller
    ) -> TokenResponse | OAuthError:
        """Exchange a code for cookies (PKCE proves that this browser requested it, R16)."""
        fields = {name: form[name] for name in _CODE_FIELDS if name in form}
        fields = {**fields, "client_id": app.client_id, "grant_type": "authorization_code"}
        return await self._exchange(fields, "token", caller)

    async def renew(
        self, app: AllowedApp, refresh_token: str | None, *, caller: Caller
    ) -> TokenResponse | OAuthError:
        """Exchange the refresh cookie for new cookies; rotation, reuse and leeway are those of the token endpoint."""
        if not refresh_token:
            return OAuthError("invalid_grant", "There is no sign-in to renew.")
        form = {"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": refresh_token}
        return await self._exchange(form, "refresh", caller)

    async def _exchange(
        self, form: Mapping[str, str], path: str, caller: Caller
    ) -> TokenResponse | OAuthError:
        asked = TokenRequest(
            form=form,
            method="POST",
            url=f"{self.issuer}/cookie/{path}",
            caller=caller,
            now=self.clock.now(),
        )
        return await self.tokens.exchange(asked)

    async def standing(self, app: AllowedApp, access_token: str | None) -> dict[str, Any] | OAuthError:
        """The state of the sign-in by this cookie, for a page that was just loaded: claims of the token, never the token."""
        now = self.clock.now()
        claims = await self._claims(access_token, now)
        if claims is None or claims.get("client_id") != app.client_id:
            return OAuthError("invalid_token", "Nobody is signed in.")
        shown = {
            name: claims[name]
            for name in ("sub", "scope", "roles", "permissions", "auth_time", "acr", "amr", "exp")
            if name in claims
        }
        csrf_token = rule.csrf_token(access_token or "")
        return {**shown, "csrf_token": csrf_token, "expires_in": int(claims["exp"]) - now}

    async def end(
        self,
        app: AllowedApp,
        access_token: str | None,
        refresh_token: str | None,
        csrf: str | None,
        *,
        caller: Caller,
        session_secret: str | None = None,
    ) -> OAuthError | bool:
        """End the session of this sign-in, its grants, and the tokens already issued. Returns whether the cookies belong to this app:
        False when they hold another app's tokens, and then nothing ends.

        `session_secret` is the session cookie, if it was sent: that session ends too, since the response clears the cookie.
        """
        now, client_id = self.clock.now(), app.client_id
        claims = await self._claims(access_token, now)
        grant = None
        if claims is not None and claims.get("client_id") == client_id:
            if not rule.csrf_holds(access_token or "", csrf):
                return OAuthError("access_denied", "X-CSRF-Token is missing or wrong.")
            grant = await self.store.grants.get(str(claims["jti"]).partition(".")[0])
        elif claims is not None:
            return False
        elif refresh_token:
            # The access cookie expired first, so there is no token for a CSRF token. The Origin, checked before, shows that the
            # request comes from the app's own page.
            grant = await self._grant_of(refresh_token, client_id)
        left = [
            await self.store.sessions.by_secret(digest(session_secret)) if session_secret else None,
            await self.store.sessions.get(grant.session_id)
            if grant is not None and grant.session_id
            else None,
        ]
        live = {one.id: one for one in left if one is not None and one.ended_at is None}
        await self.sign_out.end_all(
            [(one, "signed_out") for one in live.values()], client_id=client_id, caller=caller, now=now
        )
        if grant is not None and grant.ended_at is None:
            await self.store.commit(
                *self.sign_out.revoker.grant(grant, now=now, reason="signed_out", first=True)
            )
        return True

    async def knows(self, refresh_token: str, client_id: str | None) -> bool:
        """Whether this is a current or former refresh token of this app."""
        return await self._grant_of(refresh_token, client_id) is not None

    async def _grant_of(self, refresh_token: str, client_id: str | None) -> Grant | None:
        """The grant of a current or former refresh token, if it belongs to this app."""
        presented = refresh_text.read(refresh_token)
        found = None if presented is None else await self.store.grants.refresh(presented.grant_id)
        if presented is None or found is None or not rotation.belongs(presented, found[0]):
            return None
        return found[1] if found[1].client_id == client_id else None

    async def _claims(self, token: str | None, now: int) -> dict[str, Any] | None:
        if not token:
            return None
        claims = own_token.claims(token, self.signer.keys(), issuer=self.issuer, now=now)
        if claims is None or (await self.view.fresh(now)).revoked(claims) is not None:
            return None
        return dict(claims)
