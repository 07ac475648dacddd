"""Options for connections to PostgreSQL."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class PostgresOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The section `[postgres]`; times in seconds.

    `pool_size`: the most connections of one process. `pool_wait`: how long a request waits for a connection of the
    pool, and `connect_timeout` for a new one; `statement_timeout`: the longest time for one statement. Exceeding one
    gives a 503. `prepared_statements = false` is for a pooler that assigns a connection per transaction (PgBouncer in
    transaction mode): no state is then kept on a connection.
    """

    pool_size: Annotated[int, Meta(ge=1, le=200)] = 8
    pool_wait: Annotated[int, Meta(ge=1, le=60)] = 5
    connect_timeout: Annotated[int, Meta(ge=1, le=60)] = 5
    statement_timeout: Annotated[int, Meta(ge=1, le=300)] = 10
    prepared_statements: bool = True
