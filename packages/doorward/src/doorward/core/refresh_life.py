"""Lifetime of a refresh token family: the maximum seconds that a person stays signed in to an app."""

from __future__ import annotations

from doorward.core.model.client import Client
from doorward.core.model.policy import LONGEST, TokenPolicy


def refresh_life(client: Client, policy: TokenPolicy) -> int:
    """The app's own, else the server's. A registered value may be too large to calculate with: then `LONGEST`."""
    return min(client.refresh_token_ttl or policy.refresh_ttl, LONGEST)
