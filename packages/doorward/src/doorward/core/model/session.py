"""A browser in which somebody is signed in."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.signin import Proof

MOST_DEVICES: Final = 6
"""People whom one browser is known by, at most: each has a secret of their own there, and the oldest one goes."""


MOST_KNOWN: Final = 100
"""Devices that one account knows, at most; the one that became known first goes."""

EndReason = Literal[
    "account_deleted",
    "account_disabled",
    "app_deleted",
    "code_reused",
    "disconnected",
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
    "too_many",
]
"""Why a session or a grant ended, as its row and the audit record keep it. A row may be of another version, so what it holds is text."""


class Session(Struct, frozen=True, kw_only=True):
    """`id` is the public `sid` (`ses_…`); the cookie holds another, secret value of which only the SHA-256 is stored.

    `expires_at` is the absolute end; the idle limit counts from `seen_at`. `auth_time` is the last time that the person
    actively proved who they are (OpenID Connect Core §2). `proofs` are what was shown in it; those of a program that did not store any
    are empty. They count only where they add up to `amr` and `auth_time` (`features/authn/flow/rules/vouching.py`).
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


class Consent(Struct, frozen=True):
    """What a person allowed an app to have: the scopes at one audience."""

    account_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
    granted_at: int
