"""Entries of the revocation view for the end of a token, a grant, a session, a person or an app, and their expiry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.revocation import Revocation

MARGIN = 600
"""Seconds that an entry outlives the last token it concerns: the clock skew that a verifier may allow (60, RFC 7519 §4.1.4), and clocks
that are set back or differ by up to nine minutes. Otherwise the entry would be gone where the token still seems valid."""

SNAPSHOT_LAG = 5
"""Seconds for which another process may still use a snapshot with a deleted app (it is reloaded within one)."""


def longest_life(policy: TokenPolicy, clients: Iterable[Client]) -> int:
    """The longest life in seconds of any access token issued now."""
    return max(policy.access_ttl, max((client.access_token_ttl or 0 for client in clients), default=0))


def longest_living(policy: TokenPolicy, config: ConfigSnapshot) -> int:
    """The longest life of any token that may still be live: a setting shortened a moment ago does not shorten tokens issued before. The
    current and previous keys store the life of the tokens that they signed."""
    signed = (key.token_life for key in config.keys if key.state in {"current", "previous"})
    return max(longest_life(policy, config.clients.values()), max(signed, default=0))


def one_api(grant: Grant, client: Client | None) -> str | None:
    """The only API that tokens beginning with this grant can be for; None if there may be others, because its app may exchange its own
    tokens for others with the same beginning. Without the app (None) there are no exchanges: its own entry ends all that it had."""
    return grant.audience if client is None or client.exchange is None else None


def of_token(jti: str, *, exp: int, now: int, audience: str | None = None) -> Revocation:
    """One access token (RFC 7009 §2.1) that expires at `exp`, and is for `audience` alone."""
    return Revocation(kind="jti", ref=jti, at=now, expires_at=exp + MARGIN, audience=audience)


def of_all(
    kind: Literal["grant", "sid", "sub"], ref: str, *, now: int, life: int, audience: str | None = None
) -> Revocation:
    """Every access token of one grant, whose `jti` begins with its id; or of one session, with its `sid` (OpenID Connect Back-Channel
    Logout 1.0 §2.7); or of a person, issued so far (ASVS 7.4.2): an account enabled again gets new ones. `life` comes from
    `longest_life`; `audience` where all these tokens are for one API."""
    before = now if kind == "sub" else None
    until = now + life + MARGIN
    return Revocation(kind=kind, ref=ref, at=now, expires_at=until, before=before, audience=audience)


def of_client(client_id: str, *, now: int, life: int) -> Revocation:
    """Every access token of an app. The bound is in the future: it includes tokens issued by a process with an outdated snapshot or a clock
    that is ahead, and until a commit that takes a moment. An app that stays has to get new tokens after that."""
    until = now + SNAPSHOT_LAG
    return Revocation(kind="client", ref=client_id, at=now, expires_at=until + life + MARGIN, before=until)
