"""May a commit be tried, when the last one got no answer? Not while PostgreSQL keeps such commits waiting for a standby that is gone.

With `synchronous_standby_names` a commit waits for a standby without any limit: `statement_timeout` does not reach it, and a server that is
left in the middle goes on waiting, with its connection and the rows that it has locked. Asking it to stop would be worse: it then shows the
commit to everybody although no standby has it, and a failover forgets what was answered. So it is left to wait; but where one waits no
others are sent after it, until PostgreSQL has no connection left for those who only read.
"""

from __future__ import annotations

import time
from typing import Final, final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.errors import state_of
from doorward.storage.postgres.pool import Pool
from doorward.storage.postgres.use import read

_ASK_AGAIN: Final = 1.0
# Of our own role, which is all that an ordinary role may see; for a second, since for milliseconds every commit waits like that.
_WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user"
    " AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '1 second'"
)


@final
class Gate:
    """Open until a commit gets no answer; open again as soon as none waits any more."""

    __slots__ = ("_ask_at", "_in_doubt")

    def __init__(self) -> None:
        self._in_doubt = False
        self._ask_at = 0.0

    def unanswered(self) -> None:
        """A commit got no answer in time."""
        self._in_doubt = True
        self._ask_at = 0.0

    async def passed(self, pool: Pool) -> None:
        """Return when a commit may be tried. Raises `StoreUnavailable`: at once, but for one each second that asks."""
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
            # an engine that knows no such view knows no such standbys
            return 0
        raise StoreUnavailable("the database does not answer") from problem
    return count
