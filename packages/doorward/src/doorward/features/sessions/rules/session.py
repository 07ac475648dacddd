"""Validity of a browser session (NIST SP 800-63B-4 §2.2.3, §5.2; ASVS 7.3)."""

from __future__ import annotations

from typing import Literal

from doorward.core.model.account import Account
from doorward.core.model.levels import AAL2
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session

TOUCH_EVERY = 60
"""Seconds before `seen_at` is written again: the idle limit needs no finer grain, and fewer writes spare the disk."""


def limits(policy: SessionPolicy, acr: str) -> tuple[int, int]:
    """(idle, absolute) in seconds for a session at this assurance level (R71)."""
    if policy.aal2_limits and acr == AAL2:
        return min(policy.idle, policy.aal2_idle), min(policy.absolute, policy.aal2_absolute)
    return policy.idle, policy.absolute


def over(
    session: Session, account: Account | None, policy: SessionPolicy, now: int
) -> Literal["ended", "account", "idle", "absolute"] | None:
    """Why the session is invalid, or None while it is valid. A clock set back neither revives nor ends one by itself."""
    if session.ended_at is not None:
        return "ended"
    if account is None or account.disabled_at is not None or account.id != session.account_id:
        return "account"
    idle, _ = limits(policy, session.acr)
    if now >= session.seen_at + idle:
        return "idle"
    if now >= absolute_end(session, policy):
        return "absolute"
    return None


def absolute_end(session: Session, policy: SessionPolicy) -> int:
    """The time at which the session ends despite use. It counts from the last active proof (NIST SP 800-63B-4 §5.2): for a session
    stepped up on its third day, the shorter limit of its new level must not have passed already."""
    _, absolute = limits(policy, session.acr)
    return min(session.expires_at, session.auth_time + absolute)


def recent(session: Session, account: Account, policy: SessionPolicy, now: int) -> bool:
    """Whether the person proved themselves recently enough for a sensitive edit (ASVS 7.5.1, R73), and with the current password: a
    session can outlive a reset if its owner wants so, but its earlier proofs do not (R94)."""
    return now - session.auth_time <= policy.recent and session.auth_time >= (
        account.password_changed_at or 0
    )
