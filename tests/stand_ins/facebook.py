"""Facebook: versions in the paths, proofs of the app's secret, errors as objects, and people without an address."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec

from doorward_verify.encoding import b64url_encode
from tests.stand_ins.oauth2 import OAuth2StandIn
from tests.stand_ins.openid import RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

VERSION = "v25.0"
FIELDS = frozenset({"id", "name", "email", "first_name", "last_name"})


@dataclass
class FacebookStandIn(OAuth2StandIn):
    """`version`: the one that its paths must have. Its app requires the proof of the secret for every call."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "state"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"response_type", "scope", "auth_type", "auth_nonce", "return_scopes", "display"}
    )
    token_fields: ClassVar[frozenset[str]] = frozenset(
        {"client_id", "redirect_uri", "client_secret", "code", "grant_type"}
    )
    basic: ClassVar[bool] = False

    version: str = VERSION

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.at('www.facebook.com')}/{self.version}/dialog/oauth"

    def check(self, asked: dict[str, str]) -> None:
        if not set(self.scopes(asked)) <= {"public_profile", "email"}:
            raise RefusedAtTheService(f"Invalid Scopes: {asked['scope']}")
        if asked.get("response_type", "code") != "code":
            raise RefusedAtTheService("response_type")

    def cancelled(self, url: str) -> Returned:
        """The way back after Cancel."""
        return self.failed(
            url,
            "access_denied",
            error_code="200",
            error_description="Permissions error",
            error_reason="user_denied",
        )

    def not_set_up(self, url: str) -> Returned:
        """The way back when the app is not live: an answer without `error`."""
        answer = {"error_code": "1349126", "error_message": "App Not Setup: This app is in development mode"}
        return self.back(self.asked(url), answer)

    def error(self, code: str, status: int = 400) -> Replied:
        """An error of the Graph API."""
        del status
        numbers = {"invalid_client": (101, None), "invalid_grant": (100, 36009)}
        number, sub = numbers.get(code, (100, None))
        said = {"message": f"{code} …", "type": "OAuthException", "code": number, "fbtrace_id": "Ax"}
        return Replied(400, {"error": said if sub is None else {**said, "error_subcode": sub}})

    def token(self, called: Called) -> Replied:
        # both ways are documented; the library of the proof uses the one with GET
        form = dict(called.query if called.method == "GET" else called.form)
        form.setdefault("grant_type", "authorization_code")
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if called.method == "POST":
            headers = called.headers
        return super().token(Called("POST", called.path, [], headers, urlencode(form)))

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        said = super().tokens(request, claims)
        said.pop("scope", None)
        return {**said, "expires_in": 5_183_944}

    def routed(self, called: Called) -> Replied:
        prefix = f"/{self.version}"
        if called.path == f"{prefix}/oauth/access_token":
            return self.token(called)
        if called.path == f"{prefix}/me" and called.method == "GET":
            return self._me(called)
        return self.error("Unknown path components")

    def _me(self, called: Called) -> Replied:
        asked = dict(called.query)
        token = asked.pop("access_token", None)
        if token is not None:
            called = Called("GET", called.path, [], {"authorization": f"Bearer {token}"}, "")
        found = self.holder(called)
        if found is None:
            return Replied(400, {"error": {"message": "…", "type": "OAuthException", "code": 190}})
        access = next(name for name, one in self.holders.items() if one is found)
        proof = hmac.new(self.secret.encode(), access.encode(), hashlib.sha256).hexdigest()
        if asked.get("appsecret_proof") != proof:
            self.refused.append("appsecret_proof")
            said = {"message": "Invalid appsecret_proof", "type": "GraphMethodException", "code": 100}
            return Replied(400, {"error": said})
        fields = set(asked.get("fields", "id,name").split(","))
        if set(asked) - {"fields", "appsecret_proof"} or not fields <= FIELDS:
            self.refused.append(f"fields: {sorted(fields)}")
            return self.error("unknown field")
        if "email" not in found["granted"]:
            fields.discard("email")
        # a field that somebody does not have is left out, and never null
        return Replied(200, self.person({name: found[name] for name in fields if found.get(name)}))

    def signed_request(self, **changes: Any) -> str:
        """What Facebook posts to the address for deletions."""
        said = {"algorithm": "HMAC-SHA256", "issued_at": self.clock.time, "user_id": "10", **changes}
        payload = b64url_encode(
            msgspec.json.encode({name: one for name, one in said.items() if one is not None})
        )
        mac = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).digest()
        return f"{b64url_encode(mac)}.{payload}"
