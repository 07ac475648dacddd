"""Backup file format: a readable head, then frames encrypted under the data key (docs/reference/backup-format.md).

    DOORWARD BACKUP 1 ⏎ | length of the head, 4 bytes | head, JSON | frame | frame | … | last frame
    frame: length of what follows, 4 bytes | AES-256-GCM of the compressed payload, tag at its end

The data key is random and used for this file only, so the nonce is the number of the frame. Associated data are the SHA-256 of
everything
before the first frame, the number, and whether it is the last: a frame that is changed, missing, moved or added is found, as is a
file that was cut short (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Generator
from typing import IO, Final, Literal, final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from doorward.core.errors import OperatorError

MAGIC: Final = b"DOORWARD BACKUP 1\n"
_LENGTH: Final = 4
_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_FRAME: Final = 256 * 1024 * 1024
_TAG: Final = 16
_LEVEL: Final = 1


class BackupProblem(OperatorError):
    """A backup cannot be read or written."""


class Lock(Struct, frozen=True, omit_defaults=True):
    """The wrapped data key: under a key-encryption key (`id` as of `KeyWrapper.id`), or under a passphrase, with the Argon2id
    parameters that derive its key (RFC 9106; `memory` in KiB)."""

    kind: Literal["key", "passphrase"]
    wrapped: bytes
    id: str = ""
    salt: bytes = b""
    time: int = 0
    memory: int = 0
    lanes: int = 0


class BackupHeader(Struct, frozen=True):
    """The unencrypted head. `made_at` in seconds since the epoch; `schema` is the number of the newest migration."""

    id: str
    made_at: int
    version: str
    schema: int
    issuer: str
    locks: tuple[Lock, ...]


@final
class BackupWriter:
    """Writer of a backup to a stream. A frame is held back until it is known whether another one follows."""

    def __init__(self, out: IO[bytes], head: BackupHeader, key: bytes) -> None:
        text = msgspec.json.encode(head)
        begin = MAGIC + len(text).to_bytes(_LENGTH, "big") + text
        self._out = out
        self._cipher = AESGCM(key)
        self._bound = hashlib.sha256(begin).digest()
        self._number = 0
        self._held: bytes | None = None
        self.size = len(begin)
        out.write(begin)

    def add(self, payload: bytes) -> None:
        """Add one frame. Raises OSError."""
        if self._held is not None:
            self._write(self._held, last=False)
        self._held = payload

    def finish(self) -> None:
        """Write the last frame. Raises OSError."""
        self._write(self._held or b"", last=True)
        self._held = None

    def _write(self, payload: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(
            _nonce(self._number), zlib.compress(payload, _LEVEL), _associated(self._bound, self._number, last)
        )
        self._out.write(len(sealed).to_bytes(_LENGTH, "big"))
        self._out.write(sealed)
        self._number += 1
        self.size += _LENGTH + len(sealed)


@final
class BackupReader:
    """Reader of a backup from a stream: `head` at once, the frames with the key. Raises `BackupProblem`."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        begin = source.read(len(MAGIC))
        if begin != MAGIC:
            raise BackupProblem(
                "This is no backup that this version of Doorward can read.",
                "Name a file that doorward backup has written.",
            )
        length = self._exactly(_LENGTH)
        size = int.from_bytes(length, "big")
        if size > _LONGEST_HEAD:
            raise _damaged()
        text = self._exactly(size)
        try:
            self.head = msgspec.json.decode(text, type=BackupHeader)
        except msgspec.MsgspecError:
            raise _damaged() from None
        self._bound = hashlib.sha256(begin + length + text).digest()
        self.size = len(begin) + len(length) + len(text)

    def frames(self, key: bytes) -> Generator[bytes]:
        """The payloads. Once the last one has been yielded, the file is proved complete and unchanged."""
        cipher = AESGCM(key)
        number = 0
        length = self._exactly(_LENGTH)
        while length:
            size = int.from_bytes(length, "big")
            if not _TAG <= size <= _LONGEST_FRAME:
                raise _damaged()
            self.size += _LENGTH + size
            sealed = self._exactly(size)
            # no length follows the last frame; the tag proves that it is the last, a flag could be changed by an attacker
            length = self._source.read(_LENGTH)
            last = not length
            if 0 < len(length) < _LENGTH:
                raise _cut(None)
            try:
                packed = cipher.decrypt(_nonce(number), sealed, _associated(self._bound, number, last))
            except InvalidTag:
                raise _damaged() if not last else _cut(number) from None
            yield _unpacked(packed)
            number += 1

    def _exactly(self, size: int) -> bytes:
        data = self._source.read(size)
        if len(data) != size:
            raise _cut(None)
        return data


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _associated(bound: bytes, number: int, last: bool) -> bytes:
    return bound + number.to_bytes(8, "big") + (b"\x01" if last else b"\x00")


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        payload = unpacker.decompress(packed, _LONGEST_FRAME)
    except zlib.error:
        raise _damaged() from None
    if not unpacker.eof:
        raise _damaged()
    return payload


def _damaged() -> BackupProblem:
    return BackupProblem("The backup is damaged: it is not what was written.", "Take another backup.")


def _cut(number: int | None) -> BackupProblem:
    if number == 0:
        return BackupProblem(
            "The backup cannot be opened: it is damaged, or another key than its own was given.",
            "Take another backup, or the right key.",
        )
    return BackupProblem(
        "The backup is cut short or damaged: its end is missing.", "Copy it anew, or take another backup."
    )
