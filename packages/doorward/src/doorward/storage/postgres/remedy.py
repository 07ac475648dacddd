"""Advice for operators when PostgreSQL cannot be used, by SQLSTATE, since texts are translated."""

from __future__ import annotations

import socket
from typing import Final

from doorward.core.errors import StoreUnavailable
from doorward.storage.postgres.errors import state_of

_OTHERWISE: Final = "Start it, or check the name, the port, the password and pg_hba.conf."
_WRONG: Final = (
    "Correct the user and the password in the URL (special characters as %2F), or its line in pg_hba.conf."
)
_BY_STATE: Final = {
    "28P01": _WRONG,
    "28000": _WRONG,
    "3D000": "Correct the database's name in the URL, or make it: createdb --encoding=UTF8 --template=template0 --owner=USER NAME",
    "42704": "Look at what stands after the ? of the URL: sslmode, sslrootcert and others, spelled like that.",
    "42501": "Let the user of the URL own the database and its tables, or GRANT CREATE ON SCHEMA public TO that user.",
    "53100": "Make room on its disk, then try again.",
    "53300": "Make room: raise max_connections, or lower postgres.pool_size.",
    "57P03": "Wait until it has started, then try again.",
}


class NotOpened(StoreUnavailable):
    """The first connection failed. `fix` says what to do."""

    def __init__(self, said: str, fix: str) -> None:
        self.fix = fix
        super().__init__(said)


def remedy(problem: BaseException) -> str:
    """One line of advice for an error of the driver, the resolver or TLS."""
    state = state_of(problem)
    if state is not None:
        return _BY_STATE.get(state, "Mend that (PostgreSQL's log may say more), then try again.")
    if isinstance(problem, socket.gaierror):
        return "Check the host's name in the URL: nobody knows it."
    if isinstance(problem, ConnectionRefusedError):
        return "Start PostgreSQL, or correct host and port in the URL."
    if "rejected SSL" in str(problem):
        return "Let PostgreSQL speak TLS (ssl = on), or take sslmode out of the URL where nobody else can listen."
    return _OTHERWISE
