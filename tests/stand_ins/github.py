"""GitHub: errors with status 200, addresses in a list of their own, and `iss` in its responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tests.stand_ins.oauth2 import OAuth2StandIn
from tests.stand_ins.openid import RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

ERRORS = {
    "invalid_client": "incorrect_client_credentials",
    "invalid_grant": "bad_verification_code",
    "redirect_uri_mismatch": "redirect_uri_mismatch",
}
SCOPES = frozenset({"read:user", "user:email", "user", "read:org"})


@dataclass
class GitHubStandIn(OAuth2StandIn):
    """`names_issuer`: its responses have `iss`, as those of github.com since 2026."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "state"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"response_type", "login", "scope", "code_challenge", "code_challenge_method", "allow_signup"}
        | {"prompt"}
    )
    prompts: ClassVar[frozenset[str]] = frozenset({"select_account"})
    basic: ClassVar[bool] = False
    wrong_redirect: ClassVar[str] = "redirect_uri_mismatch"

    names_issuer: bool = True

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.at('github.com')}/login/oauth/authorize"

    def check(self, asked: dict[str, str]) -> None:
        if not set(self.scopes(asked)) <= SCOPES:
            raise RefusedAtTheService(f"no scope of this stand-in: {asked['scope']}")
        if asked.get("response_type", "code") != "code":
            raise RefusedAtTheService("unsupported_response_type")

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        iss = {"iss": f"{self.at('github.com')}/login/oauth"} if self.names_issuer else {}
        return Returned("GET", asked["redirect_uri"], {**answer, "state": asked["state"], **iss})

    def cancelled(self, url: str) -> Returned:
        """The way back after Cancel."""
        return self.failed(
            url, "access_denied", error_description="The user has denied your application access."
        )

    def error(self, code: str, status: int = 400) -> Replied:
        """Every error of its token endpoint has status 200."""
        del status
        return Replied(
            200, {"error": ERRORS.get(code, code), "error_description": "…", "error_uri": "/apps/…"}
        )

    def token(self, called: Called) -> Replied:
        if called.headers.get("accept") != "application/json":
            self.refused.append("form-encoded")
            return Replied(200, "access_token=form&scope=&token_type=bearer")
        reply = super().token(called)
        if "error" in reply.document:
            self.refused.append(reply.document["error"])
        return reply

    def routed(self, called: Called) -> Replied:
        if called.path == "/login/oauth/access_token" and called.method == "POST":
            return self.token(called)
        if called.method != "GET" or called.path not in {"/user", "/user/emails"}:
            return Replied(404, {"message": "Not Found"})
        if not called.headers.get("user-agent"):
            return Replied(403, {"message": "Request forbidden by administrative rules."})
        found = self.holder(called, "token")
        if found is None:
            return Replied(401, {"message": "Bad credentials", "status": "401"})
        if called.path == "/user/emails":
            return self._emails(found)
        return Replied(200, self.person(_user(found)))

    @staticmethod
    def _emails(found: dict[str, Any]) -> Replied:
        if not {"user:email", "user"} & set(found["granted"]):
            return Replied(404, {"message": "Not Found"})
        return Replied(200, found.get("emails", []))


def listed(email: str, *, primary: bool = True, verified: bool = True) -> dict[str, Any]:
    """An entry of the list of addresses."""
    seen = "private" if primary else None
    return {"email": email, "primary": primary, "verified": verified, "visibility": seen}


def _user(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "login": found["login"],
        "id": found["id"],
        "node_id": "MDQ6VXNlcjE=",
        "type": "User",
        "name": found.get("name"),
        # that of the public profile
        "email": found.get("email"),
        "two_factor_authentication": True,
    }
