"""Devices on which the second step is not asked for, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from doorward.core.model.remembered_device import RememberedDevice
from doorward.storage.sql.noun import Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row
from doorward.storage.sql.statements import Database, Write, guarded, write
from doorward.storage.sql.text import insert, select, update

_COLUMNS = (
    "id, account_id, secret_hash, previous_hash, rotated_at, name, user_agent, address, factors_mark, created_at, used_at,"
    " expires_at"
)
_GET = select(_COLUMNS, "remembered_devices WHERE id = ?")
_OF_ACCOUNT = select(
    _COLUMNS, "remembered_devices WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
)
_INSERT = insert("remembered_devices", _COLUMNS)
_CROWD_OUT = (
    "DELETE FROM remembered_devices WHERE account_id = ? AND id NOT IN"
    " (SELECT id FROM remembered_devices WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?)"
)
# The second alternative: another request with the same secret was faster, and has written the same successor.
_ROTATE = update(
    "remembered_devices",
    "rotated_at = CASE WHEN secret_hash = ? THEN rotated_at ELSE ? END, secret_hash = ?, previous_hash = ?, used_at = ?",
    "id = ? AND factors_mark = ? AND (secret_hash = ? OR (secret_hash = ? AND previous_hash = ? AND rotated_at >= ?))",
)
_RENAME = update("remembered_devices", "name = ?", "id = ? AND account_id = ?")
_END = "DELETE FROM remembered_devices WHERE id = ? AND account_id = ?"
_END_OF_ACCOUNT = "DELETE FROM remembered_devices WHERE account_id = ? AND id <> ?"

MOST_REMEMBERED = 10
"""Devices of one account; the next one takes the place of the oldest."""


class SqlRememberedDevices(SqlNoun):
    """Remembered devices."""

    credentials: ClassVar = (
        Credential(
            kind="remembered_device",
            what="a device on which the second step is not asked for",
            tables=("remembered_devices",),
        ),
    )
    expiring: ClassVar = (Expiring(table="remembered_devices"),)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, device_id: str) -> RememberedDevice | None:
        return await found(self._db, _GET, (device_id,), lambda row: from_row(RememberedDevice, row))

    async def of_account(self, account_id: str) -> Sequence[RememberedDevice]:
        """Those of one person, newest first, expired ones too."""
        rows = await self._db.all(_OF_ACCOUNT, (account_id, MOST_REMEMBERED))
        return [from_row(RememberedDevice, row) for row in rows]

    def insert(self, device: RememberedDevice) -> Write:
        """The oldest ones beyond `MOST_REMEMBERED` end. The commit locks the account's row before, so that of two at once each sees
        the other."""
        account_id = device.account_id
        crowd_out = (_CROWD_OUT, (account_id, account_id, MOST_REMEMBERED), None)
        return Write(((_INSERT, to_row(device), None), crowd_out))

    def rotate(
        self, device: RememberedDevice, *, shown: bytes, successor: bytes, since: int, at: int
    ) -> Write:
        """Replace the secret with the digest `shown` by `successor`. Guarded: loses when the row is gone or its mark has changed, and
        when `shown` was replaced by another secret, or before `since`."""
        return guarded(
            _ROTATE,
            successor,
            at,
            successor,
            shown,
            at,
            device.id,
            device.factors_mark,
            shown,
            successor,
            shown,
            since,
        )

    def rename(self, account_id: str, device_id: str, name: str | None) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_RENAME, name, device_id, account_id)

    def end(self, account_id: str, device_id: str) -> Write:
        """Guarded: loses when it is gone."""
        return guarded(_END, device_id, account_id)

    def drop(self, account_id: str, device_id: str) -> Write:
        """The same, whether or not it is still there."""
        return write(_END, device_id, account_id)

    def end_of_account(self, account_id: str, *, but: str | None = None) -> Write:
        """All of one person, except the one with the id `but`."""
        return write(_END_OF_ACCOUNT, account_id, but or "")
