"""Sample values that use every column, for the storage tests; each can be changed by keyword."""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec.structs import replace

from doorward.core.model.account import Account, EnrolledFactor
from doorward.core.model.audit import AuditEvent
from doorward.core.model.client import Client, ClientSecret
from doorward.core.model.config_snapshot import Api, Permission, Role, StoredSigningKey
from doorward.core.model.factor_demand import FactorDemand
from doorward.core.model.grant import AuthorizationCode, Grant, RefreshToken, Spent
from doorward.core.model.message import EmailChallenge, LogoutNotice, OutgoingMail
from doorward.core.model.passkey import Passkey
from doorward.core.model.request import AuthRequest
from doorward.core.model.revocation import Revocation
from doorward.core.model.sent_code import SentCode
from doorward.core.model.session import Consent, Session
from doorward.core.model.signin import Proof, SignIn
from doorward.storage.sql.store import Store

NOW = 1_800_000_000
DAY = 86_400


def sha(text: str) -> bytes:
    """The digest under which a secret is stored."""
    return hashlib.sha256(text.encode()).digest()


async def running_tries(store: Store, bucket: str, now: int) -> tuple[int, int]:
    """(attempts in the bucket's running window, end of that window in seconds since the epoch)."""
    for counted, end in (await store.attempts.counts([bucket])).values():
        if end > now:
            return counted, end
    return 0, now


def account(name: str = "ada", /, **changes: Any) -> Account:
    values: dict[str, Any] = {
        "id": f"usr_{name}",
        "email": f"{name}@example.org",
        "created_at": NOW,
        "name": "Ada Ünal",
        "locale": "de",
        "password_hash": "$argon2id$1",
        "password_changed_at": NOW,
        "given_name": "Ada",
        "family_name": "Ünal",
        "zoneinfo": "Europe/Istanbul",
        "updated_at": NOW - 1,
        "role_names": ("buyer", "shop keeper"),
        "password_version": 3,
    }
    return Account(**values | changes)


def factor(name: str = "totp", /, **changes: Any) -> EnrolledFactor:
    values: dict[str, Any] = {
        "id": f"fac_{name}",
        "account_id": "usr_ada",
        "kind": "totp",
        "created_at": NOW,
        "sealed": b"\x00sealed\xff",
    }
    return EnrolledFactor(**values | changes)


def demand(**changes: Any) -> FactorDemand:
    values: dict[str, Any] = {
        "account_id": "usr_ada",
        "asked_at": NOW,
        "postponed": "sin_one",
        "required_at": NOW + 1,
        "grace_until": NOW + DAY,
    }
    return FactorDemand(**values | changes)


def passkey(name: str = "phone", /, **changes: Any) -> Passkey:
    values: dict[str, Any] = {
        "factor_id": f"fac_{name}",
        "account_id": "usr_ada",
        "credential_id": b"\x00credential " + name.encode() + b"\xff" * 990,
        "public_key": b"\xa5\x01\x02\x00",
        "alg": -7,
        "sign_count": 4_294_967_290,
        "aaguid": "d548826e-79b4-db40-a3d8-11116f7e8349",
        "name": "Ünal’s phone",
        "transports": ("hybrid", "internal"),
        "discoverable": True,
        "user_verified": False,
        "backup_eligible": True,
        "backed_up": True,
        "attestation": "unverified",
        "made_silently": True,
        "last_used_at": NOW,
        "suspect_at": None,
    }
    return Passkey(**values | changes)


def client(name: str = "shop", /, **changes: Any) -> Client:
    values: dict[str, Any] = {
        "id": f"app_{name}",
        "name": name.title(),
        "auth_method": "client_secret_basic",
        "created_at": NOW,
        "secrets": (ClientSecret(sha("s"), NOW, NOW + 9),),
        "redirect_uris": ("https://shop.example/cb",),
        "access": {"https://api.example": ("orders:read", "orders:write")},
        "jwks": {"keys": [{"kty": "EC"}]},
    }
    return Client(**values | changes)


def api(name: str = "orders", /, **changes: Any) -> Api:
    values: dict[str, Any] = {
        "id": f"api_{name}",
        "identifier": f"https://{name}.example",
        "name": name.title(),
        "permissions": (Permission("orders:read", "See your orders"),),
        "created_at": NOW,
    }
    return Api(**values | changes)


def role(name: str = "buyer", /, **changes: Any) -> Role:
    values: dict[str, Any] = {
        "id": f"rol_{name}",
        "name": name,
        "permissions": {"https://orders.example": ("orders:read",)},
        "created_at": NOW,
        "default": True,
    }
    return Role(**values | changes)


def key(name: str = "one", /, **changes: Any) -> StoredSigningKey:
    values: dict[str, Any] = {
        "id": f"key_{name}",
        "alg": "ES256",
        "state": "current",
        "public_jwk": {"kty": "EC", "kid": f"key_{name}"},
        "sealed": b"\x00\x01",
        "created_at": NOW,
    }
    return StoredSigningKey(**values | changes)


def sign_in(name: str = "one", /, **changes: Any) -> SignIn:
    values: dict[str, Any] = {
        "id": f"sin_{name}",
        "created_at": NOW,
        "expires_at": NOW + 1800,
        "browser_hash": sha("browser"),
        "request": AuthRequest(
            client_id="app_shop",
            redirect_uri="https://shop.example/cb",
            response_mode="query",
            scopes=("openid", "email"),
            audience="https://orders.example",
            prompt=frozenset({"login", "consent", "select_account"}),
            claims={"id_token": {"email": {"essential": True}, "acr": None}},
        ),
        "proofs": (Proof("password", NOW, ("pwd",)),),
    }
    return SignIn(**values | changes)


def session(name: str = "one", /, **changes: Any) -> Session:
    values: dict[str, Any] = {
        "id": f"ses_{name}",
        "secret_hash": sha(f"session {name}"),
        "account_id": "usr_ada",
        "created_at": NOW,
        "seen_at": NOW,
        "auth_time": NOW,
        "expires_at": NOW + 30 * DAY,
        "acr": "urn:doorward:aal2",
        "amr": ("pwd", "otp", "mfa"),
        "user_agent": "Firefox",
        "address": "127.0.0.1",
    }
    return Session(**values | changes)


def consent(**changes: Any) -> Consent:
    values: dict[str, Any] = {
        "account_id": "usr_ada",
        "client_id": "app_shop",
        "audience": "https://orders.example",
        "scopes": ("openid", "orders:read"),
        "granted_at": NOW,
    }
    return Consent(**values | changes)


def grant(name: str = "one", /, **changes: Any) -> Grant:
    values: dict[str, Any] = {
        "id": f"grt_{name}",
        "client_id": "app_shop",
        "account_id": "usr_ada",
        "audience": "https://orders.example",
        "scopes": ("openid", "orders:read"),
        "created_at": NOW,
        "expires_at": NOW + 30 * DAY,
        "auth_time": NOW - 5,
        "acr": "urn:doorward:aal1",
        "amr": ("pwd",),
        "session_id": "ses_one",
        "offline": True,
        "nonce": "n-1",
        "claims": {"userinfo": {"email": None}},
    }
    return Grant(**values | changes)


def code(name: str = "one", /, **changes: Any) -> AuthorizationCode:
    values: dict[str, Any] = {
        "hash": sha(f"code {name}"),
        "grant_id": "grt_one",
        "client_id": "app_shop",
        "created_at": NOW,
        "expires_at": NOW + 60,
        "redirect_uri": "https://shop.example/cb",
        "code_challenge": "c" * 43,
    }
    return AuthorizationCode(**values | changes)


def refresh(name: str = "one", /, **changes: Any) -> RefreshToken:
    values: dict[str, Any] = {
        "grant_id": f"grt_{name}",
        "family_hash": sha(f"family {name}"),
        "generation": 1,
        "hash": sha(f"refresh {name}"),
        "created_at": NOW,
        "expires_at": NOW + 30 * DAY,
    }
    return RefreshToken(**values | changes)


def rotated(old: RefreshToken, name: str, at: int = NOW + 1) -> RefreshToken:
    """The successor of `old`, as a rotation writes it."""
    return replace(
        old,
        generation=old.generation + 1,
        hash=sha(f"refresh {name}"),
        created_at=at,
        recent=(Spent(old.hash, at, b"\x00" + name.encode()), *old.recent[:1]),
    )


def revocation(ref: str = "grt_one", /, **changes: Any) -> Revocation:
    values: dict[str, Any] = {"kind": "grant", "ref": ref, "at": NOW, "expires_at": NOW + 360}
    return Revocation(**values | changes)


def ticket(name: str = "one", /, **changes: Any) -> EmailChallenge:
    values: dict[str, Any] = {
        "id": f"tkt_{name}",
        "kind": "sign_up",
        "email": "ada@example.org",
        "code_hash": sha("123456"),
        "link_hash": sha(f"link {name}"),
        "browser_hash": sha("browser"),
        "created_at": NOW,
        "expires_at": NOW + 600,
        "sign_in_id": "sin_one",
        "payload": {"name": "Ada", "password_hash": "$argon2id$1"},
    }
    return EmailChallenge(**values | changes)


def sent_code(name: str = "one", /, **changes: Any) -> SentCode:
    values: dict[str, Any] = {
        "id": f"cod_{name}",
        "request": "sin_one",
        "account_id": "usr_ada",
        "kind": "email_code",
        "factor_id": "fac_totp",
        "code_hash": sha("123456"),
        "target": None,
        "message_id": "mai_one",
        "sends": 1,
        "created_at": NOW,
        "expires_at": NOW + 600,
    }
    return SentCode(**values | changes)


def mail(name: str = "one", /, **changes: Any) -> OutgoingMail:
    values: dict[str, Any] = {
        "id": f"mai_{name}",
        "to": "ada@example.org",
        "kind": "verify_address",
        "sealed": b"\x00mail",
        "created_at": NOW,
        "next_try_at": NOW,
    }
    return OutgoingMail(**values | changes)


def notice(name: str = "one", /, **changes: Any) -> LogoutNotice:
    values: dict[str, Any] = {
        "id": f"lgo_{name}",
        "client_id": "app_shop",
        "account_id": "usr_ada",
        "session_id": "ses_one",
        "created_at": NOW,
        "next_try_at": NOW,
    }
    return LogoutNotice(**values | changes)


SEEN = ("sign_in.succeeded", "sign_in.failed")
"""Kinds of lines that are queried together."""


def event(number: int = 1, /, **changes: Any) -> AuditEvent:
    values: dict[str, Any] = {
        "id": f"aud_{number:032x}",
        "at": NOW,
        "kind": "sign_in.succeeded",
        "account_id": "usr_ada",
        "client_id": "app_shop",
        "session_id": "ses_one",
        "grant_id": "grt_one",
        "address": "127.0.0.1",
        "user_agent": "Firefox",
        "request_id": "r1",
        "detail": {"factor": "password", "count": 3, "list": [1, None]},
    }
    return AuditEvent(**values | changes)
