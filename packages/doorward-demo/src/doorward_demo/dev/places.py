"""Where does each of the three listen? On 127.0.0.1, on three ports in a row.

The number and not `localhost`: it needs no name resolution, so nothing on ::1 can answer instead; it is what loopback
redirect URIs are written with (RFC 8252 §8.3); and one host name makes server, app and API one site, so that cookie
delivery works between them in development. Cookies know no ports: each program uses names of its own.
"""

from __future__ import annotations

import socket
from typing import Final

from msgspec import Struct

HOST: Final = "127.0.0.1"
LAST_PORT: Final = 65_533
_LOWEST: Final = 12_000
_SPAN: Final = 20_000


class Places(Struct, frozen=True):
    """The addresses that follow from the first port."""

    port: int

    @property
    def issuer(self) -> str:
        """The server."""
        return f"http://{HOST}:{self.port}"

    @property
    def shop(self) -> str:
        """The demo app."""
        return f"http://{HOST}:{self.port + 1}"

    @property
    def api(self) -> str:
        """The demo API: its address, and its identifier in `aud`."""
        return f"http://{HOST}:{self.port + 2}"

    def named(self) -> tuple[tuple[int, str], ...]:
        """Each port, with who wants it."""
        return (
            (self.port, "the server"),
            (self.port + 1, "the demo app"),
            (self.port + 2, "the demo API"),
        )


def taken(places: Places) -> tuple[int, str] | None:
    """The first port that something listens on already, with who wants it; None when all are free."""
    for port, who in places.named():
        if not _free(port):
            return port, who
    return None


def free_places() -> Places:
    """Three ports in a row that nothing listens on right now. Raises OSError when there seem to be none."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            dice: int = probe.getsockname()[1]
        # not the kernel's port itself, only its choice: from its range every outgoing connection takes one too
        places = Places(_LOWEST + dice % _SPAN)
        if taken(places) is None:
            return places
    raise OSError("no three free ports in a row")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # as the server binds: a port whose connections are only fading away is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
