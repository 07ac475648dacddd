"""A public app proves nothing: PKCE and its redirect URI have to carry it (OAuth 2.1 §2.4, §7.8)."""

from __future__ import annotations

from typing import Final

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.features.oauth.client_auth.rules.presented import FAILED, Presented

METADATA: Final = ("none",)


def check(presented: Presented, client: Client) -> Refusal | None:
    """None for an app that has nothing to prove itself with; one that holds a credential never gets in without it."""
    if client.secrets or client.jwks or presented.secret is not None or presented.assertion is not None:
        return Refusal(
            "invalid_client", FAILED, f"app {client.name!r} is public but a credential is involved"
        )
    return None
