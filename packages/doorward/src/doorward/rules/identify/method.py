"""Does the app use the one way of proving itself that it is registered for? (RFC 7591 §2, line 24)"""

from __future__ import annotations

from doorward.model.client import Client
from doorward.model.refusal import Refusal
from doorward.rules.identify.presented import FAILED, Presented


def registered(presented: Presented, client: Client) -> Refusal | None:
    """None when it does. A stolen secret sent in the body is no good for an app that signs assertions, and a secret is never
    accepted where none should be."""
    if presented.method == client.auth_method:
        return None
    return Refusal(
        "invalid_client",
        FAILED,
        f"app {client.name!r} is registered for {client.auth_method} and used {presented.method}",
    )
