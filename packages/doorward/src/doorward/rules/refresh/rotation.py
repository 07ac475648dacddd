"""A refresh token is presented: is it the newest, a repeat after a lost answer, or a replay? (RFC 9700 §4.14.2, ASVS 10.4.5)

token     its successor                            outcome
unspent   -                                        Rotate (or Keep, for an app registered without rotation)
spent     unspent: the answer may have been lost   Repeat the same successor, however late
spent     spent less than the leeway ago           Repeat: two requests crossed on the wire
spent     spent longer ago                         Replayed: two parties hold this family; it ends
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.model.client import Client
from doorward.model.grant import Grant, RefreshToken
from doorward.model.refusal import Refusal

GONE: Final = "The refresh token is invalid, expired or revoked."


class Rotate(Struct, frozen=True):
    """Spend the token, give a new one."""


class Keep(Struct, frozen=True):
    """Give an access token; the same refresh token stays (FAPI 2.0 §5.3.2.1: sender-constrained instead of rotated)."""


class Repeat(Struct, frozen=True):
    """Give this successor again, unsealed with the token presented."""

    sealed: bytes


class Replayed(Struct, frozen=True):
    """End the family. Returned, not raised, so that the end and its audit fact are committed."""


def decide(
    token: RefreshToken,
    grant: Grant,
    successor: RefreshToken | None,
    *,
    client: Client,
    leeway: int,
    now: int,
) -> Rotate | Keep | Repeat | Replayed | Refusal:
    """The table above. `successor` is the next link, needed only when `token` is spent; `leeway` is in seconds."""
    if grant.client_id != client.id:
        # Somebody else's token: no verdict on the family, or any app could end another's (RFC 6749 §10.4).
        return Refusal("invalid_grant", GONE, f"the token belongs to app {grant.client_id}")
    if "refresh_token" not in client.grant_types:
        return Refusal("unauthorized_client", "This app may not use refresh tokens.")
    if grant.ended_at is not None or token.ended_at is not None:
        return Refusal(
            "invalid_grant", GONE, f"grant {grant.id} has ended ({grant.end_reason or 'token ended'})"
        )
    # Both are absolute and set at the start of the family; rotation copies them and never moves them (line 20).
    if now >= min(token.expires_at, grant.expires_at):
        return Refusal("invalid_grant", GONE, f"grant {grant.id} is over its absolute lifetime")
    if token.spent_at is None:
        # A registration without rotation counts only where a private key proves the app: a bearer token that never changes
        # would be good for whoever copied it, for as long as the grant lives (line 19).
        return Keep() if not client.rotation and client.auth_method == "private_key_jwt" else Rotate()
    if token.successor_sealed is None or successor is None:
        return Replayed()
    if successor.spent_at is None or now - successor.spent_at < leeway:
        return Repeat(token.successor_sealed)
    return Replayed()


def links(
    token: RefreshToken, *, successor_hash: bytes, successor_sealed: bytes, now: int
) -> tuple[RefreshToken, RefreshToken]:
    """(the token as spent, its successor): the pair that one compare-and-swap writes."""
    return (
        RefreshToken(
            hash=token.hash,
            grant_id=token.grant_id,
            created_at=token.created_at,
            expires_at=token.expires_at,
            spent_at=now,
            successor_hash=successor_hash,
            successor_sealed=successor_sealed,
        ),
        RefreshToken(
            hash=successor_hash, grant_id=token.grant_id, created_at=now, expires_at=token.expires_at
        ),
    )
