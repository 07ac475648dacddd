"""Error texts that may reach a log: the database's message, and never a value or a password."""

from __future__ import annotations

import asyncpg
import pytest

from doorward.core.errors import StoreConflict, StoreUnavailable
from doorward.storage.postgres.connect import Connector
from doorward.storage.postgres.errors import verdict
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.postgres.pool import Connection

pytestmark = pytest.mark.anyio


@pytest.fixture
async def connection(postgres_url: str) -> Connection:
    return await Connector(postgres_url, PostgresOptions()).connect()


async def problem(connection: Connection, sql: str, *values: object) -> Exception:
    with pytest.raises(Exception) as met:
        await connection.fetch(sql, *values)
    assert isinstance(met.value, Exception)
    return met.value


async def test_an_error_does_not_repeat_an_unencodable_value(connection: Connection) -> None:
    met = await problem(connection, "SELECT $1::bigint", "dw_rt_s3cret")
    assert "s3cret" in str(met)
    said = verdict(met, "does not answer")
    assert isinstance(said, StoreUnavailable)
    assert str(said) == "the database does not answer: DataError"
    connection.terminate()


async def test_a_duplicate_key_error_does_not_contain_the_value(connection: Connection) -> None:
    await connection.execute("CREATE TEMPORARY TABLE one (name TEXT PRIMARY KEY)")
    await connection.execute("INSERT INTO one VALUES ('s3cret')")
    said = verdict(await problem(connection, "INSERT INTO one VALUES ($1)", "s3cret"), "does not answer")
    assert isinstance(said, StoreConflict)
    assert "one_pkey" in str(said)
    assert "s3cret" not in str(said)
    connection.terminate()


def test_a_wrong_url_parameter_is_reported() -> None:
    met = asyncpg.ClientConfigurationError("`sslmode` parameter must be one of: disable, allow")
    assert "must be one of" in str(verdict(met, "said"))
