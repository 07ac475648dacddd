"""The program that the content needs, across a start and a move: an older one is refused there, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.storage.sql.migrate import known, readable
from doorward.storage.sql.open import open_store

pytestmark = pytest.mark.anyio


def test_the_stored_value_never_names_an_older_program_than_the_content_needs() -> None:
    mine = known("sqlite")
    version, oldest = readable(mine).split()
    assert int(oldest) < int(version)
    assert readable(mine, "13") == f"{version} 13"
    # a later schema that older programs can read does not undo it
    assert readable(mine, oldest) == readable(mine)


async def test_a_start_restores_the_value_of_a_copied_file(tmp_path: Path) -> None:
    own, path = len(known("sqlite")), str(tmp_path / "doorward.db")
    store = await open_store(path)
    before = await store.meta("schema.readable")
    assert before is not None
    assert await store.commit(store.require_this_program())
    # a backup holds the content only
    assert await store.commit(store.put_meta("schema.readable", before))
    await store.close()
    store = await open_store(path)
    assert await store.meta("schema.readable") == f"{own} {own}"
    assert await store.meta("schema.needs") == str(own)
    await store.close()
