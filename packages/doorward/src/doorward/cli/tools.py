"""What does a command work with? Given to it from above, since a face knows neither settings nor adapters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from doorward.core.model.copied import BackedUp, Moved
from doorward.core.model.secret import Secret
from doorward.core.ports.clock import Clock
from doorward.core.ports.key_wrapper import KeyWrapper
from doorward.core.ports.progress import Progress
from doorward.features.admin.apis import ManageApis
from doorward.features.admin.apps import ManageApps
from doorward.features.admin.factors import ManageFactors
from doorward.features.admin.people import ManagePeople
from doorward.features.admin.roles import ManageRoles
from doorward.features.signing_keys.rotation import ManageKeys
from doorward.features.signing_keys.wrappings import ManageWrappings


@dataclass(frozen=True, slots=True)
class Tools:
    """The actions of one command run, on the store that the settings name."""

    people: ManagePeople
    factors: ManageFactors
    apps: ManageApps
    apis: ManageApis
    roles: ManageRoles
    keys: ManageKeys
    wrappings: ManageWrappings
    clock: Clock
    issuer: str


class Check(Struct, frozen=True):
    """One line of `doorward doctor`."""

    name: str
    ok: bool
    said: str
    fix: str = ""


class Workshop(Protocol):
    """Where the tools come from. Every method raises `Trouble`."""

    def open(self, config: Path | None) -> AbstractAsyncContextManager[Tools]:
        """The tools, for as long as the command runs."""
        ...

    def key_wrapper(self, *, config: Path | None, key_file: Path | None) -> KeyWrapper:
        """The key-encryption key that another settings file names, or that a file holds (made where there is none)."""
        ...

    async def migrate(self, config: Path | None) -> str:
        """Bring the database up to this program's schema; answers with the file's path."""
        ...

    async def doctor(
        self, config: Path | None, *, quick: bool = False, mail_to: str | None = None
    ) -> Sequence[Check]:
        """Look at everything that can be wrong; with `quick`, only whether the server that runs here is ready. With `mail_to` a test mail
        is sent to that address, and nothing else is looked at."""
        ...

    def serve(self, config: Path | None, *, host: str | None, port: int | None, workers: int | None) -> None:
        """Become the server. Returns only by `Trouble`."""
        ...

    def openapi(self, config: Path | None) -> dict[str, object]:
        """The description of every endpoint."""
        ...

    async def move(self, config: Path | None, source: str, target: str, progress: Progress) -> Moved:
        """Move one database to another; without settings with what is usual."""
        ...

    async def release(self, config: Path | None, source: str) -> bool:
        """Let a database be served again that has moved; False when nothing kept it."""
        ...

    async def backup(
        self, config: Path | None, place: Path | None, passphrase: Secret | None, progress: Progress
    ) -> BackedUp:
        """Write a backup, without `place` to standard output."""
        ...

    async def verify(
        self, config: Path | None, place: Path, passphrase: Secret | None, progress: Progress
    ) -> BackedUp:
        """Read a backup to its end. With a passphrase no settings are needed."""
        ...

    async def restore(
        self,
        config: Path | None,
        place: Path,
        *,
        into: str | None,
        replace: bool,
        end_everything: bool,
        passphrase: Secret | None,
        progress: Progress,
    ) -> BackedUp:
        """Make a backup the content of a database."""
        ...
