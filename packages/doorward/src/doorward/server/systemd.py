"""Notification of the service manager: ready, reloading or stopping (sd_notify(3)); without a manager, nothing is sent."""

from __future__ import annotations

import os
import socket
import time
from typing import Final

from doorward import __version__
from doorward.adapters import logs
from doorward.server.sockets import shown
from doorward.settings import Settings

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(*lines: str) -> None:
    """Send a message to `NOTIFY_SOCKET`. A missing receiver is no error: the server also runs without a manager."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    address = "\0" + place[1:] if place.startswith("@") else place
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto("\n".join(lines).encode(), address)
    except OSError:
        return


def ready(settings: Settings, *, workers: int) -> None:
    """Log and send that the server answers."""
    logs.logger("server").info(
        "server.ready",
        issuer=settings.issuer,
        address=shown(settings.server.host, settings.port),
        workers=workers,
        version=__version__,
    )
    notify(READY)


def reloading() -> None:
    """The message that a reload has begun; `notify(READY)` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
