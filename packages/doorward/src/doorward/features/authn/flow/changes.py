"""Changes of a person's sign-in methods: what each one is decided on, and the guards that keep it so until the commit.

Several rules look at all methods together: the last one stays, a short password needs a second step beside it, a demanded step cannot
be removed. Two changes at once must not each count on what the other one removes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from doorward.core.model.account import Account, EnrolledFactor
from doorward.storage.sql.store import Store, Write

_TRIES: Final = 3
T = TypeVar("T")


class HeldMethods(Struct, frozen=True):
    """An account and its factors, by which a change is decided."""

    account: Account
    rows: Sequence[EnrolledFactor]


async def held_methods(store: Store, account_id: str) -> HeldMethods | None:
    """The account and its factors as stored now. None: it is gone or disabled."""
    account = await store.accounts.get(account_id)
    if account is None or account.disabled_at is not None:
        return None
    return HeldMethods(account, await store.accounts.factors(account_id))


async def decided(attempt: Callable[[bool], Awaitable[T]]) -> T:
    """The outcome of a change: `attempt` reads, decides and commits, and does so again while it returns "over", since its commit lost against
    something that happened meanwhile, as a sign-in. Its argument says whether it is the first one, which alone counts against limits."""
    outcome = await attempt(True)
    for _ in range(_TRIES - 1):
        if outcome != "over":
            break
        outcome = await attempt(False)
    return outcome


def guards(store: Store, found: HeldMethods, *, session_id: str | None) -> tuple[Write, ...]:
    """The first writes of a change. They change nothing, but lose if the account or the set of its factors is another than `found`, or if
    the session has ended: who is being signed out adds and removes nothing (R72, R94). `session_id` is None in a sign-in, whose own row
    is the guard."""
    account = found.account
    as_found = (
        # locks the row, so that of two changes at once the second sees what the first one did
        store.accounts.replace(account, old=account),
        store.accounts.has_only(account.id, [row.id for row in found.rows]),
    )
    return as_found if session_id is None else (*as_found, store.sessions.alive(session_id))
