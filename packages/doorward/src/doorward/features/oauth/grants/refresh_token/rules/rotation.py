"""The verdict on a refresh token that is presented: the newest, a repeat after a lost answer, or a replay (RFC 9700 §4.14.2, ASVS 10.4.5).

token                          its successor                            outcome
the newest                     -                                        Rotate (or Keep, for an app registered without rotation)
the one before                 unspent: the answer may have been lost   Repeat the same successor
one before that                spent less than the leeway ago           Repeat: two requests crossed on the wire
any other of this family       spent longer ago                         Replayed: two parties hold this family; it ends

What is repeated is repeated however late to an app that authenticates: a token out of a log is of no use without its credential.
A public app has none, so the token's own age counts as well:

spent less than the leeway ago                                          Repeat
later, and no late repeat of this family in the 24 hours before         LateRepeat: `late_at` is set, and a window of the leeway opens
later, inside that window                                               Repeat: other tabs, retries, who lost the swap of `late_at`
later, within 24 hours of `late_at`                                     Replayed

Only the token that opened a window can be repeated in it: of an older one the successor was spent before the leeway began.
Strictly (`refresh_strict`), what was itself spent longer ago than the leeway is Replayed, for every app.
"""

from __future__ import annotations

import hmac
from typing import Final

from msgspec import Struct

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.core.model.grant import Grant, RefreshToken, Spent
from doorward.core.model.policy import TokenPolicy
from doorward.features.oauth.tokens.rules.refresh_format import Presented

GONE: Final = "The refresh token is invalid, expired or revoked."
CLOCKS_APART: Final = 60
"""Seconds by which the clock of another node, or the one before a restart, may be ahead: no more, or a stolen token would be excused
for as long as a clock that was set back stays behind."""
LATE_EVERY: Final = 86_400
"""Seconds between two late repeats of one family."""
LEAST_GRACE: Final = 10
"""Seconds: what a public app's leeway counts for at least in the second table. A setting of 0 would else make a replay of two requests
that were sent at once."""
MOST_RECENT: Final = 8
"""Spent tokens that a row remembers at most: no app renews nine times while one of its requests is on its way."""


class Rotate(Struct, frozen=True):
    """Spend the token, give a new one."""


class Keep(Struct, frozen=True):
    """Give an access token; the same refresh token stays (FAPI 2.0 §5.3.2.1: sender-constrained instead of rotated)."""


class Repeat(Struct, frozen=True):
    """Give this successor again, unsealed with the token presented."""

    sealed: bytes


class LateRepeat(Struct, frozen=True):
    """Write down that this family had its late repeat of the day, then give this successor again."""

    sealed: bytes


class Replayed(Struct, frozen=True):
    """End the family. Returned, not raised, so that the end and its audit fact are committed."""


def decide(
    presented: Presented,
    token: RefreshToken,
    grant: Grant,
    *,
    client: Client,
    policy: TokenPolicy,
    now: int,
) -> Rotate | Keep | Repeat | LateRepeat | Replayed | Refusal:
    """The tables above. `token` is the row of the grant that `presented` names; `policy` says how long a spent one may come again, and whether later."""
    if not belongs(presented, token):
        # made up by somebody who knows the grant's id: no verdict on the family
        return Refusal("invalid_grant", GONE, f"no token of grant {grant.id}")
    if grant.client_id != client.id:
        # Somebody else's token: no verdict on the family, or any app could end another's (RFC 6749 §10.4).
        return Refusal("invalid_grant", GONE, f"the token belongs to app {grant.client_id}")
    if "refresh_token" not in client.grant_types:
        return Refusal("unauthorized_client", "This app may not use refresh tokens.")
    if grant.ended_at is not None:
        return Refusal("invalid_grant", GONE, f"grant {grant.id} has ended ({grant.end_reason})")
    # Both are absolute and set at the start of the family; rotation copies them and never moves them (line 20).
    if now >= min(token.expires_at, grant.expires_at):
        return Refusal("invalid_grant", GONE, f"grant {grant.id} is over its absolute lifetime")
    if hmac.compare_digest(presented.hash, token.hash):
        # A registration without rotation counts only where a private key proves the app: a bearer token that never changes
        # would be good for whoever copied it, for as long as the grant lives (line 19).
        return Keep() if not client.rotation and client.auth_method == "private_key_jwt" else Rotate()
    successor_spent: int | None = None
    for spent in token.recent:
        if spent.hash == presented.hash:
            if successor_spent is not None and not _within(policy.refresh_leeway, successor_spent, now):
                return Replayed()
            return _repeated(spent, token, client, policy, now)
        successor_spent = spent.at
    if presented.generation >= token.generation:
        # Never given out as far as this database knows: it was restored from a backup that is older than the token.
        return Refusal("invalid_grant", GONE, f"a token of grant {grant.id} that is newer than the database")
    return Replayed()


def _repeated(
    spent: Spent, token: RefreshToken, client: Client, policy: TokenPolicy, now: int
) -> Repeat | LateRepeat | Replayed:
    """The second table, for a token whose successor may be given again."""
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


def belongs(presented: Presented, token: RefreshToken) -> bool:
    """Whether this token was once given out for the grant that it names."""
    return hmac.compare_digest(presented.family_hash, token.family_hash)


def rotated(token: RefreshToken, *, new_hash: bytes, sealed: bytes, leeway: int, now: int) -> RefreshToken:
    """The row after the newest token was exchanged: what one compare-and-swap writes. `sealed` holds the new token's secret."""
    recent = [Spent(token.hash, now, sealed)]
    # A token counts as crossed on the wire as long as its successor was spent within the leeway; then it is forgotten, and the
    # family secret alone convicts it.
    for successor, spent in zip((recent[0], *token.recent), token.recent, strict=False):
        if now - successor.at >= leeway or len(recent) >= MOST_RECENT:
            break
        recent.append(spent)
    return RefreshToken(
        grant_id=token.grant_id,
        family_hash=token.family_hash,
        generation=token.generation + 1,
        hash=new_hash,
        created_at=now,
        expires_at=token.expires_at,
        recent=tuple(recent),
        late_at=token.late_at,
    )
