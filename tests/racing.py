"""Something that happens between the read and the commit of a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from doorward.storage.sql.store import Store, Write


def before_commit(
    monkeypatch: pytest.MonkeyPatch, statement: str, happens: Callable[[], Awaitable[object]], *, times: int
) -> list[bool]:
    """Has `happens` run before each of the first `times` commits that hold `statement`. The list gets whether each such commit was made."""
    commit, made = Store.commit, list[bool]()

    async def raced(self: Store, *writes: Write) -> bool:
        if not any(statement in str(one) for one in writes):
            return await commit(self, *writes)
        if len(made) < times:
            await happens()
        made.append(await commit(self, *writes))
        return made[-1]

    monkeypatch.setattr(Store, "commit", raced)
    return made
