"""Discord: a document of the person that says whether the address is confirmed, and `iss` in its responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.stand_ins.oauth2 import OAuth2StandIn
from tests.stand_ins.openid import RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

ME = ("id", "username", "global_name", "discriminator", "avatar", "email", "verified", "mfa_enabled")


@dataclass
class DiscordStandIn(OAuth2StandIn):
    """Its API is below /api, with or without a version."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"state", "prompt", "code_challenge", "code_challenge_method", "integration_type"}
    )
    prompts: ClassVar[frozenset[str]] = frozenset({"none", "consent"})

    def is_authorization(self, url: str) -> bool:
        host = self.at("discord.com")
        return url in {f"{host}/oauth2/authorize", f"{host}/api/oauth2/authorize"}

    def check(self, asked: dict[str, str]) -> None:
        if asked["response_type"] != "code":
            raise RefusedAtTheService("unsupported_response_type")
        if not set(asked["scope"].split()) <= {"identify", "email"}:
            raise RefusedAtTheService("invalid_scope")

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        iss = {"iss": self.at("discord.com")}
        return Returned("GET", asked["redirect_uri"], {**answer, "state": asked["state"], **iss})

    def cancelled(self, url: str) -> Returned:
        """The way back after Cancel."""
        said = "The resource owner or authorization server denied the request"
        return self.failed(url, "access_denied", error_description=said)

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "POST", "/api/oauth2/token":
                return self.token(called)
            case "GET", "/api/users/@me":
                found = self.holder(called)
                if found is None or "identify" not in found["granted"]:
                    return Replied(401, {"message": "401: Unauthorized", "code": 0})
                shown = {name: found.get(name) for name in ME}
                if "email" not in found["granted"]:
                    shown = {name: one for name, one in shown.items() if name not in {"email", "verified"}}
                return Replied(200, {**shown, **self.spoiled_person})
            case _:
                return Replied(404, {"message": "404: Not Found", "code": 0})
