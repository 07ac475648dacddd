"""Removal of expired rows, table by table, in small batches; consents never expire.

`audit_end.py` handles the audit log.
"""

from __future__ import annotations

from doorward.storage.sql.statements import Database
from doorward.storage.sql.text import MOST, delete_oldest, oldest, select

# The longest life that policy allows an access token (core/model/policy.py). Rows needed to check a late token or a
# replay are kept that much longer than their own expiry.
TOKEN_GRACE = 86_400
_DAY = 86_400

# table, its key, the column that ages, seconds to keep a row after that, further condition
_AGING: tuple[tuple[str, str, str, int, str], ...] = (
    # unauthenticated requests create these rows; a page left open over night continues from data in the browser
    # (see features/sessions/asked.py)
    ("sign_ins", "id", "expires_at", 0, ""),
    ("pending_identities", "browser_hash", "expires_at", 0, ""),
    ("answered_posts", "place", "expires_at", 0, ""),
    ("tickets", "id", "expires_at", 0, ""),
    ("attempts", "bucket", "ends_at", 0, ""),
    # a process with a faster clock may take a claim for expired while it is still valid for another
    ("claimed", "space, value", "expires_at", 600, ""),
    ("revocations", "seq", "expires_at", 0, ""),
    ("authorization_codes", "hash", "expires_at", _DAY, ""),
    ("refresh_tokens", "grant_id", "expires_at", TOKEN_GRACE, ""),
    ("grants", "id", "expires_at", TOKEN_GRACE, ""),
    ("sessions", "id", "expires_at", TOKEN_GRACE, ""),
    ("outgoing_mail", "id", "created_at", _DAY, "AND sent_at IS NOT NULL"),
    ("outgoing_mail", "id", "created_at", 30 * _DAY, ""),
    ("logout_notices", "id", "created_at", _DAY, "AND sent_at IS NOT NULL"),
    ("logout_notices", "id", "created_at", 30 * _DAY, ""),
    # codes live for at most ten minutes; the rows of messages hold them
    ("sent_codes", "id", "expires_at", 0, ""),
    ("outgoing_sms", "id", "created_at", _DAY, ""),
    ("remembered_devices", "id", "expires_at", 0, ""),
    ("trusted_devices", "account_id, device_hash", "trusted_at", 365 * _DAY, ""),
)


def _statements(table: str, key: str, age: str, also: str) -> tuple[str, str]:
    condition = f"{age} <= ? {also}".rstrip()
    # Sorted, or PostgreSQL assumes that any row will soon match, and scans the whole table when none does
    look = select("1", f"{table} WHERE {condition} ORDER BY {age} LIMIT 1")
    return look, delete_oldest(table, key, age, condition)


_STATEMENTS = tuple((*_statements(table, key, age, also), keep) for table, key, age, keep, also in _AGING)


# When an app is deleted, at most this many of its grants end in one commit; this bounds how long other commits wait.
SWEEP_ENDS = MOST
_OPEN = oldest("grants", "id", "id", "client_id = ? AND ended_at IS NULL")
END_OF_CLIENT = f"UPDATE grants SET ended_at = ?, end_reason = ? WHERE id IN ({_OPEN})"  # noqa: S608 - names from here
_DEPARTED = "SELECT client_id, at, reason FROM departed_clients ORDER BY client_id LIMIT 1"
_GONE = "DELETE FROM departed_clients WHERE client_id = ?"


async def _end_departed(database: Database, limit: int) -> int:
    """End a batch of the grants of deleted apps; returns how many rows changed."""
    departed = await database.one(_DEPARTED, ())
    if departed is None:
        return 0
    client_id, at, reason = departed
    ended = await database.apply(((END_OF_CLIENT, (at, reason, client_id, min(limit, SWEEP_ENDS)), None),))
    return ended or await database.apply(((_GONE, (client_id,), None),))


async def sweep(database: Database, now: int, limit: int) -> int:
    """Remove at most `limit` rows that are expired at `now` (seconds), and end the grants of deleted apps; returns how
    many rows.

    Reads before it writes, so that an idle server takes no lock.
    """
    gone = await _end_departed(database, limit)
    for look, remove, keep in _STATEMENTS:
        if gone >= limit:
            break
        if await database.one(look, (now - keep,)) is not None:
            gone += await database.apply(((remove, (now - keep, limit - gone), None),))
    return gone
