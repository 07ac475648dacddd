"""Does the app know its secret? (client_secret_basic and client_secret_post, OAuth 2.1 §2.4.1)"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Final

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.features.oauth.client_auth.rules.presented import FAILED, Presented

METADATA: Final = ("client_secret_basic", "client_secret_post")


def check(presented: Presented, client: Client, now: int) -> Refusal | None:
    """None when the secret is one of the live ones.

    The secret is 256 random bits, so one SHA-256 is enough and a password hash would only slow everything down; every live
    secret is compared, in constant time, so that neither the match's place nor its length shows (line 24).
    """
    digest = sha256(
        presented.secret.reveal().encode("utf-8", "surrogatepass") if presented.secret else b""
    ).digest()
    right = False
    for secret in client.secrets:
        if secret.expires_at is None or secret.expires_at > now:
            right |= compare_digest(digest, secret.hash)
    return None if right else Refusal("invalid_client", FAILED, "the secret is wrong or has expired")
