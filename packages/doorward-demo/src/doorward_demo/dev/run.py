"""One run of `doorward dev`: prepare the folder, seed, start three processes, print their addresses, watch, end them."""

from __future__ import annotations

import os
import signal
import sys
import time
import webbrowser
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec import structs
from rich.console import Console
from rich.text import Text

from doorward.core.model.actor import Actor
from doorward.features.services import Services
from doorward_demo.dev import processes
from doorward_demo.dev.folder import REFRESH_LEEWAY, Folder
from doorward_demo.dev.places import LAST_PORT, Places, taken
from doorward_demo.dev.processes import Process
from doorward_demo.dev.seed import FOREIGN_AUDIENCE, seed
from doorward_demo.dev.state import DemoApps, State, read, write
from doorward_demo.dev.table import show_places
from doorward_demo.dev.trouble import CannotStart

Seeding = Callable[[Path, Callable[[Services], Awaitable[DemoApps]]], DemoApps]
"""Runs the work with the services of the server that a settings file describes."""

_UP_WITHIN: Final = 60.0
_LIBRARIES: Final = ("fastapi", "starlette", "pydantic")


def run(*, port: int, browser: bool, reset: bool, actor: Actor, seeding: Seeding) -> int:
    """Run until Ctrl+C, SIGTERM or SIGHUP. Returns the exit status. `actor` registers the apps and the
    people. Raises `CannotStart`."""
    began = time.monotonic()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    ignored = sorted(name for name in os.environ if name.startswith("DOORWARD_"))
    for name in ignored:
        # settings of a real server must not apply to this one
        del os.environ[name]
    if ignored:
        _say(console, f"Not used here: {', '.join(ignored)}")
    stop = _Stop()
    folder = Folder(Path.cwd())
    with folder.held():
        if port > LAST_PORT:
            raise CannotStart(
                f"Port {port} leaves no room for the two after it.", f"At most {LAST_PORT}: --port 8000"
            )
        places = Places(port)
        _refuse_bare()
        _refuse_taken(places)
        if reset:
            folder.clear()
        _say(console, f"Preparing {folder.path}")
        known = read(folder.state)
        folder.prepare(places)
        apps = seeding(
            folder.settings, lambda services: seed(services, actor, places, known.apps if known else None)
        )
        state = State(
            pid=os.getpid(),
            ready=False,
            places=places,
            apps=apps,
            foreign_audience=FOREIGN_AUDIENCE,
            refresh_leeway=REFRESH_LEEWAY,
        )
        write(folder.state, state)
        children = _children(folder, places)
        try:
            _start(console, children, folder, stop)
            if not stop.wanted:
                write(folder.state, structs.replace(state, ready=True))
                show_places(places, folder.path, seconds=time.monotonic() - began)
                if browser and _has_browser():
                    webbrowser.open(places.shop)
            processes.watch(children, stopped=lambda: stop.wanted, complain=_complainer(console))
        finally:
            write(folder.state, state)
            # the server last: the others still send it requests when they end
            processes.end(children[1:], children[:1])
        _say(console, "Stopped; nothing is left running.")
    return 0


class _Stop:
    """Becomes true with the first signal that requests a stop."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True


def _refuse_bare() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise CannotStart(
            f"The demo app and API need {' and '.join(missing)}, which a server does not.",
            "Install them: python -m pip install 'doorward[demo]'",
        )


def _refuse_taken(places: Places) -> None:
    busy = taken(places)
    if busy is None:
        return
    port, who = busy
    other = places.port + 100 if places.port + 100 <= LAST_PORT else 8000
    raise CannotStart(
        f"Port {port} is taken, and {who} needs it.",
        f"Stop what listens there, or take three other ports: doorward dev --port {other}",
    )


def _children(folder: Folder, places: Places) -> list[Process]:
    def child(name: str, module: str, argument: str, log: str, health: str) -> Process:
        return Process(name, module, [argument], log=folder.logs / log, health=health)

    state = str(folder.state)
    return [
        child("the server", "doorward.server", "1", "server.log", f"{places.issuer}/readyz"),
        child("the demo API", "doorward_demo.demo.orders", state, "api.log", f"{places.api}/healthz"),
        child("the demo app", "doorward_demo.demo.shop", state, "app.log", f"{places.shop}/healthz"),
    ]


def _start(console: Console, children: list[Process], folder: Folder, stop: _Stop) -> None:
    _say(console, "Starting the server, the demo API and the demo app")
    environment = {**processes.environment(), "DOORWARD_CONFIG": str(folder.settings)}
    for child in children:
        child.start(environment)
    processes.wait_until_up(children, seconds=_UP_WITHIN, stopped=lambda: stop.wanted)


def _complainer(console: Console) -> Callable[[str, str], None]:
    def complain(name: str, line: str) -> None:
        console.print(Text(f"{name}: ", style="yellow") + Text(line))

    return complain


def _say(console: Console, text: str) -> None:
    console.print(Text(text, style="dim"))


def _has_browser() -> bool:
    """Whether a person at a screen can see a browser: not in CI, not behind a pipe, not on a machine without
    a display (where the browser would be a text browser that takes over the terminal)."""
    if os.environ.get("CI") or not sys.stdout.isatty():
        return False
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(screen) or sys.platform in {"darwin", "win32"}
