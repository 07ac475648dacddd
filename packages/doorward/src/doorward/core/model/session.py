"""Browser session, and consents."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.signin import Proof

MOST_DEVICES: Final = 6
"""The most accounts that know one browser: each has a secret of its own there, and the oldest one is removed."""


MOST_KNOWN: Final = 100
"""The most devices that one account knows; the oldest one is removed."""

EndReason = Literal[
    "account_deleted",
    "account_disabled",
    "app_deleted",
    "code_reused",
    "disconnected",
    "ended_by_operator",
    "ended_by_owner",
    "password_changed",
    "password_reset",
    "refresh_token_replayed",
    "replaced",
    "reported_by_owner",
    "restored",
    "revoked",
    "second_factor_reset",
    "signed_out",
    "signed_out_by_app",
    "signed_out_by_provider",
    "too_many",
]
"""The reason why a session or a grant ended, in its row and the audit log. A row may come from another version, so the
stored type is text."""


class Session(Struct, frozen=True, kw_only=True):
    """`id` is the public `sid` (`ses_…`); the cookie holds another, secret value of which only the SHA-256 is stored.

    `expires_at` is the absolute end; the idle limit counts from `seen_at`. `auth_time` is the last time that the person
    actively authenticated (OpenID Connect Core §2). `proofs` are the factors shown then; empty if written by a version
    that did not store them. They count only if they match `amr` and `auth_time`
    (`features/authn/flow/rules/vouching.py`). `device_hash` is the one with which the account knows the browser; None if written by a version
    that did not store it. `name` is what the owner calls the device.
    """

    id: str
    secret_hash: bytes
    account_id: str
    created_at: int
    seen_at: int
    auth_time: int
    expires_at: int
    acr: str
    amr: tuple[str, ...]
    user_agent: str = ""
    address: str = ""
    ended_at: int | None = None
    end_reason: str | None = None
    proofs: tuple[Proof, ...] = ()
    device_hash: bytes | None = None
    name: str | None = None


class KnownDevice(Struct, frozen=True):
    """A browser that an account knows: its digest, and what the owner calls it."""

    device_hash: bytes
    name: str | None = None


class Consent(Struct, frozen=True):
    """The scopes at one audience that a person allowed an app."""

    account_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
    granted_at: int
