"""OpenID provider client of the app: discovery, sign-in address, code exchange, refresh, keys, sign-out."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

import httpx2
from msgspec import Struct

from doorward_demo.demo import clock_and_random, id_token, pkce
from doorward_demo.demo.shop.sessions import Pending
from doorward_verify.auth_error import AuthError
from doorward_verify.jwk import InvalidKey
from doorward_verify.keyset import KeySet, parse_jwks

SCOPES = "openid profile email orders:read orders:write"


class Registration(Struct, frozen=True):
    """The app's registration: its settings and credentials."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    post_logout_redirect_uri: str
    api: str

    def __repr__(self) -> str:
        return f"Registration({self.client_id!r}, ***)"


class Unavailable(Exception):
    """The server does not answer, or not correctly; a retry may help."""


class Turned(Exception):
    """The server refused: `error` is its code, such as `invalid_grant`."""

    def __init__(self, error: str, description: str = "") -> None:
        self.error = error
        self.description = description
        super().__init__(f"{error}: {description}")


class Tokens(Struct, frozen=True):
    """The answer of the token endpoint."""

    access_token: str
    expires_at: float
    refresh_token: str | None
    id_token: str | None
    scopes: frozenset[str]


class Provider:
    """The server as this app uses it."""

    def __init__(self, registration: Registration, http: httpx2.AsyncClient) -> None:
        self.registration = registration
        self._http = http
        self._found: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    async def sign_in_address(self, pending: Pending, **more: str) -> str:
        """The address of the sign-in page for the browser. `more` are further parameters; empty ones are left out. Raises
        `Unavailable`."""
        found = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": self.registration.redirect_uri,
            "scope": SCOPES,
            "resource": self.registration.api,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pkce.challenge(pending.verifier),
            "code_challenge_method": "S256",
            **{name: value for name, value in more.items() if value},
        }
        return f"{found['authorization_endpoint']}?{urlencode(asked)}"

    async def sign_out_address(self, hint: str, state: str) -> str:
        """The address of the sign-out for the browser (RP-Initiated Logout 1.0 §2). Raises `Unavailable`."""
        found = await self._discover()
        asked = {
            "id_token_hint": hint,
            "client_id": self.registration.client_id,
            "post_logout_redirect_uri": self.registration.post_logout_redirect_uri,
            "state": state,
        }
        return f"{found['end_session_endpoint']}?{urlencode(asked)}"

    async def redeem(self, code: str, verifier: str) -> Tokens:
        """Exchange a code for tokens. Raises `Turned`, `Unavailable`."""
        return await self._tokens(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.registration.redirect_uri,
                "code_verifier": verifier,
            }
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens. Raises `Turned`, `Unavailable`."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def keys(self, *, anew: bool = False) -> KeySet:
        """The server's public keys. `anew` fetches them again, for a token with an unknown key. Raises `Unavailable`."""
        if self._keys is None or anew:
            found = await self._discover()
            answer = await self._get(found["jwks_uri"])
            try:
                self._keys = parse_jwks(self.registration.issuer, answer.content)
            except InvalidKey as error:
                raise Unavailable(str(error)) from None
        return self._keys

    async def who(self, tokens: Tokens, *, nonce: str) -> id_token.IdToken:
        """The person in the ID token, if it answers this sign-in. Raises `AuthError`, `Unavailable`."""
        if tokens.id_token is None:
            raise AuthError("no_token", "no ID token came")
        for anew in (False, True):
            try:
                return id_token.verify(
                    tokens.id_token,
                    await self.keys(anew=anew),
                    issuer=self.registration.issuer,
                    client_id=self.registration.client_id,
                    nonce=nonce,
                    access_token=tokens.access_token,
                    now=clock_and_random.now(),
                )
            except AuthError as refused:
                if refused.reason != "unknown_key" or anew:
                    raise
        raise AssertionError("the second round returns or raises")

    async def _discover(self) -> dict[str, Any]:
        if self._found is None:
            issuer = self.registration.issuer
            answer = await self._get(f"{issuer}/.well-known/openid-configuration")
            found = _document(answer)
            if found.get("issuer") != issuer:
                # another server's metadata would direct codes and secrets to it (OpenID Connect Discovery §4.3)
                raise Unavailable("the metadata is of another issuer")
            self._found = found
        return self._found

    async def _tokens(self, form: dict[str, str]) -> Tokens:
        found = await self._discover()
        registered = self.registration
        try:
            answer = await self._http.post(
                found["token_endpoint"],
                data=form,
                auth=(registered.client_id, registered.client_secret),
            )
        except httpx2.HTTPError as error:
            raise Unavailable(type(error).__name__) from None
        said = _document(answer)
        if answer.status_code >= 500:
            raise Unavailable(f"the token endpoint answers {answer.status_code}")
        if answer.status_code != 200:
            raise Turned(str(said.get("error")), str(said.get("error_description", "")))
        return _read(said)

    async def _get(self, url: str) -> httpx2.Response:
        try:
            answer = await self._http.get(url)
        except httpx2.HTTPError as error:
            raise Unavailable(type(error).__name__) from None
        if answer.status_code != 200:
            raise Unavailable(f"{url} answers {answer.status_code}")
        return answer


def _document(answer: httpx2.Response) -> dict[str, Any]:
    try:
        said: object = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Unavailable(f"an answer with status {answer.status_code} is no JSON object")
    return cast("dict[str, Any]", said)


def _read(said: dict[str, Any]) -> Tokens:
    access, kind, life = said.get("access_token"), said.get("token_type"), said.get("expires_in")
    if not isinstance(access, str) or str(kind).lower() != "bearer" or not isinstance(life, int):
        raise Unavailable("the token response lacks what it must have")
    refresh, identity = said.get("refresh_token"), said.get("id_token")
    return Tokens(
        access_token=access,
        expires_at=clock_and_random.now() + life,
        refresh_token=refresh if isinstance(refresh, str) else None,
        id_token=identity if isinstance(identity, str) else None,
        scopes=frozenset(str(said.get("scope", "")).split()),
    )
