"""Locks of a backup: the server's key-encryption key, and an optional passphrase."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.adapters.keys.envelope import seal
from doorward.adapters.keys.wrap_local import unseal
from doorward.core.model.secret import Secret
from doorward.core.ports.key_wrapper import KeyProblem, KeyWrapper, WrongKey
from doorward.ops.backup.file import BackupHeader, BackupProblem, Lock

KEY_SIZE = 32
SHORTEST = 12
"""Minimum characters of a passphrase: an attacker with the file can try any number of them."""
_SALT = 16
_CONTEXT: Final = "backup "
"""What a wrapped data key is bound to, followed by the backup's id."""
# four times the cost of a sign-in (RFC 9106 §4 goes higher; backups are made and restored on small machines too)
_TIME, _MEMORY, _LANES = 4, 256 * 1024, 4
# limits on what a file may request: it is untrusted, and each attempt costs what it states
_MOST_TIME, _MOST_MEMORY, _MOST_LANES, _MOST_LOCKS = 16, 2 * 1024 * 1024, 16, 4


def new_data_key() -> bytes:
    """The key of one backup."""
    return os.urandom(KEY_SIZE)


async def lock_by_key(wrapper: KeyWrapper, backup: str, data_key: bytes) -> Lock:
    """Wrap the data key under the key-encryption key. Raises `KeyProblem`."""
    return Lock("key", await wrapper.wrap(_CONTEXT + backup, data_key), id=wrapper.id)


def lock_by_passphrase(passphrase: Secret, backup: str, data_key: bytes) -> Lock:
    """Wrap the data key under a passphrase. Raises `BackupProblem` for one that is too short."""
    if len(passphrase.reveal()) < SHORTEST:
        raise BackupProblem(
            f"The passphrase is shorter than {SHORTEST} characters, and whoever has the file can guess for ever.",
            "Take some words that do not belong together.",
        )
    salt = os.urandom(_SALT)
    cipher = _cipher(passphrase, salt, _TIME, _MEMORY, _LANES)
    return Lock("passphrase", seal(cipher, _CONTEXT + backup, data_key), "", salt, _TIME, _MEMORY, _LANES)


async def open_lock(head: BackupHeader, wrapper: KeyWrapper | None, passphrase: Secret | None) -> bytes:
    """The data key. With a passphrase, only that is tried. Raises `BackupProblem`; and `KeyProblem` when the key cannot be
    reached."""
    if passphrase is not None:
        return _by_passphrase(head, passphrase)
    refused: KeyProblem | None = None
    locks = [lock for lock in head.locks if lock.kind == "key"]
    if wrapper is not None:
        # the lock with this key's id first; the others in case one key has two ids
        for lock in sorted(locks, key=lambda one: one.id != wrapper.id):
            try:
                return await wrapper.unwrap(_CONTEXT + head.id, lock.wrapped)
            except WrongKey:
                continue
            except KeyProblem as problem:
                refused = problem
    if refused is not None:
        raise refused
    needed = opens_with(head)
    given = f"the key here is {wrapper.id}" if wrapper is not None else "there is no key here"
    raise BackupProblem(
        f"The backup opens with {' or '.join(needed)}, and {given}.",
        "Put the right key where the settings name it"
        + (", or give the passphrase (--passphrase)." if "passphrase" in needed else "."),
    )


def opens_with(head: BackupHeader) -> Sequence[str]:
    """What a backup can be opened with, for people."""
    return [lock.id if lock.kind == "key" else "passphrase" for lock in head.locks]


def _by_passphrase(head: BackupHeader, passphrase: Secret) -> bytes:
    locks = [lock for lock in head.locks if lock.kind == "passphrase"]
    if not locks:
        raise BackupProblem(
            f"This backup was made without a passphrase; it opens with {' or '.join(opens_with(head))}.",
            "Leave --passphrase out, and have that key where the settings name it.",
        )
    if len(locks) > _MOST_LOCKS:
        raise BackupProblem("The backup is damaged: nobody has so many passphrases.", "Take another backup.")
    for lock in locks:
        if not (
            1 <= lock.time <= _MOST_TIME
            and 8 * lock.lanes <= lock.memory <= _MOST_MEMORY
            and 1 <= lock.lanes <= _MOST_LANES
            and len(lock.salt) >= 8
        ):
            raise BackupProblem("The backup is damaged: nobody makes keys like that.", "Take another backup.")
        cipher = _cipher(passphrase, lock.salt, lock.time, lock.memory, lock.lanes)
        try:
            return unseal(cipher, _CONTEXT + head.id, lock.wrapped)
        except WrongKey:
            continue
    raise BackupProblem("That is not the passphrase of this backup.", "Type it again; letter case counts.")


def _cipher(passphrase: Secret, salt: bytes, time: int, memory: int, lanes: int) -> AESGCM:
    text = passphrase.reveal().encode()
    try:
        key = hash_secret_raw(text, salt, time, memory, lanes, KEY_SIZE, Type.ID)
    except HashingError as problem:
        raise BackupProblem(
            f"A key cannot be made of the passphrase: {problem}.", f"It takes {memory // 1024} MB of memory."
        ) from None
    return AESGCM(key)
