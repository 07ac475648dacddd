"""Tests of the table of endings: the page is up to date, every kind has a column, and every table is declared."""

from __future__ import annotations

import re
from typing import get_args

import anyio
import pytest

from doorward.features.sessions.rules.endings import Kind
from doorward.storage.sql.noun import Credential
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store
from tools import endings_page, retention_page

SECRET = re.compile(r"(?:^|_)(?:hash|sealed|secret|token|code)$")


def test_the_page_is_up_to_date() -> None:
    assert endings_page.PAGE.read_text("utf-8") == anyio.run(endings_page.made), "run `make pages` and commit"


@pytest.mark.requirement(72, 94)
def test_every_kind_of_credential_that_the_storage_declares_has_a_column() -> None:
    declared = anyio.run(endings_page.declared)
    assert missing_columns(declared) == set()
    assert {one.kind for one in declared} >= set(get_args(Kind)), "a column for a kind that nothing declares"


def missing_columns(declared: tuple[Credential, ...]) -> set[str]:
    """Kinds that neither have a column nor rest on kinds that have one."""
    columns = set(get_args(Kind))
    return {one.kind for one in declared if not (set(one.rests_on) or {one.kind}) <= columns}


def test_a_new_kind_without_a_column_is_found() -> None:
    new = Credential(kind="stream_token", what="the token of a stream", tables=("streams",))
    assert missing_columns((new,)) == {"stream_token"}
    assert missing_columns((Credential(kind="part", what="a part", rests_on=("session",)),)) == set()


async def _opened() -> tuple[tuple[Credential, ...], dict[str, str]]:
    store: Store = await open_store(":memory:")
    await store.close()
    return store.credentials, store.no_credentials


@pytest.mark.requirement(94)
def test_every_table_is_a_kind_of_credential_or_says_why_it_holds_none() -> None:
    """The tables come from the schema of a new database: a migration with a new one fails here until its noun declares it."""
    kinds, none = anyio.run(_opened)
    schema = anyio.run(retention_page.schema)
    held = {table for one in kinds for table in one.tables}
    assert held & none.keys() == set()
    assert held | none.keys() == schema.columns.keys()
    secret = {
        f"{table}.{column}"
        for table in none
        for column in schema.columns[table]
        if SECRET.search(column) and column not in none[table] and column.partition("_")[0] not in none[table]
    }
    assert secret == set(), "say why this column is no credential, or declare its kind"
