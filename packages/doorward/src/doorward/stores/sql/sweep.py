"""What may go, and when? Expired rows, table by table, a small batch at a time; the audit record and consents never."""

from __future__ import annotations

from doorward.stores.sql.statements import Database

# The longest life that policy allows an access token (model/policy.py). What a late token or a replay still has to be held
# against stays that much longer than its own expiry.
TOKEN_GRACE = 86_400
_DAY = 86_400

# table, key, the column that ages, seconds to keep after that, further condition
_AGING: tuple[tuple[str, str, str, int, str], ...] = (
    ("sign_ins", "id", "expires_at", 0, ""),
    ("tickets", "id", "expires_at", 0, ""),
    ("attempts", "bucket", "ends_at", 0, ""),
    ("revocations", "seq", "expires_at", 0, ""),
    ("authorization_codes", "hash", "expires_at", _DAY, ""),
    ("refresh_tokens", "hash", "expires_at", TOKEN_GRACE, ""),
    ("grants", "id", "expires_at", TOKEN_GRACE, ""),
    ("sessions", "id", "expires_at", TOKEN_GRACE, ""),
    ("outgoing_mail", "id", "created_at", _DAY, " AND sent_at IS NOT NULL"),
    ("outgoing_mail", "id", "created_at", 30 * _DAY, ""),
    ("logout_notices", "id", "created_at", _DAY, " AND sent_at IS NOT NULL"),
    ("logout_notices", "id", "created_at", 30 * _DAY, ""),
)
# two-column keys: a batch is bounded by the oldest moments instead
_AGING_PAIRS: tuple[tuple[str, str, str, str, int], ...] = (
    ("claimed", "space", "value", "expires_at", 0),
    ("trusted_devices", "account_id", "device_hash", "trusted_at", 365 * _DAY),
)


def _statements() -> tuple[tuple[str, str, int], ...]:
    single = [
        (
            f"SELECT 1 FROM {table} WHERE {age} <= ?{also} LIMIT 1",
            f"DELETE FROM {table} WHERE {key} IN"
            f" (SELECT {key} FROM {table} WHERE {age} <= ?{also} ORDER BY {age} LIMIT ?)",
            keep,
        )
        for table, key, age, keep, also in _AGING
    ]
    pairs = [
        (
            f"SELECT 1 FROM {table} WHERE {age} <= ? LIMIT 1",
            f"DELETE FROM {table} WHERE ({one}, {two}) IN"
            f" (SELECT {one}, {two} FROM {table} WHERE {age} <= ? ORDER BY {age} LIMIT ?)",
            keep,
        )
        for table, one, two, age, keep in _AGING_PAIRS
    ]
    return (*single, *pairs)


_STATEMENTS = _statements()


async def sweep(database: Database, now: int, limit: int) -> int:
    """Removes at most `limit` rows that were of use to nobody at `now` (seconds); answers how many went.

    Looks before it writes, so that an idle server takes no lock.
    """
    gone = 0
    for look, remove, keep in _STATEMENTS:
        if gone >= limit:
            break
        if await database.one(look, (now - keep,)) is not None:
            gone += await database.apply(((remove, (now - keep, limit - gone), None),))
    return gone
