"""Addresses of the three programs: 127.0.0.1, with three consecutive ports.

The number instead of `localhost`: it needs no name resolution, so nothing on ::1 can answer instead, and loopback
redirect URIs are written with it (RFC 8252 §8.3). One host name makes server, app and API one site, so that cookie
delivery works between them in development. Cookies ignore ports: each program uses its own names.
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
    """The addresses for a given first port."""

    port: int

    @property
    def issuer(self) -> str:
        """The server's address."""
        return f"http://{HOST}:{self.port}"

    @property
    def shop(self) -> str:
        """The demo app's address."""
        return f"http://{HOST}:{self.port + 1}"

    @property
    def api(self) -> str:
        """The demo API: its address, and its identifier in `aud`."""
        return f"http://{HOST}:{self.port + 2}"

    def named(self) -> tuple[tuple[int, str], ...]:
        """Each port with the program that needs it."""
        return (
            (self.port, "the server"),
            (self.port + 1, "the demo app"),
            (self.port + 2, "the demo API"),
        )


def taken(places: Places) -> tuple[int, str] | None:
    """The first port in use, with the program that needs it; None when all are free."""
    for port, who in places.named():
        if not _free(port):
            return port, who
    return None


def free_places() -> Places:
    """Three consecutive free ports. Raises OSError when none are found."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            dice: int = probe.getsockname()[1]
        # the kernel's own port is only a random number here: outgoing connections use ports of the kernel's range
        places = Places(_LOWEST + dice % _SPAN)
        if taken(places) is None:
            return places
    raise OSError("no three free ports in a row")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # as the server binds: a port with connections in TIME_WAIT only is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
