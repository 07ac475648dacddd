"""Listening sockets of the server: inherited from the service manager, or opened here."""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

BACKLOG: Final = 2048
UNIX: Final = "unix:"
FOUR: Final = "127.0.0.1"
SIX: Final = "::1"
_NO_SUCH_ADDRESS: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_FIRST_HANDED: Final = 3
OTHER_FILES: Final = 200
"""Descriptors that a worker needs beside its connections: database, log, mail being sent, files of the runtime."""


def handed(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """The sockets that the service manager opened for this process (sd_listen_fds(3)). Each is returned only once."""
    meant_for, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "")
    environment.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdigit():
        return []
    return inherited(range(_FIRST_HANDED, _FIRST_HANDED + int(count)))


def are_handed(environment: MutableMapping[str, str]) -> bool:
    """Whether the service manager passed sockets; takes none."""
    return environment.get("LISTEN_PID") == str(os.getpid()) and environment.get("LISTEN_FDS", "0") != "0"


def inherited(descriptors: Sequence[int]) -> list[socket.socket]:
    """Listening sockets that this process already has open. Raises OSError."""
    found = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for listener in found:
        listener.set_inheritable(True)
    return found


def bind(host: str, port: int) -> socket.socket:
    """A socket of this address, inheritable; `host` is an address, or `unix:` and a path. Raises OSError.

    It listens when a worker has started (`worker.Serving`): before, a connection would wait for a process that is still starting, while
    a refused one is tried at another node. Until then no other program can bind the address. A Unix socket listens at once: the file of
    one that does not counts as left by a dead process.
    """
    path = Path(host.removeprefix(UNIX)) if host.startswith(UNIX) else None
    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if path is None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            # the system lets others bind beside a socket that does not listen, as long as both have this option
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        else:
            if path.is_socket():
                _remove_if_dead(path)
            listener.bind(str(path))
            # the proxy's user shares our group; no other user may state where requests come from
            path.chmod(0o660)
            listen(listener)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def listen(listener: socket.socket) -> None:
    """Accept connections on a socket of `bind`, or go on doing so. Raises OSError."""
    if listener.family != socket.AF_UNIX:
        # without it closed connections of the previous process would be in the way, and those of this one in that of the next
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.listen(BACKLOG)


def addresses(host: str, issuer: str) -> tuple[str, ...]:
    """The addresses to listen on: `host`, and ::1 beside 127.0.0.1 for an issuer at `localhost`. Browsers resolve that name to either,
    and a program of another user on ::1 would get the requests that were meant for this server."""
    return (host, SIX) if host == FOUR and urlsplit(issuer).hostname == "localhost" else (host,)


def bind_all(host: str, port: int, issuer: str) -> list[socket.socket]:
    """`bind` for each of the `addresses`; on a machine without IPv6 that of ::1 is left out. Raises OSError, whose
    `filename` is the address."""
    opened: list[socket.socket] = []
    for address in addresses(host, issuer):
        try:
            opened.append(bind(address, port))
        except OSError as error:
            if address != host and error.errno in _NO_SUCH_ADDRESS:
                continue
            for listener in opened:
                listener.close()
            raise OSError(error.errno, error.strerror, shown(address, port)) from None
    return opened


def shown(host: str, port: int) -> str:
    """The address as it appears in a log line."""
    if host.startswith(UNIX):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def room_for(connections: int) -> int:
    """The number of connections that a worker may hold: `connections`, or what the limit on open files allows after it was raised
    to its maximum."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    return max(16, soft - OTHER_FILES)


def _remove_if_dead(path: Path) -> None:
    """Remove the socket file of a killed process, which would block the next start. A socket on which a process still listens is
    left alone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
