"""Snapshot of the feed: its name, which caches see, and the statement about its content that is signed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from doorward.core.model.revocation import HISTORY_BITS, Revocation, RevocationKind
from doorward_verify.encoding import b64url_encode
from doorward_verify.revocation import BOUNDED, id_hash
from doorward_verify.revoked_table import packed

EVERY: Final = 60
"""Seconds for which a snapshot has its name. In each of these minutes a process makes at most one."""

LIFE: Final = 900
"""Seconds for which a verifier begins with a snapshot: so long may a cache keep it."""

ALL: Final = "all"
"""The part of a name that stands for entries which concern every API."""


def part_name(audience: str | None) -> str:
    """How a name says which entries a snapshot has: those of one API, or those that concern all (None)."""
    return ALL if audience is None else sha256(audience.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def snapshot_name(salt: str, seq: int, now: int, part: str) -> str:
    """The name in the minute `now` (seconds). It differs for every salt, every history of the database and every minute, and is the same
    in every process: what each makes under this name is a right beginning, from the position that is signed with it."""
    return f"{salt}.{seq >> HISTORY_BITS}.{now // EVERY}.{part}"


def claims(
    records: bytes | bytearray,
    *,
    issuer: str,
    salt: str,
    seq: int,
    now: int,
    part: str,
    count: int,
    kinds: Iterable[RevocationKind],
) -> dict[str, Any]:
    """What is signed about the records: by whom and for how long, and from which cursor the feed goes on."""
    return {
        "iss": issuer,
        "iat": now,
        "exp": now + LIFE,
        "salt": salt,
        "cursor": f"{salt}.{seq}",
        "part": part,
        "kinds": sorted(kinds),
        "count": count,
        "sha256": b64url_encode(sha256(records).digest()),
    }


def record(salt: str, entry: Revocation) -> tuple[bytes, int]:
    """Hash and times of an entry, for `doorward_verify.revoked_table`."""
    before = entry.before if entry.kind in BOUNDED else None
    return id_hash(salt, entry.kind, entry.ref), packed(before, entry.expires_at)
