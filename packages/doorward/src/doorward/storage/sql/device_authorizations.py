"""Requests of devices without a browser, in SQL: each is decided once, and its device code redeemed once."""

from __future__ import annotations

from typing import ClassVar

from doorward.core.model.device_authorization import DeviceAuthorization
from doorward.storage.sql.noun import DAY, Credential, Expiring, SqlNoun
from doorward.storage.sql.rows import found, from_row, to_row, words
from doorward.storage.sql.statements import Database, Row, Write, guarded
from doorward.storage.sql.text import insert, select, update

_COLUMNS = (
    "id, device_hash, user_tag, user_code, client_id, scopes, audience, acr_values, max_age, address, user_agent, created_at,"
    " expires_at, poll_interval, slowed_at, denied_at, approved_at, account_id, grant_id, redeemed_at"
)
_GET = select(_COLUMNS, "device_authorizations WHERE id = ?")
_BY_DEVICE = select(_COLUMNS, "device_authorizations WHERE device_hash = ?")
_BY_USER = select(_COLUMNS, "device_authorizations WHERE user_tag = ?")
# two devices may draw the same user code: the second one loses and draws again
_INSERT = insert("device_authorizations", _COLUMNS, "ON CONFLICT (user_tag) DO NOTHING")
_OPEN = "denied_at IS NULL AND approved_at IS NULL AND expires_at > ?"
_APPROVE = update(
    "device_authorizations", "approved_at = ?, account_id = ?, grant_id = ?", f"id = ? AND {_OPEN}"
)
_DENY = update("device_authorizations", "denied_at = ?, account_id = ?", f"id = ? AND {_OPEN}")
_SLOW = update("device_authorizations", "poll_interval = ?, slowed_at = ?", "id = ? AND poll_interval = ?")
_REDEEM = update(
    "device_authorizations", "redeemed_at = ?", "id = ? AND redeemed_at IS NULL AND approved_at IS NOT NULL"
)


class SqlDeviceAuthorizations(SqlNoun):
    """Requests of devices, in any state."""

    credentials: ClassVar = (
        Credential(
            kind="device_code",
            what="a device that was allowed and has not fetched its tokens; an undecided one is nobody's",
            tables=("device_authorizations",),
            rests_on=("grant", "offline_grant"),
        ),
    )
    # kept for a day, so that a late poll hears `expired_token`, and a copied device code is recognised
    expiring: ClassVar = (Expiring(table="device_authorizations", keep=DAY),)
    with_account: ClassVar = ("device_authorizations",)

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, request_id: str) -> DeviceAuthorization | None:
        return await found(self._db, _GET, (request_id,), _read)

    async def by_device(self, device_hash: bytes) -> DeviceAuthorization | None:
        """The request of a device code."""
        return await found(self._db, _BY_DEVICE, (device_hash,), _read)

    async def by_user(self, user_tag: str) -> DeviceAuthorization | None:
        """The request of a user code, in any state."""
        return await found(self._db, _BY_USER, (user_tag,), _read)

    def insert(self, request: DeviceAuthorization) -> Write:
        """Guarded: loses when the user code is in use."""
        row = to_row(request, scopes=" ".join(request.scopes), acr_values=" ".join(request.acr_values))
        return guarded(_INSERT, *row)

    def approve(self, request_id: str, *, account_id: str, grant_id: str, at: int) -> Write:
        """Guarded: loses when it was decided before, or has expired at `at`."""
        return guarded(_APPROVE, at, account_id, grant_id, request_id, at)

    def deny(self, request_id: str, *, account_id: str, at: int) -> Write:
        """Guarded as `approve`."""
        return guarded(_DENY, at, account_id, request_id, at)

    def slow(self, request: DeviceAuthorization, interval: int, at: int) -> Write:
        """Raise the interval. Guarded: loses when it was raised since `request` was read."""
        return guarded(_SLOW, interval, at, request.id, request.interval)

    def redeem(self, request_id: str, at: int) -> Write:
        """Guarded: a device code is redeemed once, and only after the person allowed it."""
        return guarded(_REDEEM, at, request_id)


def _read(row: Row) -> DeviceAuthorization:
    return from_row(DeviceAuthorization, row, scopes=words, acr_values=words)
