"""Slack's OpenID provider: a token endpoint that answers errors with status 200, and claims that name the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService
from tests.stand_ins.serving import Called, Replied

WORDS = {
    "invalid_client": "bad_client_secret",
    "invalid_grant": "invalid_code",
    "unsupported_grant_type": "invalid_grant_type",
    "invalid_request": "invalid_arguments",
}
"""Slack's names of the errors of its token endpoint."""


@dataclass
class SlackStandIn(OpenIdStandIn):
    """Members of one workspace. It has PKCE for apps alone that are marked as public clients; this one is not."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = frozenset({"state", "nonce", "team", "response_mode", "prompt"})
    token_fields: ClassVar[frozenset[str]] = frozenset(
        {"grant_type", "code", "redirect_uri", "client_id", "client_secret"}
    )
    wrong_redirect: ClassVar[str] = "bad_redirect_uri"

    team: str = "T0123ABC456"
    holders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The claims of each access token."""

    @property
    def issuer(self) -> str:
        """Its issuer, an origin."""
        return self.at("slack.com")

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.issuer}/openid/connect/authorize"

    def check(self, asked: dict[str, str]) -> None:
        scopes = set(asked["scope"].split())
        if asked["response_type"] != "code":
            raise RefusedAtTheService("invalid_response_type")
        if "openid" not in scopes or not scopes <= {"openid", "email", "profile"}:
            raise RefusedAtTheService(f"invalid_scope: {asked['scope']}")
        if asked.get("response_mode", "query") != "query":
            raise RefusedAtTheService("invalid_response_mode")

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        scopes, names = request["scope"].split(), f"{self.issuer}/"
        known: dict[str, Any] = {
            "iss": self.issuer,
            "sub": person["sub"],
            "auth_time": self.clock.time,
            f"{names}team_id": self.team,
            f"{names}user_id": person["sub"],
        }
        if "email" in scopes:
            known |= {"email": person.get("email"), "email_verified": person.get("email_verified", True)}
            known |= {"date_email_verified": self.clock.time - 1000}
        if "profile" in scopes:
            known |= {"name": person.get("name"), "locale": "en-US", f"{names}team_name": "Analytical"}
        return known

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """With `ok`, and an access token for its UserInfo endpoint."""
        made = super().tokens(request, claims)
        self.holders[made["access_token"]] = claims
        return {"ok": True, **made}

    def token(self, called: Called) -> Replied:
        """As all of Slack's methods: status 200, and `ok` says whether it was done."""
        reply = super().token(called)
        if reply.status == 200:
            return reply
        error = str(reply.document["error"])
        return Replied(200, {"ok": False, "error": WORDS.get(error, error)})

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "GET", "/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/openid/connect/keys":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/api/openid.connect.token":
                return self.token(called)
            case "GET" | "POST", "/api/openid.connect.userInfo":
                return self._userinfo(called)
            case _:
                return Replied(404, {"ok": False, "error": "unknown_method"})

    def _userinfo(self, called: Called) -> Replied:
        kind, _, token = called.headers.get("authorization", "").partition(" ")
        found = self.holders.get(token) if kind.lower() == "bearer" else None
        if found is None:
            self.refused.append("invalid_auth")
            return Replied(200, {"ok": False, "error": "invalid_auth"})
        left = {"iss", "auth_time"}
        shown = {name: value for name, value in found.items() if name not in left and value is not None}
        return Replied(200, {"ok": True, **shown})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/openid/connect/authorize",
            "token_endpoint": f"{self.issuer}/api/openid.connect.token",
            "userinfo_endpoint": f"{self.issuer}/api/openid.connect.userInfo",
            "jwks_uri": f"{self.issuer}/openid/connect/keys",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "auth_time", "iss"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
