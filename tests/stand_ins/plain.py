"""OpenID provider without particulars, for a browser: its page has one person, and a test spoils what it answers."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from doorward_verify.encoding import b64url_encode
from tests.stand_ins.openid import OpenIdStandIn, Returned
from tests.stand_ins.serving import Called, Replied

GRACE: dict[str, Any] = {
    "sub": "grace-there",
    "email": "grace@example.net",
    "email_verified": True,
    "name": "Grace",
}


@dataclass
class PlainStandIn(OpenIdStandIn):
    """`answer_iss` is the parameter of its responses, None for its issuer. `statuses` are answers by path instead of the usual ones.
    `leads_to`: an attacker's provider sends the browser on to this authorization endpoint, with the parameters in `replaced` and all
    others as they came."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type", "scope"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"state", "nonce", "prompt", "max_age", "ui_locales", "login_hint", "acr_values"}
        | {"code_challenge", "code_challenge_method"}
    )
    prompts: ClassVar[frozenset[str]] = frozenset({"none", "login", "consent", "select_account"})

    answer_iss: str | None = None
    forged: bool = False
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    leads_to: str = ""
    replaced: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def issuer(self) -> str:
        """Its issuer, which is an origin."""
        return self.origin

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.issuer}/authorize"

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        del request
        return {"iss": self.issuer, **person}

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        return super().back(asked, {**answer, "iss": self.answer_iss or self.issuer})

    def tokens(self, request: dict[str, str], claims: dict[str, Any]) -> dict[str, Any]:
        """As the base class, or, `forged`, with a signature that is nobody's."""
        made = super().tokens(request, claims)
        if self.forged:
            made["id_token"] = f"{made['id_token'].rpartition('.')[0]}.{b64url_encode(bytes(256))}"
        return made

    def routed(self, called: Called) -> Replied:
        if (status := self.statuses.get(called.path)) is not None:
            return Replied(status, {"error": "as the test wants"})
        match called.method, called.path:
            case "GET", "/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/keys":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/token":
                return self.token(called)
            case "GET", "/authorize" if self.leads_to:
                onward = urlencode({**dict(called.query), **self.replaced})
                return Replied(303, {}, {"Location": f"{self.leads_to}?{onward}"})
            case "GET", "/authorize":
                return Replied(200, self._page(called))
            case _:
                return Replied(404, {})

    def _page(self, called: Called) -> str:
        asked = self.checked(called.query)
        yes = self.back(asked, self.granted(asked, GRACE))
        no = self.back(asked, {"error": "access_denied"})
        links = "".join(
            f'<p><a id="{name}" href="{html.escape(f"{one.url}?{urlencode(one.fields)}")}">{name}</a></p>'
            for name, one in (("continue", yes), ("cancel", no))
        )
        head = '<meta charset="utf-8"><title>Plain</title><link rel="icon" href="data:,">'
        return f'<!doctype html><html lang="en">{head}<main><h1>Sign in there</h1>{links}</main></html>'

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }
