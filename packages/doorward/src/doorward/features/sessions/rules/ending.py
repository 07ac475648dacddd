"""What enters the revocation view when a token, a grant, a session, a person or an app ends, and how long it stays there."""

from __future__ import annotations

from collections.abc import Iterable

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Catalog
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.revocation import Revocation

MARGIN = 600
"""Seconds that an entry outlives the last token it concerns: the clock skew that a verifier may grant (60, RFC 7519 §4.1.4), and
clocks that are set back or differ by up to nine minutes. Else the entry would be gone where the token still seems to live."""

CATALOG_LAG = 5
"""Seconds for which another process may still answer from a snapshot that holds a deleted app (it is reloaded within one)."""


def longest_life(policy: TokenPolicy, clients: Iterable[Client]) -> int:
    """The longest life in seconds that any access token given out now can have."""
    return max(policy.access_ttl, max((client.access_token_ttl or 0 for client in clients), default=0))


def longest_living(policy: TokenPolicy, catalog: Catalog) -> int:
    """The same of any that may still live: a shorter life set a moment ago does not shorten what was given out before. What
    signed it is current or previous, and remembers."""
    signed = (key.token_life for key in catalog.keys if key.state in {"current", "previous"})
    return max(longest_life(policy, catalog.clients.values()), max(signed, default=0))


def of_token(jti: str, *, exp: int, now: int) -> Revocation:
    """One access token (RFC 7009 §2.1), known to expire at `exp`."""
    return Revocation(kind="jti", ref=jti, at=now, expires_at=exp + MARGIN)


def of_grant(grant_id: str, *, now: int, life: int) -> Revocation:
    """Every access token of one grant: their `jti` begins with its id. `life` as of `longest_life`."""
    return Revocation(kind="grant", ref=grant_id, at=now, expires_at=now + life + MARGIN)


def of_session(session_id: str, *, now: int, life: int) -> Revocation:
    """Every access token that carries this `sid` (OpenID Connect Back-Channel Logout 1.0 §2.7)."""
    return Revocation(kind="sid", ref=session_id, at=now, expires_at=now + life + MARGIN)


def of_account(account_id: str, *, now: int, life: int) -> Revocation:
    """Every access token of a person issued up to now (ASVS 7.4.2); an account enabled again gets new ones."""
    return Revocation(kind="sub", ref=account_id, at=now, expires_at=now + life + MARGIN, before=now)


def of_client(client_id: str, *, now: int, life: int) -> Revocation:
    """Every access token of an app. Its id is never used again, so the bound may lie ahead and cover what a process whose
    snapshot is a moment old still gives out."""
    until = now + CATALOG_LAG
    return Revocation(kind="client", ref=client_id, at=now, expires_at=until + life + MARGIN, before=until)
