"""GitLab's OpenID provider, which speaks OAuth 2.0 with an API beside it: one authorization endpoint for both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

SCOPES = frozenset({"openid", "email", "profile", "read_user"})


@dataclass
class GitLabStandIn(OpenIdStandIn):
    """gitlab.com, or a server of one's own. People have the members `id`, `username`, `name`, `email`, `confirmed` and `groups`."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"state", "nonce", "prompt", "max_age", "code_challenge", "code_challenge_method", "response_mode"}
        | {"display", "ui_locales", "login_hint", "acr_values", "claims", "root_namespace_id"}
    )
    prompts: ClassVar[frozenset[str]] = frozenset({"none", "login", "consent", "select_account"})

    holders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The person of each access token, with the scopes in `granted`."""

    @property
    def issuer(self) -> str:
        """Its issuer, an origin."""
        return self.at("gitlab.com")

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.issuer}/oauth/authorize"

    def check(self, asked: dict[str, str]) -> None:
        if asked["response_type"] != "code":
            raise RefusedAtTheService("unsupported_response_type")
        if not set(asked["scope"].split()) <= SCOPES:
            raise RefusedAtTheService(f"invalid_scope: {asked['scope']}")

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        """The person with what was granted; `tokens` makes claims of it."""
        return {**person, "granted": request["scope"].split()}

    def cancelled(self, url: str) -> Returned:
        """The way back after Deny."""
        said = "The resource owner or authorization server denied the request."
        return self.failed(url, "access_denied", error_description=said)

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """With an ID token if the scope has `openid`."""
        made = super().tokens(request, self._identity(claims))
        access = f"{hashlib.sha256(repr(claims).encode()).hexdigest()}"
        self.holders[access] = claims
        known = {"access_token": access, "token_type": "Bearer", "expires_in": 7200, "refresh_token": "r"}
        known |= {"scope": request["scope"], "created_at": self.clock.time}
        if "openid" in claims["granted"]:
            # the base class binds its own access token by at_hash, which GitLab leaves out
            known["id_token"] = made["id_token"]
        return known

    def _identity(self, person: dict[str, Any]) -> dict[str, Any]:
        """Claims of an ID token, which lives for two minutes."""
        return {
            "iss": self.issuer,
            "exp": self.clock.time + 120,
            "auth_time": self.clock.time,
            "at_hash": None,
            "sub_legacy": hashlib.sha256(str(person["id"]).encode()).hexdigest(),
            "groups_direct": list(person.get("groups", ())),
            **self._profile(person),
        }

    def _profile(self, person: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {"sub": str(person["id"])}
        if "profile" in person["granted"]:
            known |= {"name": person.get("name"), "nickname": person["username"]}
            known |= {"preferred_username": person["username"]}
            known |= {"profile": f"{self.issuer}/{person['username']}", "picture": f"{self.issuer}/p.png"}
        if "email" in person["granted"]:
            known |= {"email": person.get("email"), "email_verified": person.get("confirmed", True)}
        return known

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "GET", "/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/oauth/discovery/keys":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/oauth/token":
                return self.token(called)
            case "GET" | "POST", "/oauth/userinfo":
                person = self._holder(called, "openid")
                if person is None:
                    return Replied(401, {"error": "invalid_token", "error_description": "revoked"})
                groups = {"groups": list(person.get("groups", ()))}
                return Replied(200, {**self._profile(person), **groups})
            case "GET", "/api/v4/user":
                person = self._holder(called, "read_user")
                if person is None:
                    return Replied(401, {"message": "401 Unauthorized"})
                shown = {name: person.get(name) for name in ("id", "username", "name", "email")}
                return Replied(200, {**shown, "state": "active", "confirmed_at": "2026-01-01T00:00:00Z"})
            case _:
                return Replied(404, {"error": "404 Not Found"})

    def _holder(self, called: Called, scope: str) -> dict[str, Any] | None:
        kind, _, token = called.headers.get("authorization", "").partition(" ")
        given = token if kind.lower() == "bearer" else dict(called.query).get("access_token", "")
        found = self.holders.get(given)
        if found is None or scope not in found["granted"]:
            self.refused.append(f"{called.path}: 401")
            return None
        return found

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/oauth/authorize",
            "token_endpoint": f"{self.issuer}/oauth/token",
            "revocation_endpoint": f"{self.issuer}/oauth/revoke",
            "introspection_endpoint": f"{self.issuer}/oauth/introspect",
            "userinfo_endpoint": f"{self.issuer}/oauth/userinfo",
            "jwks_uri": f"{self.issuer}/oauth/discovery/keys",
            "scopes_supported": sorted(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claim_types_supported": ["normal"],
            "claims_supported": [
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "sub_legacy",
                "name",
                "nickname",
                "email",
            ],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
