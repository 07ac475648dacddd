"""The folder `.doorward-dev/`: settings, database, keys, logs and state of `doorward dev`; it can be deleted
at any time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from doorward_demo.dev.places import Places
from doorward_demo.dev.state import State, read
from doorward_demo.dev.trouble import CannotStart

NAME: Final = ".doorward-dev"
REFRESH_LEEWAY: Final = 1
"""Seconds. The default is 10; a person should not wait that long to see a replay refused."""

ACCESS_TTL: Final = 60
"""Seconds. The default is 300; a person should see a silent refresh while watching."""

COUNTRIES: Final = '["US", "GB", "DE", "FR", "ES", "EG"]'
"""Countries of phones that may be tried out. No message leaves this machine."""

_MARK: Final = "# Written by `doorward dev` at each start; what you change here is lost."


class Folder:
    """The folder, in the working directory or at a given path."""

    def __init__(self, parent: Path) -> None:
        self.path = parent.resolve() / NAME
        self.settings = self.path / "doorward.toml"
        self.state = self.path / "state.json"
        self.logs = self.path / "logs"
        self._lock = self.path / "lock"

    @contextmanager
    def held(self) -> Generator[None]:
        """Lock the folder for this process. The lock ends with the process in any case. Raises `CannotStart`."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise CannotStart(
                f"{self.path} cannot be made ({error.strerror}).", "Start where you may write."
            ) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise self._runs_already() from None
            yield
        finally:
            os.close(descriptor)

    def running(self) -> State | None:
        """The state of a `doorward dev` that runs from this folder now, or None."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return read(self.state)
        else:
            return None
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Remove everything except the lock, which this process holds. Raises `CannotStart` for a folder of
        another origin."""
        if self.settings.exists() and not self.settings.read_text("utf-8").startswith(_MARK):
            raise CannotStart(
                f"{self.settings} was not written by `doorward dev`, so --reset does not delete its folder.",
                f"Look into it, and remove {self.path} yourself.",
            )
        for path in self.path.iterdir():
            if path == self._lock:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def prepare(self, places: Places) -> None:
        """Write the settings and an ignore file, so that no commit ever contains the database."""
        self.logs.mkdir(exist_ok=True)
        (self.path / ".gitignore").write_text("*\n", "utf-8")
        self.settings.write_text(_settings(places), "utf-8")

    def _runs_already(self) -> CannotStart:
        state = read(self.state)
        where = f" at {state.places.issuer} (process {state.pid})" if state is not None else ""
        return CannotStart(
            f"doorward dev runs in this folder already{where}.",
            "Use that one, or stop it with Ctrl+C, or start in another folder.",
        )


def _settings(places: Places) -> str:
    return f"""{_MARK}
issuer = "{places.issuer}"
database = "doorward.db"
development = true

[second_factor]
kinds = ["passkey", "totp", "sms", "email_code"]

[sms]
# no gateway: text messages are in the outbox, as mail is
channel = "webhook"
countries = {COUNTRIES}

[providers.example]
# a stand-in for another service, which the demo app serves
issuer = "{places.shop}/example"
label = "Example"
client_id = "doorward"
client_secret = "for this machine only"
email_domains = ["example.com", "example.org"]

[tokens]
access_ttl = {ACCESS_TTL}
refresh_leeway = {REFRESH_LEEWAY}
"""
