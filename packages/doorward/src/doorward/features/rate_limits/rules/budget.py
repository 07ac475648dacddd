"""Budgets for what one person changes: each change leaves a line in the record, a mail, or an entry for every API (line 93).

These are no guesses: whoever is counted here is signed in or holds the app's own token, and is only ever in their own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from doorward.core.model.bucket import Bucket
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules.attempts import DAILY, DAY

Change = Literal["profile", "methods", "with_password", "report"]

CHANGES: Final = 20
"""Of one kind in a window: name and language; what is set up for a sign-in; what the password is typed again for, to change it or take
the authenticator app away, so that whoever has a session alone is not in its owner's way; reports of what was not them."""

REVOCATIONS: Final = 100
"""Access tokens of one person at one app that are revoked one by one in a window; beyond it each takes its grant with it."""


def of_changes(
    change: Change, account_id: str, *, policy: ThrottlePolicy, tag: Callable[[str], str]
) -> tuple[Bucket, ...]:
    """The counters of one kind of change by one person: of a window and of a day. `tag` is a keyed hash."""
    key = f"change:{change}:{account_id}"
    return (
        Bucket(tag(key), CHANGES, policy.window),
        Bucket(tag(f"day:{key}"), CHANGES * DAILY, max(DAY, policy.window)),
    )


def of_revocations(
    account_id: str, client_id: str, *, policy: ThrottlePolicy, tag: Callable[[str], str]
) -> Bucket:
    """The counter of access tokens that were revoked one by one, of one person at one app."""
    return Bucket(tag(f"revoke:{account_id}:{client_id}"), REVOCATIONS, policy.window)
