"""`doorward backup`: everything that the database holds at one moment, in one encrypted file, while the server runs."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from doorward import __version__
from doorward.adapters.clock import SystemClock
from doorward.adapters.random import SystemRandom
from doorward.app.key_wrapper import key_wrapper, lost
from doorward.app.root import check_key, find_root
from doorward.core.errors import OperatorError
from doorward.core.model.copied import BackedUp, BackupFacts
from doorward.core.model.secret import Secret
from doorward.core.ports.progress import Progress
from doorward.ops.audit import write_event
from doorward.ops.backup import locks as backup_locks
from doorward.ops.backup.file import BackupHeader, BackupProblem, BackupReader, BackupWriter, Lock
from doorward.settings import Settings
from doorward.storage.copy.fresh import synced
from doorward.storage.copy.open import open_side
from doorward.storage.copy.pieces import Reading, decode_piece, dump, encode_piece
from doorward.storage.copy.pieces import Tables as FirstPiece
from doorward.storage.copy.side import Side, versions
from doorward.storage.sql.open import open_store


class Prelude(msgspec.Struct, frozen=True, array_like=True):
    """The first frame. With a passphrase it contains the root secret: a restore then needs nothing else of the lost server."""

    root: bytes | None


async def run_backup(
    settings: Settings, place: Path | None, passphrase: Secret | None, progress: Progress
) -> BackedUp:
    """Write a backup to `place`, or to standard output. Raises `OperatorError`, `CopyRefused`, `StoreUnavailable`."""
    backup, now = SystemRandom().new_id("bak"), SystemClock().now()
    key = backup_locks.new_data_key()
    locks: list[Lock] = []
    store = await open_store(settings.database, migrate=False, postgres=settings.postgres)
    try:
        with told():
            # a backup under a key that opens nothing in it would otherwise be noticed only at the restore
            await check_key(settings, store)
            locks.append(await backup_locks.lock_by_key(key_wrapper(settings), backup, key))
            if passphrase is not None:
                locks.append(backup_locks.lock_by_passphrase(passphrase, backup, key))
            root = await find_root(settings, store) if passphrase is not None else None
        # before the copy begins, so that the backup contains the line too
        await write_event(store, "database.backed_up", now=now, detail={"backup": backup})
    finally:
        await store.close()
    async with aclosing(await open_side(settings.database, settings.postgres, read_only=True)) as side:
        schema = max((version.number for version in await versions(side)), default=0)
        head = BackupHeader(backup, now, __version__, schema, settings.issuer, tuple(locks))
        with told(), output(place) as out:
            writer = BackupWriter(out, head, key)
            writer.add(msgspec.msgpack.encode(Prelude(root.secret if root is not None else None)))
            reading = await _write(side, writer, progress)
    return BackedUp(facts(head), str(place or "-"), writer.size, reading.rows, tuple(reading.sums))


async def _write(side: Side, writer: BackupWriter, progress: Progress) -> Reading:
    reading = Reading()
    async for piece in dump(side, progress):
        reading.take(piece)
        writer.add(encode_piece(piece))
    writer.finish()
    return reading


async def run_verify(
    settings: Settings | None, place: Path, passphrase: Secret | None, progress: Progress
) -> BackedUp:
    """Read a backup to its end and check everything. Raises `OperatorError`, `CopyRefused`."""
    with told(), place.open("rb") as source:
        reader = BackupReader(source)
        frames = reader.frames(await open_key(reader.head, settings, passphrase))
        prelude(next(frames))
        reading = Reading()
        for frame in frames:
            piece = decode_piece(frame)
            if isinstance(piece, FirstPiece):
                progress.begin("verify", piece.amount)
            before = reading.rows
            reading.take(piece)
            if reading.rows > before:
                progress.step(reading.sums[-1].table, reading.rows - before)
        if not reading.whole:
            raise BackupProblem("The backup ends before its end.", "Take another backup.")
    return BackedUp(facts(reader.head), str(place), reader.size, reading.rows, tuple(reading.sums))


async def open_key(head: BackupHeader, settings: Settings | None, passphrase: Secret | None) -> bytes:
    """The data key of a backup. Raises `BackupProblem`, `KeyProblem`."""
    wrapper = None
    if passphrase is None and settings is not None:
        if lost(settings):
            # not `openssl rand`, which fixes a first start: a new key opens no backup
            needed = " or ".join(backup_locks.opens_with(head))
            raise BackupProblem(
                f"There is no secret key in {settings.secret_key_path}, and the backup opens with {needed}.",
                "Put a copy of that key there, with mode 0600, or name its place in keys.secret_key_file"
                + (", or give the passphrase (--passphrase)." if "passphrase" in needed else "."),
            )
        wrapper = key_wrapper(settings)
    return await backup_locks.open_lock(head, wrapper, passphrase)


def prelude(frame: bytes) -> Prelude:
    """The first frame. Raises `BackupProblem`."""
    try:
        return msgspec.msgpack.decode(frame, type=Prelude)
    except msgspec.MsgspecError:
        raise BackupProblem("The backup begins with something that this version does not know.") from None


def facts(head: BackupHeader) -> BackupFacts:
    """The contents of the head, for people."""
    opens = tuple(backup_locks.opens_with(head))
    return BackupFacts(head.id, head.made_at, head.version, head.schema, head.issuer, opens)


@contextmanager
def told() -> Generator[None]:
    """What goes wrong with files, as `OperatorError`."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        where = problem.filename or "The output"
        if problem.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise OperatorError(
                f"{where}: the disk is full.", "Make room there, or name another place."
            ) from None
        raise OperatorError(
            f"{where}: {problem.strerror}.", "Name another place, or mend its rights."
        ) from None


def _name(part: Path, place: Path) -> None:
    """Give the complete file its name, unless another file got it meanwhile."""
    try:
        os.link(part, place, follow_symlinks=False)
    except FileExistsError:
        raise OperatorError(
            f"{place} was made by somebody else meanwhile.", "Name another file: a backup never replaces one."
        ) from None
    except OSError:
        # a file system without hard links, such as a drive shared with other systems
        part.rename(place)
    else:
        part.unlink()


@contextmanager
def output(place: Path | None) -> Generator[IO[bytes]]:
    """The file to which the backup is written. It gets its name only when it is complete and on the disk."""
    if place is None:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except OSError:
            # The buffer would be flushed again at the end, fail again, and give the command Python's own exit status.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
            raise
        return
    if place.exists():
        raise OperatorError(f"{place} is there already.", "Name another file: a backup never replaces one.")
    # An unpredictable and new name: in a folder that others may write to, a file at a known name may be theirs, or a link
    # elsewhere; and a second backup to the same place must not write into this one.
    part = place.with_name(f"{place.name}.{SystemRandom().token(6)}.part")
    if not place.parent.is_dir():
        raise OperatorError(f"There is no folder {place.parent}.", "Make it, or name a file elsewhere.")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, str(place)) from problem
    try:
        try:
            with os.fdopen(descriptor, "wb", 1 << 20) as out:
                os.fchmod(out.fileno(), 0o600)
                yield out
                out.flush()
                os.fsync(out.fileno())
        except OSError as problem:
            # report the name that the operator gave; the temporary file is removed
            raise OSError(problem.errno, problem.strerror, str(place)) from problem
        _name(part, place)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    synced(place.absolute().parent)
