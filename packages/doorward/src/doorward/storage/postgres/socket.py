"""Early detection of a lost database server (power failure, network cable pulled) by TCP settings.

The kernel knows before our time limits do: its packets are not acknowledged, and its keepalive probes are not answered.
(A server that hangs still acknowledges; the time limits cover that case.)
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, Final, cast

_PROBES: Final = 3


def keep_watch(connection: object, seconds: float) -> None:
    """Make the connection fail about `seconds` after its peer is gone. Does nothing where the system lacks the setting."""
    transport: Any = getattr(connection, "_transport", None)
    line: Any = None if transport is None else transport.get_extra_info("socket")
    if line is None or cast("int", line.family) not in {socket.AF_INET, socket.AF_INET6}:
        return
    each = max(1, round(seconds / (_PROBES + 1)))
    # a second object for the same socket: options cannot be set on the one that the event loop returns
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
