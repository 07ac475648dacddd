"""Relying party on PyPI Authlib: its session on `requests`, its ID token checks, its PKCE."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.peers.conftest import Registered


class AuthlibClient:
    """One app. `metadata` is discovered, and validated by Authlib before anything else."""

    def __init__(self, issuer: str, app: Registered, *, ca: Path, redirect_uri: str, scope: str) -> None:
        self.session = cast(
            "Any",
            OAuth2Session(
                app.client.id,
                app.key if app.key is not None else app.secret,
                token_endpoint_auth_method=app.client.auth_method,
                revocation_endpoint_auth_method=app.client.auth_method,
                scope=scope,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
            ),
        )
        self.session.trust_env = False
        self.session.verify = str(ca)
        if app.key is not None:
            # Authlib would use the token endpoint as audience, but it must be the issuer (RFC 7523bis).
            self.session.register_client_auth_method(
                PrivateKeyJWT(issuer, alg="ES256", headers={"kid": app.key.kid})
            )
        found = self.session.get(get_well_known_url(issuer, external=True), withhold_token=True)
        openid = self.session.get(f"{issuer}/.well-known/openid-configuration", withhold_token=True)
        assert found.json() == openid.json()
        self.metadata: dict[str, Any] = OpenIDProviderMetadata(openid.json())
        cast("Any", self.metadata).validate()
        assert self.metadata["issuer"] == issuer
        self._app = app
        self._verifier = generate_token(64)
        self._nonce = generate_token(20)
        self._state = ""

    def url(self, **parameters: str) -> str:
        """The authorization address for the browser."""
        url, self._state = self.session.create_authorization_url(
            self.metadata["authorization_endpoint"],
            code_verifier=self._verifier,
            nonce=self._nonce,
            **parameters,
        )
        return url

    def fetch(self, back: str) -> dict[str, Any]:
        """Fetch tokens with the address to which the browser returned. Raises for a wrong state, as Authlib does."""
        return self.session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=back,
            state=self._state,
            code_verifier=self._verifier,
        )

    def identity(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """The ID token; Authlib checks its signature with the server's keys, and its claims."""
        keys = KeySet.import_key_set(self.session.get(self.metadata["jwks_uri"], withhold_token=True).json())
        read = jwt.decode(tokens["id_token"], keys, algorithms=["ES256", "RS256", "Ed25519"])
        claims = CodeIDToken(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": self.metadata["issuer"]},
                "aud": {"essential": True, "value": self._app.client.id},
            },
            params={
                "nonce": self._nonce,
                "client_id": self._app.client.id,
                "access_token": tokens["access_token"],
                "max_age": 300,
            },
        )
        claims.validate(leeway=5)
        return dict(claims)

    def userinfo(self) -> dict[str, Any]:
        """The claims of the signed-in person."""
        answer = self.session.get(self.metadata["userinfo_endpoint"])
        answer.raise_for_status()
        return dict(UserInfo(answer.json()))

    def refresh(self) -> dict[str, Any]:
        """Refresh the tokens."""
        return self.session.refresh_token(self.metadata["token_endpoint"])

    def revoke(self, token: str) -> int:
        """Revoke a token. Returns the status of the answer."""
        return self.session.revoke_token(self.metadata["revocation_endpoint"], token=token).status_code

    def introspect(self, token: str) -> dict[str, Any]:
        """The introspection response."""
        return self.session.introspect_token(self.metadata["introspection_endpoint"], token=token).json()

    def client_credentials(self, resource: str) -> dict[str, Any]:
        """Get a token for the app itself."""
        return self.session.fetch_token(
            self.metadata["token_endpoint"], grant_type="client_credentials", resource=resource
        )
