"""Verdict on a presented refresh token: the newest, a repeat after a lost response, or a replay (RFC 9700 §4.14.2, ASVS 10.4.5).

token               its successor                   outcome
the newest          -                               Rotate (or Keep, for an app registered without rotation)
the one before      unspent: the response may be lost   Repeat the same successor
one before that     spent less than the leeway ago  Repeat: two requests were concurrent
any other of this family   spent longer ago         Replayed: two parties hold this family; it ends

For an app with a credential a repeat has no time limit: a token from a log is useless without the credential.
A public app has none, so the age of the token counts as well:

spent less than the leeway ago                                    Repeat
later, and no late repeat of this family in the 24 hours before   LateRepeat: `late_at` is set, and a window of the leeway opens
later, inside that window                                         Repeat: other tabs, retries, losers of the swap of `late_at`
later, within 24 hours of `late_at`                               Replayed

Only the token that opened a window can be repeated in it: the successor of an older one was spent before the leeway began.
In strict mode (`refresh_strict`) a token that was itself spent longer ago than the leeway is Replayed, for every app.
"""

from __future__ import annotations

import hmac
from typing import Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.grant import Grant, RefreshToken, Spent
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken

GONE: Final = "The refresh token is invalid, expired or revoked."
CLOCKS_APART: Final = 60
"""Seconds by which the clock of another node, or the clock before a restart, may be ahead. The bound ensures that a stolen token is not
excused for as long as a clock that was set back stays behind."""
LATE_EVERY: Final = 86_400
"""Seconds between two late repeats of one family."""
LEAST_GRACE: Final = 10
"""Minimum leeway of a public app in the second table, in seconds. With a setting of 0, two concurrent requests would be a replay."""
MOST_RECENT: Final = 8
"""Maximum number of spent tokens stored in a row: no app renews nine times while one of its requests is in flight."""


class Rotate(Struct, frozen=True):
    """Spend the token, issue a new one."""


class Keep(Struct, frozen=True):
    """Issue an access token; the refresh token stays the same (FAPI 2.0 §5.3.2.1: sender-constrained instead of rotated)."""


class Repeat(Struct, frozen=True):
    """Issue this successor again, unsealed with the presented token."""

    sealed: bytes


class LateRepeat(Struct, frozen=True):
    """Record that this family had its late repeat of the day, then issue this successor again."""

    sealed: bytes


class Replayed(Struct, frozen=True):
    """End the family. Returned, not raised, so that the end and its audit event are committed."""


def decide(
    presented: PresentedRefreshToken,
    token: RefreshToken,
    grant: Grant,
    *,
    client: Client,
    policy: TokenPolicy,
    now: int,
) -> Rotate | Keep | Repeat | LateRepeat | Replayed | OAuthError:
    """Apply the tables above. `token` is the row of the grant that `presented` names; `policy` sets the leeway for spent tokens, and
    whether late repeats are allowed."""
    if not belongs(presented, token):
        # made up by someone who knows the grant's id: the family is not affected
        return OAuthError("invalid_grant", GONE, f"no token of grant {grant.id}")
    if grant.client_id != client.id:
        # Another app's token: the family is not affected, or any app could end another's (RFC 6749 §10.4).
        return OAuthError("invalid_grant", GONE, f"the token belongs to app {grant.client_id}")
    if "refresh_token" not in client.grant_types:
        return OAuthError("unauthorized_client", "This app may not use refresh tokens.")
    if grant.ended_at is not None:
        return OAuthError("invalid_grant", GONE, f"grant {grant.id} has ended ({grant.end_reason})")
    # Both are absolute and set at the start of the family; rotation copies them and never moves them (R20).
    if now >= min(token.expires_at, grant.expires_at):
        return OAuthError("invalid_grant", GONE, f"grant {grant.id} is over its absolute lifetime")
    if hmac.compare_digest(presented.hash, token.hash):
        # Registration without rotation counts only for an app with a private key: a stolen bearer token that never changes would be
        # valid for the life of the grant (R19).
        return Keep() if not client.rotation and client.auth_method == "private_key_jwt" else Rotate()
    successor_spent: int | None = None
    for spent in token.recent:
        if spent.hash == presented.hash:
            if successor_spent is not None and not _within(policy.refresh_leeway, successor_spent, now):
                return Replayed()
            return _repeated(spent, token, client, policy, now)
        successor_spent = spent.at
    if presented.generation >= token.generation:
        # This database never issued the token: it was restored from a backup older than the token.
        return OAuthError(
            "invalid_grant", GONE, f"a token of grant {grant.id} that is newer than the database"
        )
    return Replayed()


def _repeated(
    spent: Spent, token: RefreshToken, client: Client, policy: TokenPolicy, now: int
) -> Repeat | LateRepeat | Replayed:
    """Apply the second table to a token whose successor may be issued again."""
    leeway = policy.refresh_leeway
    if policy.refresh_strict:
        return Repeat(spent.sealed) if _within(leeway, spent.at, now) else Replayed()
    grace = max(leeway, LEAST_GRACE)
    if client.confidential or _within(grace, spent.at, now):
        return Repeat(spent.sealed)
    if token.late_at is None or now - token.late_at >= LATE_EVERY:
        return LateRepeat(spent.sealed)
    return Repeat(spent.sealed) if _within(grace, token.late_at, now) else Replayed()


def _within(leeway: int, at: int, now: int) -> bool:
    return -CLOCKS_APART < now - at < leeway


def belongs(presented: PresentedRefreshToken, token: RefreshToken) -> bool:
    """Whether this token was issued for the grant that it names."""
    return hmac.compare_digest(presented.family_hash, token.family_hash)


def rotated(token: RefreshToken, *, new_hash: bytes, sealed: bytes, leeway: int, now: int) -> RefreshToken:
    """The row after the newest token was exchanged, written by one compare-and-swap. `sealed` holds the secret of the new token."""
    # A spent token counts as concurrent as long as its successor was spent within the leeway; after that it is dropped from the row,
    # and recognised only by the family secret.
    kept, successor_spent = 0, now
    for spent in token.recent[: MOST_RECENT - 1]:
        if now - successor_spent >= leeway:
            break
        kept, successor_spent = kept + 1, spent.at
    return RefreshToken(
        grant_id=token.grant_id,
        family_hash=token.family_hash,
        generation=token.generation + 1,
        hash=new_hash,
        created_at=now,
        expires_at=token.expires_at,
        recent=(Spent(token.hash, now, sealed), *token.recent[:kept]),
        late_at=token.late_at,
    )
