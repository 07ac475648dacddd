"""System under the demo's drive: the running `doorward dev` of this folder, or a temporary one that is
stopped afterwards."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from doorward_demo.dev.folder import Folder
from doorward_demo.dev.places import free_places
from doorward_demo.dev.processes import environment
from doorward_demo.dev.state import State
from doorward_demo.dev.trouble import CannotStart

_UP_WITHIN: Final = 90.0
_GRACE: Final = 30.0


@contextmanager
def system(issuer: str | None) -> Generator[State]:
    """The running system, for the duration of the drive. Raises `CannotStart`."""
    running = Folder(Path.cwd()).running()
    if issuer is not None:
        if running is None or not running.ready:
            raise CannotStart(
                f"No doorward dev runs in this folder, so {issuer} cannot be driven.",
                "Start it: doorward dev",
            )
        if running.places.issuer != issuer.rstrip("/"):
            raise CannotStart(
                f"The doorward dev of this folder is {running.places.issuer}, not {issuer}.",
                "Go to the folder where it was started, or leave --issuer out.",
            )
    if running is not None and running.ready:
        _say(f"Driving {running.places.issuer}, which runs already")
        yield running
        return
    with _own() as state:
        yield state


@contextmanager
def _own() -> Generator[State]:
    with tempfile.TemporaryDirectory(prefix="doorward-demo-") as place:
        try:
            places = free_places()
        except OSError as error:
            raise CannotStart(
                f"There are {error}.", "Stop something, or start doorward dev --port N first."
            ) from None
        _say(
            f"Nothing runs here: starting a server, an app and an API on ports {places.port} to {places.port + 2}"
        )
        log = Path(place) / "dev.log"
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [
                    sys.executable, "-m", "doorward_demo.dev.child", "doorward",
                    "dev", "--no-browser", "--port", str(places.port),
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=place,
                env=environment(),
                start_new_session=True,
            )  # fmt: skip
        try:
            yield _until_ready(child, Folder(Path(place)), log)
        finally:
            _end(child)
            _say("Stopped what was started; nothing is left running")


def _until_ready(child: subprocess.Popen[bytes], folder: Folder, log: Path) -> State:
    until = time.monotonic() + _UP_WITHIN
    while time.monotonic() < until:
        if child.poll() is not None:
            raise CannotStart(
                f"doorward dev did not start.\n{_end_of(log)}", "Start it by hand: doorward dev"
            )
        state = folder.running()
        if state is not None and state.ready:
            return state
        time.sleep(0.05)
    raise CannotStart(
        f"doorward dev was not up after {_UP_WITHIN:g} s.\n{_end_of(log)}", "Start it by hand: doorward dev"
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-20:])


def _say(text: str) -> None:
    sys.stderr.write(f"demo: {text}\n")
    sys.stderr.flush()
