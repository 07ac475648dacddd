"""Gate for kinds of factors that older programs do not know, while such a program may still serve sign-ins."""

from __future__ import annotations

from typing import final

from doorward.storage.sql.statements import Write
from doorward.storage.sql.store import Store


@final
class NewFactors:
    """Whether a factor of a new kind, or a demand for a second factor, may be stored.

    An older program skips a kind of factor that it does not know: it would sign the owner in with the password alone. So none is
    enrolled while a process of an older program is registered, and the first one refuses the database to older programs.
    """

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def open(self) -> bool:
        """False while a process of an older program is registered, even one that is doubted."""
        return await self._store.nodes.older() == 0

    def close_behind(self) -> Write:
        """Part of the commit that stores such a factor or demand: older programs that start later are refused."""
        return self._store.require_this_program()
