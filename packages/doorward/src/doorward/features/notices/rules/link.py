"""Rules for the link "This wasn't me": for how long, and for which state of the account, it can be answered."""

from __future__ import annotations

from doorward.core.model.account import Account
from doorward.core.model.message import NoticeLink


def usable(link: NoticeLink | None, account: Account | None, now: int) -> bool:
    """Whether the link may be answered: once, until it expires, while the access that it is to end may still exist (R94).

    A new password or address does not end it: whoever took over the account could make both, and the owner's earlier notices would be dead.
    What ends it is the end of all access by the owner: an answer "This wasn't me", a reset that ends all sessions, and a disabled or deleted
    account. An operator who ends all access (`doorward user end-access`) leaves it: the password may still be known to somebody, who
    signs in again, and the owner's earlier link must end that too; it can do nothing else.
    """
    return _valid(link, account, now) and link is not None and link.answer is None


def answered(link: NoticeLink | None, account: Account | None, now: int) -> bool:
    """Whether its page says how and when it was answered."""
    return _valid(link, account, now) and link is not None and link.answer is not None


def _valid(link: NoticeLink | None, account: Account | None, now: int) -> bool:
    if link is None or account is None or account.disabled_at is not None:
        return False
    return link.account_id == account.id and now < link.expires_at
