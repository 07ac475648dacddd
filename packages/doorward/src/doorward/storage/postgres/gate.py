"""Commit gate: no further commits are sent while PostgreSQL keeps one waiting for a lost standby.

With `synchronous_standby_names` a commit waits for a standby without any limit: `statement_timeout` does not apply to
it, and a server whose client disconnects continues to wait, with its connection and its row locks. Cancelling it would
be worse: the commit becomes visible although no standby has it, and a failover loses what was acknowledged. So it keeps
waiting; but while one waits no others are sent, so that PostgreSQL keeps connections free for reads.
"""

from __future__ import annotations

import time
from typing import Final, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.errors import state_of
from doorward.storage.postgres.pool import Pool
from doorward.storage.postgres.use import read

_ASK_AGAIN: Final = 1.0
# Of our own role, since an ordinary role sees no others; after a second, since every commit waits some milliseconds.
_WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user"
    " AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '1 second'"
)


@final
class Gate:
    """Open until a commit gets no answer; open again as soon as no commit waits any more."""

    __slots__ = ("_ask_at", "_in_doubt")

    def __init__(self) -> None:
        self._in_doubt = False
        self._ask_at = 0.0

    def unanswered(self) -> None:
        """Report that a commit got no answer in time."""
        self._in_doubt = True
        self._ask_at = 0.0

    async def passed(self, pool: Pool) -> None:
        """Return when a commit may be tried. Raises `StoreUnavailable`: at once, except for one caller each second that
        checks."""
        if not self._in_doubt:
            return
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask_at = now + _ASK_AGAIN
            if await _waiting(pool) == 0:
                self._in_doubt = False
                return
        raise StoreUnavailable("commits wait: a synchronous standby is gone, or the database does not answer")


async def _waiting(pool: Pool) -> int:
    try:
        ((count,),) = await read(pool, lambda connection: connection.fetch(_WAITING))
    except StoreUnavailable:
        raise
    except Exception as problem:
        if state_of(problem) is not None:
            # an engine without this view has no such standbys
            return 0
        raise StoreUnavailable("the database does not answer") from problem
    return count
