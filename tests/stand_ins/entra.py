"""Microsoft Entra: many tenants behind one endpoint, whose issuer is a template, and whose people are known by `oid`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.stand_ins.openid import OpenIdStandIn, RefusedAtTheService, Returned
from tests.stand_ins.serving import Called, Replied

CONTOSO = "11111111-aaaa-4bbb-8ccc-000000000001"
FABRIKAM = "22222222-aaaa-4bbb-8ccc-000000000002"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
_MANY = frozenset({"common", "organizations"})
_CORE = frozenset({"max_age", "ui_locales", "acr_values", "claims", "display"})
_CODES = {"invalid_grant": 70008, "invalid_client": 7000215, "invalid_request": 900144}


@dataclass
class EntraStandIn(OpenIdStandIn):
    """`overage`: the groups of a person are too many for a token, which then has `_claim_names`. `key_issuer` is the `issuer` of the key."""

    required: ClassVar[frozenset[str]] = frozenset({"client_id", "response_type", "redirect_uri", "scope"})
    documented: ClassVar[frozenset[str]] = _CORE | {
        "response_mode",
        "state",
        "nonce",
        "prompt",
        "login_hint",
        "domain_hint",
        "code_challenge",
        "code_challenge_method",
    }
    prompts: ClassVar[frozenset[str]] = frozenset({"login", "none", "consent", "select_account"})
    token_fields: ClassVar[frozenset[str]] = OpenIdStandIn.token_fields | {"scope"}

    home: str = "organizations"
    """The tenant in the address that the client uses."""
    overage: bool = False
    key_issuer: str | None = None
    spoiled_metadata: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def base(self) -> str:
        """The host on which all tenants are."""
        return self.at("login.microsoftonline.com")

    @property
    def issuer(self) -> str:
        """Where the metadata are, as the settings name it."""
        return f"{self.base}/{self.home}/v2.0"

    def issuer_of(self, tenant: str) -> str:
        """What tokens of this tenant have."""
        return f"{self.base}/{tenant}/v2.0"

    def is_authorization(self, url: str) -> bool:
        return url == f"{self.base}/{self.home}/oauth2/v2.0/authorize"

    def check(self, asked: dict[str, str]) -> None:
        if "openid" not in asked["scope"].split():
            raise RefusedAtTheService("AADSTS900144: scope has no openid")
        if asked["response_type"] != "code":
            raise RefusedAtTheService("AADSTS700054: unsupported_response_type")

    def claims(self, person: dict[str, Any], request: dict[str, str]) -> dict[str, Any]:
        tenant, now = person.get("tid", CONTOSO), self.clock.time
        scopes = request["scope"].split()
        if self.home not in _MANY and tenant != self.home:
            raise RefusedAtTheService("AADSTS50020: the account is of another tenant")
        groups: dict[str, Any] = {}
        if self.overage:
            place = f"https://graph.microsoft.com/v1.0/users/{person['oid']}/getMemberObjects"
            groups = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": place}}}
        elif "groups" in person:
            groups = {"groups": person["groups"]}
        return {
            "iss": self.issuer_of(tenant),
            # another one for each app registration, so that it is no key
            "sub": f"pairwise-{person['oid']}-{self.client_id}",
            "tid": tenant,
            "ver": "2.0",
            "nbf": now - 300,
            "iat": now - 300,
            "uti": "u1",
            "rh": "0.x",
            "oid": person["oid"] if "profile" in scopes else None,
            "name": person.get("name") if "profile" in scopes else None,
            "preferred_username": person.get("upn") if "profile" in scopes else None,
            "email": person.get("email") if "email" in scopes else None,
            "xms_edov": person.get("xms_edov"),
            "at_hash": None,
            **groups,
        }

    def back(self, asked: dict[str, str], answer: dict[str, str]) -> Returned:
        more = {"session_state": "s1"} if "code" in answer else {"error_description": "AADSTS65004: details"}
        return super().back(asked, {**answer, **more})

    def error(self, code: str, status: int = 400) -> Replied:
        number = _CODES.get(code, 0)
        document = {
            "error": code,
            "error_description": f"AADSTS{number}: details",
            "error_codes": [number],
            "timestamp": "2026-11-30 10:00:00Z",
            "trace_id": "t1",
            "correlation_id": "c1",
        }
        return Replied(status, document)

    def routed(self, called: Called) -> Replied:
        match called.method, called.path.removeprefix(f"/{self.home}"):
            case "GET", "/v2.0/.well-known/openid-configuration":
                return Replied(200, {**self._metadata(), **self.spoiled_metadata})
            case "GET", "/discovery/v2.0/keys":
                issuer = self.key_issuer or self.issuer_of("{tenantid}")
                return Replied(200, {"keys": [{**_without_alg(self.key.public_jwk()), "issuer": issuer}]})
            case "POST", "/oauth2/v2.0/token":
                return self.token(called)
            case _:
                return Replied(404, {})

    def _metadata(self) -> dict[str, Any]:
        tenant = "{tenantid}" if self.home in _MANY else self.home
        place = f"{self.base}/{self.home}"
        return {
            "issuer": self.issuer_of(tenant),
            "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{place}/oauth2/v2.0/token",
            "jwks_uri": f"{place}/discovery/v2.0/keys",
            "userinfo_endpoint": f"{self.at('graph.microsoft.com')}/oidc/userinfo",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "tenant_region_scope": None,
            "cloud_instance_name": "microsoftonline.com",
        }


def _without_alg(jwk: dict[str, str]) -> dict[str, str]:
    """Microsoft's keys name no algorithm."""
    return {name: value for name, value in jwk.items() if name != "alg"}
