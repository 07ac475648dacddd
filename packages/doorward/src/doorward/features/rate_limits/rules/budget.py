"""Budgets for changes by one person: each change causes an audit event, a mail, or an entry for every API (R93).

These limits are not about guesses: the person is signed in or the app holds its own token, and each can exhaust only its own budget.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from doorward.core.model.bucket import Bucket
from doorward.core.model.policy import ThrottlePolicy
from doorward.features.rate_limits.rules.attempts import DAILY, DAY

Change = Literal["profile", "methods", "with_password", "report", "api_keys", "address"]

CHANGES: Final = 20
"""Changes of one kind per window: name and language; sign-in methods; actions that ask for the password again (to change it, or to
remove the authenticator app), counted apart so that a stolen session cannot block its owner; reports of foreign activity; API keys;
codes to new addresses."""

REVOCATIONS: Final = 100
"""Access tokens of one person at one app that are revoked individually per window; beyond it each revokes its grant."""


def of_changes(
    change: Change, account_id: str, *, policy: ThrottlePolicy, tag: Callable[[str], str]
) -> tuple[Bucket, ...]:
    """The counters of one kind of change by one person: for a window and for a day. `tag` is a keyed hash."""
    key = f"change:{change}:{account_id}"
    return (
        Bucket(tag(key), CHANGES, policy.window),
        Bucket(tag(f"day:{key}"), CHANGES * DAILY, max(DAY, policy.window)),
    )


def of_revocations(
    account_id: str, client_id: str, *, policy: ThrottlePolicy, tag: Callable[[str], str]
) -> Bucket:
    """The counter of individually revoked access tokens of one person at one app."""
    return Bucket(tag(f"revoke:{account_id}:{client_id}"), REVOCATIONS, policy.window)
