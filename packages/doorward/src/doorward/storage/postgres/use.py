"""Short-term use of a pooled connection, and its handling after an error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from doorward.storage.postgres.errors import again, nobody_home
from doorward.storage.postgres.pool import Connection, Held, Pool
from doorward.storage.sql.statements import Param

Answer = TypeVar("Answer")


async def settle(pool: Pool, held: Held, problem: BaseException) -> None:
    """Return a connection on which `problem` arose to the pool, or discard it."""
    if not isinstance(problem, Exception) or nobody_home(problem):
        pool.drop(held)
        if isinstance(problem, Exception):
            pool.suspect_all()
        return
    if held.connection.is_in_transaction():
        try:
            await held.connection.execute("ROLLBACK")
        except BaseException:
            pool.drop(held)
            raise
    pool.give(held)


async def read(pool: Pool, ask: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """The result of `ask`. Retried once on another connection when this one broke: a read changes nothing.

    Raises `StoreUnavailable`, and errors about a value.
    """
    last = False
    while True:
        held = pool.at_once() or await pool.take()
        try:
            answer = await ask(held.connection)
        except BaseException as problem:
            await settle(pool, held, problem)
            if not isinstance(problem, Exception):
                raise
            broken = nobody_home(problem) or again(problem)
            # a caller that waited for the whole limit must not wait for it twice
            if last or not broken or isinstance(problem, TimeoutError):
                raise
            last = True
        else:
            pool.give(held)
            return answer


def storable(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """The values with the one character that PostgreSQL does not store replaced, in reads and in writes alike: data
    written under such a text is found under it."""
    return tuple(one.replace("\0", "\ufffd") if isinstance(one, str) else one for one in params)
