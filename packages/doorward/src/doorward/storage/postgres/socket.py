"""How soon does this side learn that a server is gone without a word: its power cut, its cable pulled?

The kernel knows earlier than any time limit of ours: what it sends is not acknowledged, and its questions are not answered. (A server
that hangs acknowledges everything; for that one there are the limits.)
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, Final, cast

_PROBES: Final = 3


def keep_watch(connection: object, seconds: float) -> None:
    """Lets the connection break about `seconds` after its other end is gone. Where the system knows no such thing, nothing."""
    transport: Any = getattr(connection, "_transport", None)
    line: Any = None if transport is None else transport.get_extra_info("socket")
    if line is None or cast("int", line.family) not in {socket.AF_INET, socket.AF_INET6}:
        return
    each = max(1, round(seconds / (_PROBES + 1)))
    # of another object for the same socket: what an event loop hands out may not be set
    with socket.socket(fileno=os.dup(cast("int", line.fileno()))) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_USER_TIMEOUT", round(seconds * 1000)),
            ("TCP_KEEPIDLE", each),
            ("TCP_KEEPINTVL", each),
            ("TCP_KEEPCNT", _PROBES),
        ):
            option = getattr(socket, name, None)
            if option is not None:
                with suppress(OSError):
                    same.setsockopt(socket.IPPROTO_TCP, option, value)
