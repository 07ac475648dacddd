"""uvicorn server of the demo's programs, with a log line per request that never contains a query: queries carry codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from doorward_demo.dev.places import listeners
from doorward_demo.dev.state import State, read

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
log = logging.getLogger("requests")


def state_given() -> State:
    """The state file named on the command line; ends the process when there is none."""
    state = read(Path(sys.argv[1])) if len(sys.argv) == 2 else None
    if state is None:
        raise SystemExit("Started by `doorward dev`, with the path of its state file.")
    return state


def serve(application: Application, address: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    # uvicorn's own lines about its start are not useful here
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    parts = urlsplit(address)
    assert parts.port is not None
    config = uvicorn.Config(
        logged(application),
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    sockets = listeners(parts.port)
    for one in sockets:
        # at once: beside a socket that does not listen another program can bind the address
        one.listen()
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        raise SystemExit(1)


def logged(application: Application) -> Application:
    """The application, with `METHOD path status` logged for each of its answers."""

    async def outer(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                log.info("%s %r %d", scope["method"], scope["path"], message["status"])
            await send(message)

        await application(scope, receive, note if scope["type"] == "http" else send)

    return outer
