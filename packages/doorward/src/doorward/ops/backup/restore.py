"""`doorward restore`: a database that a server can start on, made from a backup."""

from __future__ import annotations

from pathlib import Path

from doorward.adapters.clock import SystemClock
from doorward.adapters.random import SystemRandom
from doorward.app.key_wrapper import key_wrapper
from doorward.core.model.copied import BackedUp
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyWrapper, WrongKey
from doorward.core.ports.progress import Progress
from doorward.ops.audit import open_and_write_event
from doorward.ops.backup.backup import facts, open_key, prelude, told
from doorward.ops.backup.file import BackupProblem, BackupReader
from doorward.ops.move.move import database_of
from doorward.settings import Settings
from doorward.storage.copy.fresh import into_postgres, into_sqlite
from doorward.storage.copy.load import begin_anew, end_everything, load
from doorward.storage.copy.open import file_of, plain
from doorward.storage.copy.pieces import Reading, decode_piece
from doorward.storage.copy.side import Side
from doorward.storage.postgres.url import is_postgres

_ROOT = "SELECT id, kek, wrapped FROM wrapped_keys WHERE id = (SELECT value FROM meta WHERE name = 'root')"
_ADD = (
    "INSERT INTO wrapped_keys (id, kek, wrapped, created_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (id, kek) DO UPDATE SET wrapped = excluded.wrapped"
)


async def run_restore(
    settings: Settings,
    place: Path,
    *,
    into: str | None,
    replace: bool,
    end: bool,
    passphrase: Secret | None,
    progress: Progress,
) -> BackedUp:
    """Restore `place` into the database of the settings, or into the database `into`. Raises `OperatorError`, `CopyRefused`."""
    database = settings.database if into is None else database_of(into)
    now = SystemClock().now()
    with told(), place.open("rb") as source:
        reader = BackupReader(source)
        frames = reader.frames(await open_key(reader.head, settings, passphrase))
        root = prelude(next(frames)).root
        # with a passphrase the server may be a new one without a key
        wrapper = key_wrapper(settings, generate=settings.keys.generate and root is not None)

        async def fill(side: Side, before: dict[str, int]) -> Reading:
            reading = await load(side, map(decode_piece, frames), progress)
            await _keep_openable(side, wrapper, root, now)
            await begin_anew(side, before, SystemRandom().token(6))
            if end:
                await end_everything(side, now)
            return reading

        schema, setting = reader.head.schema, plain(database)
        if is_postgres(setting):
            reading = await into_postgres(setting, settings.postgres, schema, fill, replace=replace)
        else:
            reading = await into_sqlite(file_of(setting), schema, fill, replace=replace)
    detail = {"backup": reader.head.id, "ended": "everything" if end else "nothing"}
    await open_and_write_event(database, settings.postgres, "database.restored", now=now, detail=detail)
    return BackedUp(facts(reader.head), str(database), reader.size, reading.rows, tuple(reading.sums))


async def _keep_openable(side: Side, wrapper: KeyWrapper, root: bytes | None, now: int) -> None:
    """Make sure that the key of the settings opens the root secret of the restored database: if it does not, and the backup
    contains the secret, wrap it under this key as well. Raises `BackupProblem` before any change."""
    wrappings = await side.rows(_ROOT)
    for root_id, kek, wrapped in wrappings:
        if kek == wrapper.id or kek.partition(":")[0] == wrapper.id.partition(":")[0]:
            try:
                await wrapper.unwrap(root_id, wrapped)
            except WrongKey:
                continue
            return
    if not wrappings:
        return
    if root is None:
        needed = " or ".join(sorted({kek for _, kek, _ in wrappings}))
        raise BackupProblem(
            f"What is encrypted in this backup needs {needed}, and the key here is {wrapper.id}.",
            "Put that key where the settings name it, then restore again. Nothing was changed.",
        )
    root_id = wrappings[0][0]
    await side.run(_ADD, (root_id, wrapper.id, await wrapper.wrap(root_id, root), now))
