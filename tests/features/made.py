"""Default values for the protocol tests: one app of each kind, one person, one API, one grant."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from doorward.core.model.account import Account
from doorward.core.model.caller import Caller
from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, Permission, Role
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken
from doorward.core.model.token_request import TokenRequest
from tests.manual_clock import NOW

ISSUER = "https://auth.example.com"
API = "https://api.example.com"
SECRET = "dw_cs_" + "s" * 43
VERIFIER = "v" * 43
REDIRECT = "https://app.example.com/callback"


def client(**changes: Any) -> Client:
    """A confidential web app with a secret, all grants, and an API."""
    values: dict[str, Any] = {
        "id": "app_web",
        "name": "web",
        "auth_method": "client_secret_basic",
        "created_at": NOW - 1000,
        "id_token_signed_alg": "ES256",
        "secrets": (ClientSecret(sha256(SECRET.encode()).digest(), NOW - 1000),),
        "redirect_uris": (REDIRECT,),
        "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
        "access": {API: ("orders:read", "orders:write")},
    }
    return Client(**{**values, **changes})


def public(**changes: Any) -> Client:
    """A public app, without a secret."""
    return client(
        **{
            "id": "app_spa",
            "name": "spa",
            "auth_method": "none",
            "secrets": (),
            "grant_types": ("authorization_code", "refresh_token"),
            **changes,
        }
    )


def account(**changes: Any) -> Account:
    """Ada, who may read orders."""
    values: dict[str, Any] = {
        "id": "usr_ada",
        "email": "ada@example.com",
        "created_at": NOW - 5000,
        "name": "Ada",
        "locale": "en",
        "role_names": ("reader",),
    }
    return Account(**{**values, **changes})


def config(*clients: Client, **changes: Any) -> ConfigSnapshot:
    """The orders API, the role that reaches it, and the given apps (by default the web app)."""
    api = Api(
        id="api_orders",
        identifier=API,
        name="orders",
        permissions=(Permission("orders:read"), Permission("orders:write")),
        created_at=NOW - 1000,
        client_id="app_orders",
    )
    role = Role(id="rol_reader", name="reader", permissions={API: ("orders:read",)}, created_at=NOW - 1000)
    values: dict[str, Any] = {
        "version": 1,
        "clients": {one.id: one for one in clients or (client(),)},
        "apis": {API: api},
        "roles": {"reader": role},
    }
    return ConfigSnapshot(**{**values, **changes})


def grant(**changes: Any) -> Grant:
    """Ada's sign-in at the web app."""
    values: dict[str, Any] = {
        "id": "grt_one",
        "client_id": "app_web",
        "account_id": "usr_ada",
        "audience": API,
        "scopes": ("openid", "email", "orders:read"),
        "created_at": NOW - 100,
        "expires_at": NOW + 86_400,
        "auth_time": NOW - 100,
        "acr": "urn:doorward:aal1",
        "amr": ("pwd",),
        "session_id": "ses_one",
        "nonce": "n-0",
    }
    return Grant(**{**values, **changes})


def code(**changes: Any) -> AuthorizationCode:
    """A code of that grant, bound to `VERIFIER`."""
    values: dict[str, Any] = {
        "hash": b"c" * 32,
        "grant_id": "grt_one",
        "client_id": "app_web",
        "created_at": NOW - 5,
        "expires_at": NOW + 55,
        "redirect_uri": REDIRECT,
        "code_challenge": challenge(VERIFIER),
    }
    return AuthorizationCode(**{**values, **changes})


def challenge(verifier: str) -> str:
    """S256 of a verifier (RFC 7636 §4.2)."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def refresh(**changes: Any) -> RefreshToken:
    """The first refresh token of that grant."""
    values: dict[str, Any] = {
        "grant_id": "grt_one",
        "family_hash": b"f" * 32,
        "generation": 1,
        "hash": b"r" * 32,
        "created_at": NOW - 100,
        "expires_at": NOW + 86_400,
    }
    return RefreshToken(**{**values, **changes})


def token_request(form: Mapping[str, str] | None = None, **changes: Any) -> TokenRequest:
    """A request to the token endpoint, without a credential."""
    values: dict[str, Any] = {
        "form": form or {},
        "method": "POST",
        "url": f"{ISSUER}/token",
        "caller": Caller("192.0.2.1", "tests", "req-1"),
        "now": NOW,
    }
    return TokenRequest(**values | changes)
