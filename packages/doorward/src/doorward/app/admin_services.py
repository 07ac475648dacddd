"""What are commands given? The actions, on the store and under the keys that the settings name."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, final
from urllib.parse import urlsplit

from doorward.adapters import logs
from doorward.adapters.clock import SystemClock
from doorward.adapters.hashing.argon2 import Argon2Hasher
from doorward.adapters.hashing.breached_list import BadBreachList, nothing_listed, open_list
from doorward.adapters.keys.sealing import KeyedSealer
from doorward.adapters.keys.secret_key import secret_key
from doorward.adapters.keys.signing import CatalogSigner, SealedKeyMaker
from doorward.adapters.keys.wrap_local import LocalWrapper
from doorward.adapters.mail.queue import Render, SealingPostman
from doorward.adapters.random import SystemChance
from doorward.app.key_wrapper import key_wrapper
from doorward.app.root import root_secret
from doorward.app.shared import ringing
from doorward.cli.tools import Check, Tools
from doorward.cli.trouble import Trouble
from doorward.cluster.config_snapshot import WatchedCatalog
from doorward.core.model.copied import BackedUp, Moved
from doorward.core.model.message import Letter
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper
from doorward.core.ports.mail_queue import MailKind
from doorward.core.ports.progress import Progress
from doorward.core.ports.store import Store
from doorward.features.admin.apis import ManageApis
from doorward.features.admin.apps import ManageApps
from doorward.features.admin.factors import ManageFactors
from doorward.features.admin.people import ManagePeople
from doorward.features.admin.roles import ManageRoles
from doorward.features.authn.factors.password.policy import JudgePassword
from doorward.features.sessions.ending import Ending
from doorward.features.signing_keys.root import RootSecret
from doorward.features.signing_keys.rotation import ManageKeys
from doorward.features.signing_keys.wrappings import ManageWrappings
from doorward.server.start import become_server, try_port
from doorward.settings import Settings, SettingsError, load
from doorward.storage.sql.database_state import admit
from doorward.storage.sql.open import open_store
from doorward.storage.sqlite.owner import hand_over


@final
class CommandWorkshop:
    """`cli.tools.Workshop`."""

    @asynccontextmanager
    async def open(self, config: Path | None) -> AsyncGenerator[Tools]:
        """The tools on the real store; what the server does not yet have, it sees within 200 ms."""
        settings = read(config)
        logs.configure("error", "console")
        try:
            breached = open_list(settings.passwords.breached_list) or nothing_listed
        except (BadBreachList, OSError) as problem:
            raise Trouble(str(problem), "See passwords.breached_list in the settings.") from None
        store = await open_store(settings.database, postgres=settings.postgres)
        hasher = Argon2Hasher(settings.passwords)
        try:
            await admit(store.meta, where=str(settings.database))
            root = await _root(settings, store)
            sealer = KeyedSealer(root.secret)
            catalog = WatchedCatalog(store, CatalogSigner(settings.issuer, sealer))
            try:
                await catalog.refresh()
            except ValueError:
                raise Trouble(
                    "The signing keys in this database are sealed under another root secret.",
                    "They came from another database. Restore a whole backup of this one.",
                ) from None
            clock, chance = SystemClock(), SystemChance()
            ending = Ending(store, chance, catalog, settings.tokens)
            host = urlsplit(settings.issuer).hostname or ""
            judge = JudgePassword(settings.passwords, breached, host, settings.brand.name)
            keys = ManageKeys(
                store,
                catalog,
                SealedKeyMaker(sealer),
                chance,
                clock,
                settings.tokens,
                settings.keys.publish_ahead,
                settings.keys.rotate_after,
            )
            async with ringing(settings, store):
                yield Tools(
                    people=ManagePeople(
                        store, catalog, chance, clock, hasher, ending, judge, settings.beyond_ascii
                    ),
                    factors=ManageFactors(
                        store, chance, clock, ending, SealingPostman(sealer, chance, _letters(settings))
                    ),
                    apps=ManageApps(store, catalog, chance, clock, ending, keys),
                    apis=ManageApis(store, catalog, chance, clock, settings.issuer, keys),
                    roles=ManageRoles(store, catalog, chance, clock),
                    keys=keys,
                    wrappings=ManageWrappings(store, key_wrapper(settings), root, chance, clock),
                    clock=clock,
                    issuer=settings.issuer,
                )
        finally:
            hasher.close()
            await store.close()

    def key_wrapper(self, *, config: Path | None, key_file: Path | None) -> KeyWrapper:
        """Variables of the `[keys]` section speak of the key in use, so none of them counts here."""
        try:
            if key_file is not None:
                return LocalWrapper(secret_key(None, str(key_file.absolute()), generate=True, own=hand_over))
            environ = {
                name: text for name, text in os.environ.items() if not name.startswith("DOORWARD_KEYS_")
            }
            return key_wrapper(read(config, environ))
        except KeyProblem as problem:
            raise Trouble(problem.error, problem.fix) from None

    async def migrate(self, config: Path | None) -> str:
        """Open the store, which brings it up to date, and close it."""
        settings = read(config)
        store = await open_store(settings.database, postgres=settings.postgres)
        await store.close()
        # as it is shown: without a password
        return str(settings.database)

    async def doctor(
        self, config: Path | None, *, quick: bool = False, mail_to: str | None = None
    ) -> Sequence[Check]:
        """See `doctor.examine`, `doctor.glance` and `examine_mail.test_mail`; settings that cannot be read are its first and only finding."""
        # imported here: only this command needs an HTTP client
        from doorward.ops.doctor.doctor import examine, glance

        try:
            settings = load(config, os.environ)
        except SettingsError as error:
            return [Check("settings", False, problem) for problem in error.problems]
        if mail_to is not None:
            from doorward.ops.doctor.checks.mail import test_mail

            return [await test_mail(settings, mail_to)]
        return await (glance if quick else examine)(settings)

    def serve(self, config: Path | None, *, host: str | None, port: int | None, workers: int | None) -> None:
        """See `server.become_server`. The settings are read once here, and the port is tried, so that a mistake is a sentence
        and no line of the log."""
        settings = read(config)
        try_port(host or settings.server.host, port or settings.port)
        become_server(config, host=host, port=port, workers=workers)

    async def move(self, config: Path | None, source: str, target: str, progress: Progress) -> Moved:
        """See `moving.run_move`."""
        from doorward.ops.move.move import run_move

        return await run_move(_settings_if_any(config), source, target, progress)

    async def release(self, config: Path | None, source: str) -> bool:
        """See `moving.run_release`."""
        from doorward.ops.move.move import run_release

        return await run_release(_settings_if_any(config), source)

    async def backup(
        self, config: Path | None, place: Path | None, passphrase: Secret | None, progress: Progress
    ) -> BackedUp:
        """See `backing_up.run_backup`."""
        from doorward.ops.backup.backup import run_backup

        return await run_backup(read(config), place, passphrase, progress)

    async def verify(
        self, config: Path | None, place: Path, passphrase: Secret | None, progress: Progress
    ) -> BackedUp:
        """See `backing_up.run_verify`."""
        from doorward.ops.backup.backup import run_verify

        settings = read(config) if passphrase is None else None
        return await run_verify(settings, place, passphrase, progress)

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
        """See `restoring.run_restore`."""
        from doorward.ops.backup.restore import run_restore

        return await run_restore(
            read(config),
            place,
            into=into,
            replace=replace,
            end=end_everything,
            passphrase=passphrase,
            progress=progress,
        )

    def openapi(self, config: Path | None) -> dict[str, object]:
        """For the configured issuer; without settings for a placeholder, since the description needs no server."""
        from doorward.web.openapi.document import describe

        try:
            issuer = load(config, os.environ).issuer
        except SettingsError:
            if config is not None:
                raise Trouble("The settings cannot be read.", "doorward doctor") from None
            issuer = "https://auth.example.com"
        return describe(issuer)


async def _root(settings: Settings, store: Store) -> RootSecret:
    """The root secret, which is made if nothing is sealed yet. Raises `Trouble`."""
    try:
        return await root_secret(settings, store)
    except KeyProblem as problem:
        raise Trouble(problem.error, problem.fix) from None


def _settings_if_any(config: Path | None) -> Settings | None:
    """For commands that name their databases themselves: how to connect stands in the settings, where there are any."""
    try:
        return load(config, os.environ)
    except SettingsError:
        return read(config) if config is not None else None


def read(config: Path | None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises `Trouble` with every problem, a line each."""
    try:
        return load(config, environ)
    except SettingsError as error:
        # each problem says what it should be; where the documentation lies, who has installed a package cannot see
        fix = "Correct that, then look again: doorward doctor"
        raise Trouble("\n  ".join(error.problems), fix) from None


def _letters(settings: Settings) -> Render:
    def write(kind: MailKind, locale: str | None, values: dict[str, Any]) -> Letter:
        # imported here: only a command that writes a mail needs templates and languages
        from doorward.app.adapters import mail_writer

        return mail_writer(settings)(kind, locale, values)

    return write
