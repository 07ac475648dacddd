"""Is this browser session still good? (NIST SP 800-63B-4 §2.2.3, §5.2; ASVS 7.3)"""

from __future__ import annotations

from typing import Literal

from doorward.core.model.account import Account
from doorward.core.model.levels import AAL2
from doorward.core.model.policy import SessionPolicy
from doorward.core.model.session import Session

TOUCH_EVERY = 60
"""How many seconds pass before `seen_at` is written again: the idle limit needs no finer grain, the disk is glad."""


def limits(policy: SessionPolicy, acr: str) -> tuple[int, int]:
    """(idle, absolute) in seconds for a session at this assurance level (line 71)."""
    if policy.aal2_limits and acr == AAL2:
        return min(policy.idle, policy.aal2_idle), min(policy.absolute, policy.aal2_absolute)
    return policy.idle, policy.absolute


def over(
    session: Session, account: Account | None, policy: SessionPolicy, now: int
) -> Literal["ended", "account", "idle", "absolute"] | None:
    """Why the session no longer counts, or None while it does. A clock set back never revives or ends one by itself."""
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
    """When the session ends however much it is used. The time runs from the last active proof (NIST SP 800-63B-4 §5.2): a
    session that is stepped up on its third day must not find the shorter limit of its new level already passed."""
    _, absolute = limits(policy, session.acr)
    return min(session.expires_at, session.auth_time + absolute)


def recent(session: Session, account: Account, policy: SessionPolicy, now: int) -> bool:
    """Whether the person proved themselves recently enough for a sensitive edit (ASVS 7.5.1, line 73), and with the password that
    the account has now: a session outlives a reset if its owner wants it to; what was shown in it before does not (line 94)."""
    return now - session.auth_time <= policy.recent and session.auth_time >= (
        account.password_changed_at or 0
    )
