"""Sign in with Apple: an answer by a form of another site, a client secret that is a signed token, and a name that comes once."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward_verify.auth_error import AuthError
from doorward_verify.jwk import SigningKey, signing_key
from doorward_verify.jws import parse_header, split, verify
from doorward_verify.keyset import key_set
from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

TEAM, KEY_ID = "DEF123GHIJ", "ABC123DEFG"
SIX_MONTHS = 15_777_000
"""Seconds: the longest life of a client secret."""


def p8() -> tuple[str, SigningKey]:
    """The key that Apple gives out once, as the text of its file, and as a key."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, signing_key(key, kid=KEY_ID)


@dataclass
class AppleStandIn(OpenIdStandIn):
    """`client_key` is the key of the developer's account. `verified_as_text`: `email_verified` is "true". `secrets` are the claims of the
    client secrets that were accepted."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "redirect_uri", "response_type"})
    documented: ClassVar[frozenset[str]] = frozenset(
        {"response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method"}
    )
    basic: ClassVar[bool] = False
    refuses_unknown_clients_with: ClassVar[int] = 400

    client_key: SigningKey | None = None
    verified_as_text: bool = True
    secrets: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _known: set[str] = field(default_factory=set[str])

    @property
    def issuer(self) -> str:
        """Its issuer, which is an origin."""
        return self.at("appleid.apple.com")

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.issuer}/auth/authorize"

    def check(self, asked: dict[str, str]) -> None:
        scopes = set(asked.get("scope", "").split())
        if not scopes <= {"openid", "name", "email"}:
            raise RefusedAtTheService(f"invalid_scope: {asked['scope']}")
        if asked["response_type"] not in {"code", "code id_token"}:
            raise RefusedAtTheService("unsupported_response_type")
        if scopes & {"name", "email"} and asked.get("response_mode") != "form_post":
            raise RefusedAtTheService("invalid_request: response_mode must be form_post")

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        del request
        now, verified = self.clock.time, person.get("email_verified", True)
        return {
            "iss": self.issuer,
            "sub": person["sub"],
            "exp": now + 86_400,
            "email": person.get("email"),
            "email_verified": str(verified).lower() if self.verified_as_text else verified,
            "is_private_email": "true" if "privaterelay" in str(person.get("email")) else None,
            "auth_time": now,
            "nonce_supported": True,
        }

    def granted(self, asked: dict[str, str], person: dict[str, Any]) -> dict[str, str]:
        answer = super().granted(asked, person)
        if "id_token" in asked["response_type"]:
            answer["id_token"] = "unused"
        if person["sub"] not in self._known and "name" in asked.get("scope", "").split():
            first, _, last = person.get("name", "").partition(" ")
            named = {"name": {"firstName": first, "lastName": last}, "email": person.get("email")}
            answer["user"] = json.dumps(named)
        self._known.add(person["sub"])
        return answer

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        return Returned("POST", asked["redirect_uri"], {**answer, "state": asked["state"]})

    def cancelled(self, url: str) -> Returned:
        """The way back after Cancel."""
        return self.failed(url, "user_cancelled_authorize")

    def good_secret(self, given: str) -> bool:
        try:
            header = parse_header(split(given)[0])
            assert self.client_key is not None
            signed = verify(
                given, key_set("client", [self.client_key.public()]), algorithms=("ES256",), types={"", "jwt"}
            )
        except AuthError:
            return False
        said, now = msgspec.json.decode(signed.payload), self.clock.time
        good = (
            header.kid == KEY_ID
            and set(said) == {"iss", "iat", "exp", "aud", "sub"}
            and (said["iss"], said["sub"], said["aud"]) == (TEAM, self.client_id, self.issuer)
            and said["iat"] <= now < said["exp"] <= said["iat"] + SIX_MONTHS
        )
        self.secrets += [said] if good else []
        return good

    def routed(self, called: Called) -> Replied:
        match called.method, called.path:
            case "GET", "/.well-known/openid-configuration":
                return Replied(200, self._metadata())
            case "GET", "/auth/keys":
                return Replied(200, {"keys": [self.key.public_jwk()]})
            case "POST", "/auth/token":
                return self.token(called)
            case "GET", "/auth/authorize":
                return Replied(200, self._page(called))
            case _:
                return Replied(404, {})

    def _page(self, called: Called) -> str:
        """What a person sees: each button is a form to the redirect URI, as Apple's own page sends one."""
        asked = self.checked(called.query)
        person = {
            "sub": "000792.grace.0638",
            "email": "grace@privaterelay.appleid.com",
            "name": "Grace Hopper",
        }
        yes = self.back(asked, self.granted(asked, person))
        no = self.back(asked, {"error": "user_cancelled_authorize"})
        forms = "".join(_form(name, one) for name, one in (("continue", yes), ("cancel", no)))
        head = '<meta charset="utf-8"><title>Apple Account</title><link rel="icon" href="data:,">'
        return f'<!doctype html><html lang="en">{head}<main><h1>Sign in to Apple Account</h1>{forms}</main></html>'

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth/authorize",
            "token_endpoint": f"{self.issuer}/auth/token",
            "revocation_endpoint": f"{self.issuer}/auth/revoke",
            "jwks_uri": f"{self.issuer}/auth/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "name"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }


def _form(name: str, back: Returned) -> str:
    fields = "".join(
        f'<input type="hidden" name="{one}" value="{html.escape(value)}">'
        for one, value in back.fields.items()
    )
    action = html.escape(back.url)
    return f'<form method="post" action="{action}">{fields}<button id="{name}">{name}</button></form>'
