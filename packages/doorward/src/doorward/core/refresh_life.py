"""Life of a refresh token family: the seconds for which somebody stays signed in to an app at most."""

from __future__ import annotations

from doorward.core.model.client import Client
from doorward.core.model.policy import LONGEST, TokenPolicy


def refresh_life(client: Client, policy: TokenPolicy) -> int:
    """The app's own, else the server's. An app may have been registered with more than can be counted: then `LONGEST`."""
    return min(client.refresh_token_ttl or policy.refresh_ttl, LONGEST)
