"""LinkedIn's OpenID provider: no nonce in its tokens, PKCE only for apps that have it enabled, and words of its own for Cancel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied


@dataclass
class LinkedInStandIn(OpenIdStandIn):
    """`pkce`: the app has PKCE enabled; without it a verifier is a wrong way to authenticate."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"state", "enable_extended_login", "code_challenge", "code_challenge_method"}
    )
    basic: ClassVar[bool] = False
    token_fields: ClassVar[frozenset[str]] = frozenset(
        {"grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"}
    )
    wrong_redirect: ClassVar[str] = "invalid_redirect_uri"

    pkce: bool = False
    holders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The claims of each access token."""

    @property
    def issuer(self) -> str:
        """Its issuer, which has a path since 2024."""
        return f"{self.at('www.linkedin.com')}/oauth"

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.issuer}/v2/authorization"

    def check(self, asked: dict[str, str]) -> None:
        scopes = set(asked["scope"].split())
        if asked["response_type"] != "code":
            raise RefusedAtTheService("unsupported_response_type")
        if "openid" not in scopes or not scopes <= {"openid", "email", "profile"}:
            raise RefusedAtTheService(f"unauthorized_scope_error: {asked['scope']}")

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        scopes = request["scope"].split()
        known: dict[str, Any] = {"iss": self.issuer, "sub": person["sub"], "nonce": None}
        if "profile" in scopes:
            known |= {"name": person.get("name"), "locale": "en_US"}
        if "email" in scopes:
            known |= {"email": person.get("email"), "email_verified": person.get("email_verified", True)}
        return known

    def cancelled(self, url: str, what: str = "login") -> Returned:
        """The way back after Cancel on its sign-in page (`login`), or on the page that asks for consent (`authorize`)."""
        said = f"The user cancelled LinkedIn {what}"
        return self.failed(url, f"user_cancelled_{what}", error_description=said)

    def token(self, called: Called) -> Replied:
        """Its errors have status 400 or 401, and descriptions."""
        if any(name == "code_verifier" for name, _ in called.form) and not self.pkce:
            self.refused.append("invalid_client")
            said = "Client authentication failed"
            return Replied(401, {"error": "invalid_client", "error_description": said})
        return super().token(called)

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """With an access token for its UserInfo endpoint."""
        made = super().tokens(request, claims)
        self.holders[made["access_token"]] = claims
        return {**made, "scope": ",".join(request["scope"].split())}

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "GET", "/oauth/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/oauth/openid/jwks":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/oauth/v2/accessToken":
                return self.token(called)
            case "GET", "/v2/userinfo":
                return self._userinfo(called)
            case _:
                return Replied(404, {"status": 404, "code": "RESOURCE_NOT_FOUND"})

    def _userinfo(self, called: Called) -> Replied:
        kind, _, token = called.headers.get("authorization", "").partition(" ")
        found = self.holders.get(token) if kind.lower() == "bearer" else None
        if found is None:
            self.refused.append("INVALID_ACCESS_TOKEN")
            said = {"status": 401, "serviceErrorCode": 65600, "code": "INVALID_ACCESS_TOKEN"}
            return Replied(401, {**said, "message": "Invalid access token"})
        shown = {name: value for name, value in found.items() if name != "iss" and value is not None}
        return Replied(200, {**shown, "locale": {"country": "US", "language": "en"}})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/v2/authorization",
            "token_endpoint": f"{self.issuer}/v2/accessToken",
            "userinfo_endpoint": f"{self.at('api.linkedin.com')}/v2/userinfo",
            "jwks_uri": f"{self.issuer}/openid/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email"],
            "claims_supported": ["iss", "aud", "iat", "exp", "sub", "name", "email", "email_verified"],
        }
