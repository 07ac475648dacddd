"""Google's OpenID provider: its hosts, parameters and claims, as documented for the server flow in November 2026."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.stand_ins.openid import OpenIdStandIn, Returned
from tests.stand_ins.serving import Called, Replied

_CORE = frozenset({"display", "login_hint", "max_age", "ui_locales", "acr_values", "claims"})
"""OpenID Connect Core §3.1.2.1: accepted, and mostly without effect."""


@dataclass
class GoogleStandIn(OpenIdStandIn):
    """`legacy_iss`: tokens name the issuer without https://, as those of the older endpoint do."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = _CORE | {
        "state",
        "nonce",
        "prompt",
        "hd",
        "hl",
        "access_type",
        "include_granted_scopes",
        "enable_granular_consent",
        "openid.realm",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
    }
    prompts: ClassVar[frozenset[str]] = frozenset({"none", "consent", "select_account"})
    wrong_redirect: ClassVar[str] = "redirect_uri_mismatch"

    legacy_iss: bool = False
    last: str = ""

    @property
    def issuer(self) -> str:
        """Its issuer, which is an origin."""
        return self.at("accounts.google.com")

    def is_authorization(self, url: str) -> bool:
        return url in {f"{self.issuer}/o/oauth2/v2/auth", f"{self.issuer}/o/oauth2/auth"}

    def check(self, asked: dict[str, str]) -> None:
        scopes = asked["scope"].split()
        assert asked["response_type"] == "code", "only the server flow"
        assert scopes[0] == "openid", "the scope begins with openid"
        assert set(scopes) <= {"openid", "email", "profile"}, scopes

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        self.last = str(person["sub"])
        scopes = request["scope"].split()
        known = {
            "iss": urlsplit(self.issuer).netloc if self.legacy_iss else self.issuer,
            "azp": self.client_id,
            "sub": person["sub"],
            "hd": person.get("hd"),
        }
        if "email" in scopes:
            known |= {"email": person["email"], "email_verified": person.get("email_verified", True)}
        if "profile" in scopes:
            known |= {
                "name": person.get("name"),
                "given_name": person.get("name"),
                "picture": "https://x.example/p",
            }
        return known

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        more = {"scope": asked["scope"], "authuser": "0", "prompt": "none"} if "code" in answer else {}
        return super().back(asked, {**answer, **more, "iss": self.issuer})

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "GET", "/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/oauth2/v3/certs":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/token" | "/o/oauth2/token":
                return self.token(called)
            case "GET", "/v1/userinfo":
                found = {"sub": self.last, "email": "ada@gmail.com", "email_verified": True}
                return Replied(200, found)
            case _:
                return Replied(404, {})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/o/oauth2/v2/auth",
            "token_endpoint": f"{self.at('oauth2.googleapis.com')}/token",
            "userinfo_endpoint": f"{self.at('openidconnect.googleapis.com')}/v1/userinfo",
            "jwks_uri": f"{self.at('www.googleapis.com')}/oauth2/v3/certs",
            "response_types_supported": ["code", "token", "id_token", "none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "authorization_response_iss_parameter_supported": True,
        }
