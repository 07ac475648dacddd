"""Addresses of the three programs: `localhost`, with three consecutive ports.

The name instead of 127.0.0.1: a passkey belongs to a domain, and an address is none. Browsers resolve it to 127.0.0.1 or
to ::1, so each program listens on both, and nothing else can answer on the other. One host name makes server, app and API
one site, so that cookie delivery works between them in development. Cookies ignore ports: each program uses its own names.
"""

from __future__ import annotations

import errno
import socket
from typing import Final

from msgspec import Struct

NAME: Final = "localhost"
HOST: Final = "127.0.0.1"
OTHER_HOST: Final = "::1"
LAST_PORT: Final = 65_533
_LOWEST: Final = 12_000
_SPAN: Final = 20_000


class Places(Struct, frozen=True):
    """The addresses for a given first port."""

    port: int

    @property
    def issuer(self) -> str:
        """The server's address."""
        return f"http://{NAME}:{self.port}"

    @property
    def shop(self) -> str:
        """The demo app's address."""
        return f"http://{NAME}:{self.port + 1}"

    @property
    def api(self) -> str:
        """The demo API: its address, and its identifier in `aud`."""
        return f"http://{NAME}:{self.port + 2}"

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


def listeners(port: int) -> list[socket.socket]:
    """Sockets that are bound to the port on 127.0.0.1 and, on a machine with IPv6, on ::1. Raises OSError."""
    bound: list[socket.socket] = []
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, OTHER_HOST)):
        try:
            bound.append(_bound(family, host, port))
        except OSError as error:
            if host == OTHER_HOST and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                continue
            for listener in bound:
                listener.close()
            raise
    return bound


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # as the server binds: a port with connections in TIME_WAIT only is free
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _free(port: int) -> bool:
    try:
        for probe in listeners(port):
            probe.close()
    except OSError:
        return False
    return True
